import Foundation
import Testing

@Suite struct InstallationTests {
    @Test func `help names the options and the exit codes`() throws {
        let help = try Command.run(["--help"])
        #expect(help.status == 0)
        for word in [
            "--file", "--out", "--model", "--detector-model", "--no-video", "EXIT STATUS", "130", "eval", "doctor",
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
        for word in ["scalar", "avx512", "EMOTIOND_MODELS", "SHA-256", "detector", "libx264", "licence"] {
            #expect(doctor.output.contains(word), "\(word)")
        }
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
