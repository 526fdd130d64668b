import Foundation
import Results
import Testing

private let python = "/usr/bin/python3"

private func full() -> RunReport {
    var full = report(
        .partial, ["fps": 12.5, "detector": "auto", "from": .null], name: [0xFF, 0x0A] + Array("ü.mp4".utf8))
    full.input.container = "mov"
    full.input.codec = "h264"
    full.input.width = 1920
    full.input.height = 1080
    full.input.rotation = 90
    full.input.duration = 31.25
    full.input.fps = 30000.0 / 1001
    full.counts.decoded = 10
    full.counts.analysed = 8
    full.counts.skipped = 2
    full.counts.withFaces = 7
    full.counts.ptsRepaired = 1
    full.counts.errors = 1
    full.errors = ["packet 4 is damaged"]
    full.timing.stages = ["decode": 0.5, "detect": 1.5]
    full.timing.wall = 2
    full.timing.framesPerSecond = 4
    full.video = RunReport.Video(codec: "libx264", audio: "copied", note: nil)
    full.notes = ["a \"note\""]
    return full
}

@Suite struct RunReportTests {
    @Test func `a report comes back as it went`() throws {
        #expect(try RunReport.decode(full().encoded()) == full())
        #expect(try RunReport.decode(report().encoded()) == report())
    }

    @Test func `members have the promised names, sorted and indented`() throws {
        let text = String(decoding: try full().encoded(), as: UTF8.self)
        let names = [
            "format", "status", "program", "version", "commit", "input", "name", "name_base64", "bytes", "sha256",
            "container", "codec", "width", "height", "rotation", "duration", "fps", "settings", "hash", "model",
            "detector", "counts", "packets", "decoded", "analysed", "skipped", "dropped", "with_faces", "rows",
            "tracks", "pts_repaired", "errors", "timing", "stages", "wall", "frames_per_second", "host", "cpu",
            "kernel_level", "threads", "video", "audio", "notes", "output_version",
        ]
        for name in names { #expect(text.contains("\"\(name)\" : "), "\(name)") }
        let outer = text.split(separator: "\n").filter { $0.hasPrefix("  \"") }.map(String.init)
        #expect(outer == outer.sorted())
        #expect(text.hasSuffix("}\n"))
    }

    @Test func `a name that is no UTF-8 keeps its bytes beside the text`() {
        let input = RunReport.Input(name: [0x61, 0xFF], bytes: 0, sha256: "")
        #expect(input.name == "a\u{FFFD}")
        #expect(input.nameBase64.flatMap { Data(base64Encoded: $0) } == Data([0x61, 0xFF]))
        #expect(RunReport.Input(name: Array("ü".utf8), bytes: 0, sha256: "").nameBase64 == nil)
    }

    @Test func `numbers that JSON does not know cost no result`() throws {
        var odd = full()
        odd.input.fps = .nan
        odd.input.duration = .infinity
        odd.timing.framesPerSecond = -.infinity
        odd.timing.wall = .nan
        odd.timing.stages["decode"] = .nan
        let back = try RunReport.decode(odd.encoded())
        #expect(back.input.fps == nil && back.input.duration == nil && back.timing.framesPerSecond == nil)
        #expect(back.timing.stages == ["detect": 1.5] && back.timing.wall == 0)
    }

    @Test func `frames that went no known way are noticed`() {
        var counts = full().counts
        #expect(counts.isBalanced)
        counts.dropped += 1
        #expect(!counts.isBalanced)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: python), "needs \(python)"))
    func `Python's json module reads run.json and agrees with the canonical form`() throws {
        let script = """
            import base64, json, sys
            report = json.loads(sys.stdin.buffer.read().decode())
            options = {k: v for k, v in report["settings"].items() if k not in ("hash", "output_version")}
            print(report["status"], report["format"], list(base64.b64decode(report["input"]["name_base64"])[:2]))
            print(json.dumps(options, sort_keys=True, separators=(",", ":"), ensure_ascii=False), end="")
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", script]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(full().encoded()))
        try input.fileHandleForWriting.close()
        let lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            .split(separator: "\n")
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        try #require(lines.count == 2)
        #expect(lines[0] == "partial 1 [255, 10]")
        #expect(Array(lines[1].utf8) == SettingValue.object(full().settings.options).canonicalJSON)
    }
}

@Suite struct SettingsTests {
    @Test func `the canonical form is compact, with sorted keys and plain numbers`() {
        let value: SettingValue = .object([
            "b": .list([1, 25.0, 0.5, true, .null]), "a": "x\"\\\n\u{1}ü", "B": .object([:]), "ab": .number(.nan),
        ])
        let text = String(decoding: value.canonicalJSON, as: UTF8.self)
        #expect(text == #"{"B":{},"a":"x\"\\\u000a\u0001ü","ab":null,"b":[1,25,0.5,true,null]}"#)
    }

    @Test func `the hash depends on options, model and detector and on nothing else`() {
        let make = { (options: [String: SettingValue], model: String, detector: String?) in
            RunReport.Settings(options: options, modelSHA256: model, detectorSHA256: detector, sha256: digest).hash
        }
        let base = make(["every": 1, "fps": 5.0], "m", "d")
        #expect(base == make(["fps": 5, "every": 1.0], "m", "d"))
        let others = [
            make(["every": 2, "fps": 5], "m", "d"), make(["every": 1], "m", "d"),
            make(["every": 1, "fps": 5], "n", "d"),
            make(["every": 1, "fps": 5], "m", "e"), make(["every": 1, "fps": 5], "m", nil),
        ]
        #expect(Set(others + [base]).count == 6)
    }

    @Test func `every kind of value comes back from JSON with the same canonical form`() throws {
        let value: SettingValue = .object([
            "n": .null, "t": true, "i": -7, "d": 0.1, "w": 3.0, "s": "1", "l": .list([0, false]),
            "o": .object(["k": "v"]),
        ])
        let data = try JSONEncoder().encode(value)
        #expect(try JSONDecoder().decode(SettingValue.self, from: data).canonicalJSON == value.canonicalJSON)
    }
}
