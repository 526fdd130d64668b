// Bad input ends in its exit code and a sentence that names the file; nothing is left behind.

import Foundation
import Testing

@Suite struct BadInputTests {
    private func expect(_ arguments: [String], status: Int32, mentions word: String, in folder: TemporaryFolder) throws
    {
        let out = folder.url.appending(path: "out")
        let run = try Command.run(arguments + ["--out", out.path])
        #expect(run.status == status, "\(arguments): \(run.errors)")
        #expect(run.errors.contains(word), "\(run.errors)")
        let left = (try? FileManager.default.contentsOfDirectory(atPath: out.path)) ?? []
        #expect(left.isEmpty, "\(arguments) left \(left)")
    }

    @Test func `text, garbage, an empty file and a playlist are not media`() throws {
        let folder = try TemporaryFolder()
        let contents: [(String, Data)] = [
            ("notes.mp4", Data("Once upon a time.\n".utf8)), ("empty.jpg", Data()),
            ("noise.mkv", Data((0..<4096).map { _ in UInt8.random(in: 0...255) })),
            ("list.mp4", Data("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n".utf8)),
        ]
        for (name, data) in contents {
            let file = folder.url.appending(path: name)
            try data.write(to: file)
            try expect(["--file", file.path], status: 65, mentions: name, in: folder)
        }
    }

    @Test func `a missing file is said to be missing`() throws {
        let folder = try TemporaryFolder()
        try expect(["--file", folder.url.path + "/nothing.mp4"], status: 66, mentions: "nothing.mp4", in: folder)
    }

    @Test func `an output that cannot be made is 73`() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "file")
        try Data("x".utf8).write(to: file)
        let picture = Command.samples.appending(path: "astronaut.jpg").path
        let run = try Command.run(["--file", picture, "--out", file.path])
        #expect(run.status == 73, "\(run.errors)")
        #expect(try Data(contentsOf: file) == Data("x".utf8))
    }

    @Test func `good inputs are done though others fail, and the code says so`() throws {
        let folder = try TemporaryFolder()
        let text = folder.url.appending(path: "a.mp4")
        try Data("no".utf8).write(to: text)
        let picture = Command.samples.appending(path: "astronaut.jpg").path
        let out = folder.url.path + "/out"
        let run = try Command.run(["--file", text.path, picture, "--out", out, "--json"])
        #expect(run.status == 2)
        let last = try #require(run.output.split(separator: "\n").last)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
        let results = try #require(object["results"] as? [[String: Any]])
        #expect(results.map { $0["status"] as? String } == ["failed", "complete"])
        #expect(FileManager.default.fileExists(atPath: out + "/astronaut.jpg/timeline.csv"))
    }

    @Test(arguments: [
        ["--file"], [], ["--file", "x", "--every", "0"], ["--file", "x", "--fps", "-1"],
        ["--file", "x", "--from", "abc"],
        ["--file", "x", "--from", "9", "--to", "3"], ["--nonsense"], ["--file", "x", "--cpu-level", "mmx"],
        ["--file", "x", "--detector", "none"], ["--file", "x", "--detector", "cascade", "--detector-engine", "native"],
        ["--file", "x", "--detector-engine", "gpu"], ["bench", "--detector", "own", "--size", "640"],
    ])
    func `wrong usage is 64`(arguments: [String]) throws {
        let run = try Command.run(arguments)
        #expect(run.status == 64, "\(run.errors)")
        #expect(!run.errors.isEmpty)
    }

    @Test func `a wrong model is refused by name before anything is read`() throws {
        let folder = try TemporaryFolder()
        let model = folder.url.appending(path: "model.onnx")
        let picture = Command.samples.appending(path: "astronaut.jpg").path
        try Data("no model".utf8).write(to: model)
        try expect(["--file", picture, "--model", model.path], status: 78, mentions: "model.onnx", in: folder)
        // A flipped weight is found by weights.sha256.
        let good = Command.root.appending(path: "Sources/emotiond/Models/emotion.onnx")
        var bytes = try Data(contentsOf: good)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: model)
        try expect(["--file", picture, "--model", model.path], status: 78, mentions: "model.onnx", in: folder)
    }

    @Test func `a wrong detector is refused by name before anything is read`() throws {
        let folder = try TemporaryFolder()
        let emotion = Command.root.appending(path: "Sources/emotiond/Models/emotion.onnx").path
        let picture = Command.samples.appending(path: "astronaut.jpg").path
        for detector in [["--detector", "own"], []] {
            try expect(
                ["--file", picture, "--detector-model", emotion] + detector, status: 78,
                mentions: "a face-detector is needed", in: folder)
        }
    }

    @Test(arguments: [
        "two words.jpg", "it's \"quoted\".jpg", "100%d.jpg", "line\nbreak.jpg", "grüße 🙂.jpg", "-dash.jpg",
        "=formula.jpg",
        "http:x.jpg", "concat:a|b.jpg",
    ])
    func `any name works`(name: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            at: Command.samples.appending(path: "astronaut.jpg"), to: folder.url.appending(path: name))
        let run = try Command.run(["--file=\(name)", "--out", "out", "--no-video"], in: folder.url)
        #expect(run.status == 0, "\(run.errors)")
        #expect(folder.names.contains("out/\(name)/timeline.csv"))
        let listed = try Command.run(
            ["--file", "-", "-0", "--out", "listed", "--no-video"], input: Data(name.utf8 + [0]), in: folder.url)
        #expect(listed.status == 0, "\(listed.errors)")
        #expect(folder.names.contains("listed/\(name)/timeline.csv"))
    }

    @Test func `a name that is no UTF-8 works in the list and in a folder`() throws {
        let folder = try TemporaryFolder()
        let inside = folder.url.path + "/in"
        try FileManager.default.createDirectory(atPath: inside, withIntermediateDirectories: true)
        let name = Array("in/caf".utf8) + [0xE9] + Array(".jpg".utf8)
        let bytes = try Data(contentsOf: Command.samples.appending(path: "astronaut.jpg"))
        let path = (Array(folder.url.path.utf8) + [UInt8(ascii: "/")] + name + [0]).map { CChar(bitPattern: $0) }
        let file = try #require(fopen(path, "w"))
        _ = bytes.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
        fclose(file)
        let listed = try Command.run(
            ["--file", "-", "-0", "--out", "listed", "--no-video"], input: Data(name + [0]), in: folder.url)
        #expect(listed.status == 0, "\(listed.errors)")
        let walked = try Command.run(["--file", "in", "--out", "walked", "--no-video", "--json"], in: folder.url)
        #expect(walked.status == 0, "\(walked.errors)")
        #expect(walked.output.contains("input_base64"))
    }

    @Test func `the output folder inside the input folder is not taken in`() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            at: Command.samples.appending(path: "astronaut.jpg"), to: folder.url.appending(path: "a.jpg"))
        for _ in 0..<2 {
            let run = try Command.run(["--file", ".", "--out", "out", "--json"], in: folder.url)
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.components(separatedBy: "\"input\"").count == 2, "\(run.output)")
        }
    }
}
