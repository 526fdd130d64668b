import Foundation
import Testing

@Suite struct InterruptTests {
    private func status(_ out: TemporaryFolder) throws -> String? {
        let data = Data(try out.text("ad.mp4/run.json").utf8)
        return (try JSONSerialization.jsonObject(with: data) as? [String: Any])?["status"] as? String
    }

    @Test func `ctrl-C publishes what is there as interrupted, and a later run takes its place`() throws {
        let out = try TemporaryFolder()
        let process = Process()
        process.executableURL = Command.binary
        process.arguments = [
            "--file", Command.samples.appending(path: "ad.mp4").path, "--out", out.url.path, "--no-video", "--frames",
            "all",
        ]
        process.environment = ["EMOTIOND_MODELS": Command.root.appending(path: "Sources/emotiond/Models").path]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // The signal goes once the first stills are there; the run is far from its end then.
        let started = ContinuousClock.now
        while !out.names.contains(where: { $0.hasSuffix("frames/000006.jpg") }) {
            try #require(process.isRunning && ContinuousClock.now - started < .seconds(120), "no frames came")
            usleep(2000)
        }
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        #expect(try status(out) == "interrupted")
        let rows = Table(try out.text("ad.mp4/timeline.csv")).rows
        #expect(!rows.isEmpty && rows.count < 350)

        let again = try Command.run([
            "--file", Command.samples.appending(path: "ad.mp4").path, "--out", out.url.path, "--no-video", "--frames",
            "all",
        ])
        #expect(again.status == 0, "\(again.errors)")
        #expect(try status(out) == "complete")
        #expect(out.names.allSatisfy { !$0.contains(".tmp") })
    }
}
