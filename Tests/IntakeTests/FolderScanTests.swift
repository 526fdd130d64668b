import Glibc
import Intake
import Testing

@Suite struct FolderScanTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func scan(_ ignore: IgnoreRules = .standard) throws -> ScanResult {
        try FolderScan(root: scratch.path, ignore: ignore).everything()
    }

    private func paths(_ result: ScanResult) -> Set<[UInt8]> { Set(result.files.map(\.path)) }

    @Test func `files are found at every depth with what identifies them`() throws {
        let top = try scratch.file("a.mp4", "12345", mtime: 1_600_000_000_123_456_789)
        let deep = try scratch.file("x/y/z/b.jpg")
        let result = try scan()
        #expect(
            Dictionary(uniqueKeysWithValues: result.files.map { ($0.path, $0.fingerprint) })
                == [bytes("a.mp4"): top, bytes("x/y/z/b.jpg"): deep])
        #expect(top.sizeBytes == 5)
        #expect(top.mtimeNanoseconds == 1_600_000_000_123_456_789)
        #expect(Set(result.folders.keys) == [[], bytes("x"), bytes("x/y"), bytes("x/y/z")])
        #expect(!result.isEmpty)
    }

    @Test func `names may be any bytes`() throws {
        for name in hostileNames { try scratch.file(bytes("in/") + name) }
        #expect(paths(try scan()) == Set(hostileNames.map { bytes("in/") + $0 }))
    }

    @Test func `a link is reported and never followed, wherever it leads`() throws {
        let outside = try Scratch()
        try outside.file("secret.mp4")
        try scratch.file("real/a.mp4")
        try scratch.link("out", to: String(decoding: outside.path, as: UTF8.self))
        try scratch.link("file.mp4", to: String(decoding: outside("secret.mp4"), as: UTF8.self))
        try scratch.link("inside", to: "real")
        try scratch.link("loop", to: ".")
        let result = try scan()
        #expect(paths(result) == [bytes("real/a.mp4")])
        #expect(
            Set(result.ignored)
                == Set(
                    ["out", "file.mp4", "inside", "loop"].map {
                        .init(path: bytes($0), reason: .symbolicLink)
                    }))
        let through = try FolderScan(root: scratch.path).parts(folders: [bytes("out")], trees: [bytes("inside")])
        #expect(through.files.isEmpty)
    }

    @Test func `pipes and sockets are no inputs and do not hold up the scan`() throws {
        try #require(mkfifo(cString(scratch("pipe.mp4")), 0o600) == 0)
        #expect(try scan().ignored == [.init(path: bytes("pipe.mp4"), reason: .notAFile)])
    }

    @Test(arguments: ["a.mp4.part", "B.TMP", "doc~", "._a.mp4", ".hidden", "film.crdownload", "Thumbs.db"])
    func `files in the making and other systems' files are ignored`(name: String) throws {
        try scratch.file(name)
        let result = try scan()
        #expect(result.files.isEmpty)
        #expect(result.ignored.map(\.path) == [bytes(name)])
    }

    @Test func `what lies in an ignored folder is not looked at`() throws {
        try scratch.file("@eaDir/a.jpg")
        try scratch.file("ok/.git/b.jpg")
        try scratch.file("ok/c.jpg")
        let result = try scan()
        #expect(paths(result) == [bytes("ok/c.jpg")])
        #expect(Set(result.ignored.map(\.path)) == [bytes("@eaDir"), bytes("ok/.git")])
        let named = try FolderScan(root: scratch.path).parts(folders: [bytes("@eaDir")], trees: [bytes("ok/.git")])
        #expect(named.files.isEmpty)
    }

    @Test func `patterns can be chosen, and bad ones are refused by name`() throws {
        try scratch.file("a.log")
        try scratch.file("b.part")
        #expect(paths(try scan(try IgnoreRules(patterns: ["*.log"]))) == [bytes("b.part")])
        for pattern in ["", "a/b", "a\0b"] {
            let error = try #require(throws: IntakeError.self) { try IgnoreRules(patterns: [pattern]) }
            #expect("\(error)".contains(pattern.isEmpty ? "empty" : pattern))
        }
    }

    @Test func `the program's own folders are never inputs, whatever the patterns`() throws {
        try scratch.file(".emotiond-taken/a.mp4")
        try scratch.file(".other/b.mp4")
        #expect(paths(try scan(try IgnoreRules(patterns: []))) == [bytes(".other/b.mp4")])
    }

    @Test func `a part is a folder alone, or a tree`() throws {
        for name in ["a.mp4", "x/b.mp4", "x/y/c.mp4", "z/d.mp4"] { try scratch.file(name) }
        let scan = FolderScan(root: scratch.path)
        #expect(paths(try scan.parts(folders: [bytes("x")], trees: [])) == [bytes("x/b.mp4")])
        #expect(
            paths(try scan.parts(folders: [[]], trees: [bytes("x")]))
                == [bytes("a.mp4"), bytes("x/b.mp4"), bytes("x/y/c.mp4")])
        #expect(try scan.parts(folders: [bytes("gone")], trees: [bytes("gone/too")]).files.isEmpty)
    }

    @Test func `a root that is missing or a file is an error that names it`() throws {
        try scratch.file("file")
        for name in ["missing", "file"] {
            let error = try #require(throws: IntakeError.self) {
                try FolderScan(root: scratch(name)).everything()
            }
            #expect("\(error)".contains(name))
        }
    }

    @Test func `folders that come and go during the walk are no errors`() throws {
        for i in 0..<50 { try scratch.file("d\(i)/f.jpg") }
        let churn = OwnThread { [scratch] in
            for turn in 0..<2_000 {
                scratch.remove("d\(turn % 50)")
                try scratch.file("d\(turn % 50)/f.jpg")
            }
        }
        while !churn.isFinished { #expect(try scan().unreadable.isEmpty) }
        try churn.check()
    }

    @Test(.enabled(if: geteuid() != 0, "root may read every folder"))
    func `a folder that may not be read is reported`() throws {
        try scratch.file("closed/a.mp4")
        try #require(chmod(cString(scratch("closed")), 0) == 0)
        #expect(try scan().unreadable.map(\.path) == [bytes("closed")])
    }

    @Test func `very deep folders are left out with a reason`() throws {
        let deep = (0..<70).map { "d\($0)" }.joined(separator: "/")
        try scratch.file(deep + "/a.mp4")
        let result = try scan()
        #expect(result.files.isEmpty)
        #expect(result.ignored.map(\.reason) == [.tooDeep])
    }

    @Test func `ten thousand files are found`() throws {
        for i in 0..<10_000 { try scratch.file("d\(i % 100)/f\(i).jpg", "") }
        #expect(try scan().files.count == 10_000)
    }
}
