import Foundation
import TestSupport
import Testing

@Suite struct StreamTests {
    /// Starts the command; the caller stops it.
    private func start(_ arguments: [String], environment: [String: String] = [:], errors: URL) throws -> Process {
        let process = Process()
        process.executableURL = Command.binary
        process.arguments = arguments
        process.environment = ["EMOTIOND_MODELS": Command.root.appending(path: "Sources/emotiond/Models").path]
            .merging(environment) { $1 }
        process.standardOutput = FileHandle.nullDevice
        try Data().write(to: errors)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        return process
    }

    private func wait(_ process: Process, for what: String, _ isThere: () -> Bool) throws {
        let started = ContinuousClock.now
        while !isThere() {
            try #require(process.isRunning && ContinuousClock.now - started < .seconds(120), "no \(what) came")
            usleep(5000)
        }
    }

    @Test func `ctrl-C ends a stream in good order: its last segment is published`() throws {
        let camera = try CameraServer(.mjpeg)
        let out = try TemporaryFolder()
        let results = out.url.appending(path: "results")
        let process = try start(
            ["--stream-name", "door", "--segment", "1s", "--out", results.path],
            environment: ["EMOTIOND_STREAM": camera.url],
            errors: out.url.appending(path: "errors"))
        try wait(process, for: "segment") { out.names.contains { $0.hasSuffix("Z/run.json") && !$0.contains("/.") } }
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let names = out.names
        #expect(names.contains("results/streams/door/events.jsonl"))
        #expect(names.count { $0.hasSuffix("Z/timeline.csv") } >= 1)
        #expect(names.allSatisfy { !$0.contains(".tmp") })
        #expect(try out.text("results/streams/door/events.jsonl").contains("\"stopped\""))
    }

    @Test func `a stream that cannot be reached at first is exit 69`() throws {
        let camera = try CameraServer(.mjpeg)
        camera.unplug()
        let out = try TemporaryFolder()
        let run = try Command.run(["--stream", camera.url, "--out", out.url.path])
        #expect(run.status == 69)
        #expect(run.errors.contains("Connection refused"))
        #expect(out.names.allSatisfy { !$0.contains("Z") })
    }

    @Test func `a password in the arguments is refused without being repeated`() throws {
        let run = try Command.run(["--stream", "rtsp://admin:sesame@127.0.0.1:1/x"])
        #expect(run.status == 64)
        #expect(run.errors.contains("--stream-file") && run.errors.contains("EMOTIOND_STREAM"))
        #expect(!run.errors.contains("sesame") && !run.output.contains("sesame"))
    }

    @Test(arguments: [
        ["--stream", "cam"], ["--stream", "ftp://127.0.0.1/x"], ["--stream", "http://127.0.0.1:1/", "--segment", "10"],
        ["--stream", "http://127.0.0.1:1/", "--from", "3"], ["--stream", "http://127.0.0.1:1/", "--schedule", "soon"],
        ["--stream", "http://127.0.0.1:1/", "--file", "x.mp4"],
        ["--stream", "http://127.0.0.1:1/", "--region", "0,0,2,1"],
    ])
    func `what makes no sense for a stream is wrong usage`(arguments: [String]) throws {
        #expect(try Command.run(arguments).status == 64)
    }
}
