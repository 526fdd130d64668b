import Foundation
import Testing

@Suite(.serialized) struct ResumeTests {
    /// Enough frames that the stages before the writer cannot have come to their end when the first checkpoint is
    /// there.
    private static let part = ["--every", "2", "--to", "7"]

    private func start(_ out: TemporaryFolder, _ extra: [String]) throws -> Process {
        let process = Process()
        process.executableURL = Command.binary
        process.arguments = arguments(out, extra)
        process.environment = ["EMOTIOND_MODELS": Command.root.appending(path: "Sources/emotiond/Models").path]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    private func arguments(_ out: TemporaryFolder, _ extra: [String]) -> [String] {
        [
            "--file", Command.samples.appending(path: "ad.mp4").path, "--out", out.url.appending(path: "out").path,
            "--work", out.url.appending(path: "work").path, "--checkpoint-every", "0.5",
        ] + Self.part + extra
    }

    /// Until the checkpoint is another one than before.
    private func waitForCheckpoint(_ out: TemporaryFolder, _ process: Process, after old: Data? = nil) throws -> Data {
        let started = ContinuousClock.now
        while true {
            if let name = out.names.first(where: { $0.hasSuffix("/checkpoint.json") }),
                let data = FileManager.default.contents(atPath: out.url.appending(path: name).path), data != old
            {
                return data
            }
            try #require(process.isRunning && ContinuousClock.now - started < .seconds(300), "no checkpoint came")
            usleep(2000)
        }
    }

    private func expectWhole(_ out: TemporaryFolder, like plain: TemporaryFolder) throws {
        for name in ["timeline.csv", "summary.csv"] {
            #expect(try out.text("out/ad.mp4/\(name)") == plain.text("ad.mp4/\(name)"), "\(name)")
        }
        #expect(
            Set(out.names) == [
                "out", "out/ad.mp4", "out/ad.mp4/annotated.mp4", "out/ad.mp4/run.json", "out/ad.mp4/summary.csv",
                "out/ad.mp4/timeline.csv", "work",
            ])
        let report = try JSONSerialization.jsonObject(with: Data(try out.text("out/ad.mp4/run.json").utf8))
        #expect((report as? [String: Any])?["status"] as? String == "complete")
    }

    /// Of a run without a break.
    private static let plain = Result {
        let plain = try TemporaryFolder()
        let video = Command.samples.appending(path: "ad.mp4").path
        #expect(try Command.run(["--file", video, "--out", plain.url.path, "--no-video"] + part).status == 0)
        return plain
    }

    @Test func `killed twice with kill -9, the third run ends as if nothing had been`() throws {
        let plain = try Self.plain.get(), out = try TemporaryFolder()
        var last: Data?
        for _ in 0..<2 {
            let process = try start(out, [])
            last = try waitForCheckpoint(out, process, after: last)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(!out.names.contains { $0.hasPrefix("out/ad.mp4") })
        }
        let run = try Command.run(arguments(out, ["--log-level", "info"]))
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("goes on behind"))
        try expectWhole(out, like: plain)
    }

    @Test func `SIGTERM ends a run that keeps checkpoints with 75, and the next one goes on`() throws {
        let plain = try Self.plain.get(), out = try TemporaryFolder()
        let process = try start(out, [])
        _ = try waitForCheckpoint(out, process)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 75)
        #expect(!out.names.contains { $0.hasPrefix("out/ad.mp4") })
        let run = try Command.run(arguments(out, []))
        #expect(run.status == 0, "\(run.errors)")
        try expectWhole(out, like: plain)
    }

    @Test func `pictures are not kept or blurred as told, and what contradicts that is refused`() throws {
        let picture = Command.samples.appending(path: "astronaut.jpg").path
        let out = try TemporaryFolder()
        #expect(try Command.run(["--file", picture, "--out", out.url.path + "/a", "--video", "none"]).status == 0)
        #expect(!out.names.contains { $0.hasSuffix(".jpg") && $0.contains("annotated") })
        let blurred = ["--file", picture, "--out", out.url.path + "/b", "--video", "blurred", "--notice", "a notice"]
        #expect(try Command.run(blurred).status == 0)
        #expect(out.names.contains("b/astronaut.jpg/annotated.jpg"))
        #expect(try out.text("b/astronaut.jpg/run.json").contains("\"faces\" : \"blurred\""))
        let refused = try Command.run(["--file", picture, "--out", out.url.path, "--video", "none", "--frames", "all"])
        #expect(refused.status == 64)
    }
}
