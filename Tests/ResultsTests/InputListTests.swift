import Foundation
import Results
import Testing

@Suite struct InputListTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func expand(_ names: String..., output: String = "out") -> [InputJob] {
        InputList.expand(names.map { scratch($0) }, output: scratch(output))
    }

    private func relatives(_ jobs: [InputJob]) -> [String] { jobs.map { PathBytes.lossy($0.relative) } }

    @Test func `a file is itself, under its own name, whatever its extension`() throws {
        try scratch.file("in/a/notes.txt")
        let jobs = expand("in/a/notes.txt")
        #expect(jobs.map(\.path) == [scratch("in/a/notes.txt")])
        #expect(relatives(jobs) == ["notes.txt"] && jobs[0].problem == nil)
    }

    @Test func `a folder means the media in it, in byte order, with the path kept`() throws {
        for name in ["b.mp4", "B.MP4", "a/z.Jpg", "a/y.txt", "a/b/c.webm", "ü.mov", "noextension", "c.mp4/x.png"] {
            try scratch.file("in/\(name)")
        }
        let jobs = expand("in/")
        #expect(relatives(jobs) == ["B.MP4", "a/b/c.webm", "a/z.Jpg", "b.mp4", "c.mp4/x.png", "ü.mov"])
        #expect(jobs[1].path == scratch("in/a/b/c.webm"))
    }

    @Test func `hidden files and folders are no input`() throws {
        for name in [".x.mp4", ".git/a.mp4", ".mp4", "a.mp4"] { try scratch.file("in/\(name)") }
        #expect(relatives(expand("in")) == ["a.mp4"])
        #expect(relatives(expand("in/.x.mp4")) == [".x.mp4"], "but one that is named is")
    }

    @Test func `the output folder and results in other places are no input`() throws {
        try scratch.file("in/a.mp4")
        try scratch.file("in/results/b.mp4/annotated.mp4")
        let identity = report().identity
        let staging = try ResultFolder(
            root: scratch("in/older"), relative: Array("c.mp4".utf8), identity: identity
        ).stage()
        try staging.write("annotated.mp4", [1])
        _ = try staging.publish(report())
        #expect(relatives(expand("in", output: "in/results")) == ["a.mp4"])
        #expect(relatives(expand("in", output: "in/../in/results/")) == ["a.mp4"], "however it is spelled")
    }

    @Test func `links below a folder are left out, so circles end and nothing outside is read`() throws {
        try scratch.file("in/a.mp4")
        try scratch.file("elsewhere/b.mp4")
        try scratch.link("in/circle", to: ".")
        try scratch.link("in/outside", to: "../elsewhere")
        try scratch.link("in/c.mp4", to: "a.mp4")
        try scratch.link("in/d.mp4", to: "nowhere")
        try scratch.link("in/e.mp4", to: "e.mp4")
        #expect(relatives(expand("in")) == ["a.mp4"])
        #expect(relatives(expand("in/c.mp4", "in/outside")) == ["c.mp4", "b.mp4"], "but one that is named is followed")
    }

    @Test func `what is missing fails alone`() throws {
        try scratch.file("in/a.mp4")
        try scratch.folder("empty")
        let jobs = expand("missing.mp4", "in/a.mp4", "empty") + InputList.expand([[0x61, 0], []], output: [])
        #expect(jobs.map { $0.problem?.exitReason } == [.noInput, nil, .noInput, .noInput, .noInput])
        #expect(jobs[0].problem.map { "\($0)" }?.contains("No such file") == true)
        #expect(jobs[0].path == scratch("missing.mp4"))
    }

    @Test func `pipes and devices are refused without opening them`() throws {
        try scratch.folder("in")
        try #require(mkfifo(String(decoding: scratch("in/x.mp4"), as: UTF8.self), 0o600) == 0)
        #expect(expand("in/x.mp4")[0].problem?.exitReason == .noInput)
        #expect(InputList.expand([Array("/dev/zero".utf8)], output: [])[0].problem?.exitReason == .noInput)
        try scratch.file("in/a.mp4")
        #expect(relatives(expand("in")) == ["a.mp4"])
    }

    @Test(
        arguments: [
            [0xFF, 0xFE, 0x2E, 0x6D, 0x70, 0x34], Array("new\nline %d '\".mp4".utf8), Array("-x.mp4".utf8),
        ] as [[UInt8]])
    func `names of any bytes are found and given back`(name: [UInt8]) throws {
        try scratch.folder("in")
        let path = PathBytes.join(scratch("in"), name)
        let descriptor = (path + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { chars in
                chars.baseAddress.map { open($0, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600) } ?? -1
            }
        }
        try #require(descriptor >= 0)
        close(descriptor)
        #expect(expand("in") == InputList.expand([path], output: []))
        #expect(expand("in").map(\.relative) == [name])
    }

    @Test func `a list keeps every byte but its separator`() {
        let lines = InputList.paths(inList: Array("a b\n\n-x \r\n\t\nlast".utf8), separator: .newline)
        #expect(lines.map(PathBytes.lossy) == ["a b", "-x \r", "\t", "last"])
        let nul = InputList.paths(inList: [0x61, 0x0A, 0, 0xFF, 0, 0], separator: .nul)
        #expect(nul == [[0x61, 0x0A], [0xFF]])
        #expect(InputList.paths(inList: [], separator: .nul).isEmpty)
    }

    @Test func `extensions of media are known in any case`() {
        let known = { (name: String) in InputList.hasMediaExtension(Array(name.utf8)) }
        #expect(known("a.mp4") && known("a.b.MKV") && known("x.Jpeg") && known("a.m2ts"))
        #expect(!known("mp4") && !known(".mp4") && !known("a.mp4x") && !known("a.") && !known("a.csv"))
    }
}

@Suite struct PathBytesTests {
    @Test func `paths are joined and taken apart by bytes`() {
        let text = { (path: [UInt8]?) in path.map(PathBytes.lossy) }
        #expect(text(PathBytes.join(Array("a".utf8), Array("b".utf8))) == "a/b")
        #expect(text(PathBytes.join(Array("a/".utf8), Array("b".utf8))) == "a/b")
        #expect(text(PathBytes.join([], Array("b".utf8))) == "b")
        #expect(text(PathBytes.lastComponent(Array("/a/b//".utf8))) == "b")
        #expect(text(PathBytes.lastComponent(Array("/".utf8))) == nil)
    }

    @Test func `a path in a message stays on its line`() {
        #expect(PathBytes.shown(Array("a\nb ü".utf8) + [0xFF]) == "'a\\nb ü\u{FFFD}'")
    }
}
