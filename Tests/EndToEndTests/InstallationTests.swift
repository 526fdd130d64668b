import Foundation
import Testing

@Suite struct InstallationTests {
    @Test func `help names the options and the exit codes`() throws {
        let help = try Command.run(["--help"])
        #expect(help.status == 0)
        for word in [
            "--file", "--out", "--model", "--detector-model", "--detector-engine", "--no-video", "EXIT STATUS", "130",
            "eval", "doctor",
        ] {
            #expect(help.output.contains(word), "\(word)")
        }
    }

    @Test func `version names the commit and the libraries`() throws {
        let version = try Command.run(["--version"])
        #expect(version.status == 0)
        for word in ["emotiond ", "libavcodec", "OpenCV"] { #expect(version.output.contains(word)) }
    }

    @Test func `doctor finds everything and says why`() throws {
        let doctor = try Command.run(["doctor"])
        #expect(doctor.status == 0, "\(doctor.output)")
        for word in ["scalar", "avx512", "EMOTIOND_MODELS", "SHA-256", "detector", "engine", "libx264", "licence"] {
            #expect(doctor.output.contains(word), "\(word)")
        }
    }

    /// A net of chance: what it finds says nothing, that it runs does.
    @Test(arguments: ["native", "opencv"])
    func `our own detector runs on either engine, and run json says which`(engine: String) throws {
        let folder = try TemporaryFolder()
        let model = Command.root.appending(path: "Tests/Golden/models/detector_tiny_64x96.onnx").path
        let out = folder.url.appending(path: "out")
        let run = try Command.run([
            "--file", Command.samples.appending(path: "astronaut.jpg").path, "--detector-model", model,
            "--detector-engine", engine, "--minimum-score", "0.95", "--no-video", "--out", out.path,
        ])
        #expect(run.status == 0, "\(run.errors)")
        let report = try Data(contentsOf: out.appending(path: "astronaut.jpg/run.json"))
        let object = try #require(try JSONSerialization.jsonObject(with: report) as? [String: Any])
        let detector = try #require(object["detector"] as? [String: Any])
        #expect(detector["name"] as? String == "own" && detector["engine"] as? String == engine)
        let options = try #require(object["settings"] as? [String: Any])
        #expect(options["detect_every"] as? String == (engine == "native" ? "1" : "adaptive"))
    }

    @Test func `eval judges pictures in folders`() throws {
        let folder = try TemporaryFolder()
        for (label, sample) in [("happy", "astronaut.jpg"), ("neutral", "grace_hopper.jpg")] {
            let place = folder.url.appending(path: label)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                at: Command.samples.appending(path: sample), to: place.appending(path: sample))
        }
        let run = try Command.run(["eval", "--data", "folder:\(folder.url.path)", "--json"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("\"n\":2"))
    }
}
