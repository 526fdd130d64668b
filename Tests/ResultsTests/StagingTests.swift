import Foundation
import Results
import Testing

@Suite struct StagingTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func hidden(_ below: String = "out") -> Set<String> {
        scratch.tree(below).filter { $0.split(separator: "/").contains { $0.hasPrefix(".") } }
    }

    @Test func `a reader sees nothing before the publish and everything after it`() throws {
        let staging = try folder(scratch, "a/ad.mp4").stage()
        try staging.write("timeline.csv", Array("rows".utf8))
        try staging.makeFolder("frames")
        try staging.write("frames/000001.jpg", [1, 2, 3])
        #expect(scratch.tree("out").subtracting(hidden()) == ["a"], "only the way to it is visible")
        #expect(exists(staging.path(of: "timeline.csv")))

        #expect(try staging.publish(report()) == .published(scratch("out/a/ad.mp4")))
        let names = ["a", "a/ad.mp4", "a/ad.mp4/frames", "a/ad.mp4/frames/000001.jpg", "a/ad.mp4/run.json"]
        #expect(scratch.tree("out") == Set(names + ["a/ad.mp4/timeline.csv"]))
        #expect(scratch.text("out/a/ad.mp4/timeline.csv") == "rows")
    }

    @Test func `discarding leaves nothing, not even the folders above`() throws {
        let staging = try folder(scratch, "a/b/ad.mp4").stage()
        try staging.makeFolder("frames")
        try staging.write("frames/000001.jpg", [1])
        staging.discard()
        #expect(scratch.tree().isEmpty)
        staging.discard()
    }

    @Test func `a staging that is forgotten is discarded`() throws {
        do {
            let staging = try folder(scratch).stage()
            try staging.write("timeline.csv", [1])
        }
        #expect(scratch.tree().isEmpty)
    }

    @Test func `discarding keeps folders that others use`() throws {
        let staging = try folder(scratch, "a/ad.mp4").stage()
        try publish(scratch, "a/other.mp4")
        staging.discard()
        #expect(scratch.tree("out").contains("a/other.mp4/run.json"))
    }

    @Test func `replacing leaves the new files only`() throws {
        try publish(scratch, "ad.mp4", report(.interrupted), text: "old")
        let staging = try folder(scratch).stage()
        try staging.write("summary.csv", Array("new".utf8))
        #expect(scratch.text("out/ad.mp4/timeline.csv") == "old", "the old result stays until the publish")
        #expect(try staging.publish(report()) == .published(scratch("out/ad.mp4")))
        #expect(scratch.tree("out") == ["ad.mp4", "ad.mp4/summary.csv", "ad.mp4/run.json"])
    }

    @Test func `overwriting takes the place of other settings`() throws {
        try publish(scratch)
        let other = report(.complete, ["every": 2])
        #expect(
            try publish(scratch, "ad.mp4", other, overwrite: true, text: "new") == .published(scratch("out/ad.mp4")))
        #expect(scratch.text("out/ad.mp4/timeline.csv") == "new")
        #expect(hidden().isEmpty)
    }

    @Test func `an interrupted run does not take a finished result's place`() throws {
        try publish(scratch, "ad.mp4", report(.partial), text: "old")
        let other = report(.interrupted, ["every": 2])
        let publication = try publish(scratch, "ad.mp4", other, overwrite: true, text: "new")
        #expect(publication == .found(scratch("out/ad.mp4"), .partial))
        #expect(scratch.text("out/ad.mp4/timeline.csv") == "old")
        #expect(hidden().isEmpty)
    }

    @Test func `of two that race with the same identity, the second finds the first's result`() throws {
        let first = try folder(scratch).stage()
        let second = try folder(scratch).stage()
        try first.write("timeline.csv", Array("first".utf8))
        try second.write("timeline.csv", Array("second".utf8))
        #expect(try second.publish(report()) == .published(scratch("out/ad.mp4")))
        #expect(try first.publish(report()) == .found(scratch("out/ad.mp4"), .complete))
        #expect(scratch.text("out/ad.mp4/timeline.csv") == "second")
        #expect(hidden().isEmpty)
    }

    @Test func `of two that race with different inputs, the second goes beside the first`() throws {
        let first = try folder(scratch).stage()
        let other = report(input: hex("b"))
        let second = try folder(scratch, "ad.mp4", other).stage()
        #expect(try first.publish(report()) == .published(scratch("out/ad.mp4")))
        #expect(try second.publish(other) == .published(scratch("out/ad.mp4~bbbbbbbb")))
        #expect(hidden().isEmpty)
    }

    @Test func `of two that race with different settings, the second is refused and leaves nothing`() throws {
        let first = try folder(scratch).stage()
        let other = report(.complete, ["every": 2])
        let second = try folder(scratch, "ad.mp4", other).stage()
        #expect(try first.publish(report()) == .published(scratch("out/ad.mp4")))
        let error = try #require(throws: ResultsError.self) { try second.publish(other) }
        #expect(error.exitReason == .cannotCreate)
        #expect(hidden().isEmpty)
    }

    @Test func `many at once in one folder disturb nobody`() async throws {
        let scratch = scratch
        let root = scratch("out")
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for turn in 0..<64 {
                group.addTask {
                    let report = report(input: hex(Character(String(turn % 16, radix: 16))))
                    let folder = ResultFolder(
                        root: root, relative: Array("a/b/ad\(turn % 32).mp4".utf8), identity: report.identity)
                    // The one that comes late is told so at the stage or at the publish; both are good.
                    guard case .new = folder.place(), let staging = try? folder.stage() else { return true }
                    try? staging.write("timeline.csv", [1])
                    return (try? staging.publish(report)) != nil
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.allSatisfy { $0 })
        #expect(hidden().isEmpty)
        for name in 0..<32 { #expect(scratch.text("out/a/b/ad\(name).mp4/run.json") != nil) }
    }

    @Test func `leftovers of a killed process are removed by the next, those in work are not`() throws {
        let working = try folder(scratch, "other.mp4").stage()
        try scratch.file("out/.ad.mp4.emotiond-abcd1234.tmp/frames/1.jpg")
        try scratch.file("out/.mine.tmp/kept")
        try scratch.file("out/.x.emotiond-ABCD1234.tmp", "a file of the user")
        let staging = try folder(scratch).stage()
        #expect(!scratch.tree("out").contains(".ad.mp4.emotiond-abcd1234.tmp"))
        #expect(scratch.tree("out").contains(".mine.tmp/kept"))
        #expect(scratch.tree("out").contains(".x.emotiond-ABCD1234.tmp"))
        #expect(exists(working.path))
        staging.discard()
        #expect(try working.publish(report()) == .published(scratch("out/other.mp4")))
    }

    @Test func `a link among the leftovers is never followed`() throws {
        try scratch.file("precious/file")
        try scratch.folder("out/.ad.mp4.emotiond-abcd1234.tmp")
        try scratch.link("out/.ad.mp4.emotiond-abcd1234.tmp/link", to: "../../precious")
        try scratch.link("out/.ad.mp4.emotiond-zzzz1234.tmp", to: "../precious")
        let staging = try folder(scratch).stage()
        staging.discard()
        #expect(scratch.text("precious/file") != nil)
        #expect(!scratch.tree("out").contains(".ad.mp4.emotiond-abcd1234.tmp"))
    }

    @Test(arguments: [UInt8(ascii: "x"), 0xFF, 0xC3]) func `a name of 255 bytes has room for its helpers`(byte: UInt8)
        throws
    {
        let name = [UInt8](repeating: byte, count: 251) + Array(".mp4".utf8)
        for (input, count) in [("a", 255), ("b", 255)] {
            let report = report(input: hex(Character(input)))
            let folder = ResultFolder(root: scratch("out"), relative: name, identity: report.identity)
            let staging = try folder.stage()
            #expect(PathBytes.lastComponent(staging.path)?.count ?? 256 <= 255)
            guard case .published(let path) = try staging.publish(report) else {
                Issue.record("not published")
                return
            }
            #expect(PathBytes.lastComponent(path)?.count == count && exists(path))
            #expect(folder.place() == .skip(path, .complete))
        }
    }

    @Test func `a long name is cut between characters`() {
        let name = Array(String(repeating: "ü", count: 127).utf8)
        #expect(PathBytes.cut(name, to: 247) == Array(name[..<246]))
        #expect(PathBytes.cut(name, to: 246) == Array(name[..<246]))
        #expect(PathBytes.cut(Array("a😀".utf8), to: 4) == Array("a".utf8))
        #expect(PathBytes.cut(Array("a😀".utf8), to: 5) == Array("a😀".utf8))
        #expect(PathBytes.cut([0x80, 0x80, 0x80, 0x80, 0x80, 0x80], to: 5).count == 5)
        #expect(PathBytes.cut([0x80], to: 0) == [])
    }

    @Test(arguments: [
        Array("with space.mp4".utf8), Array("quote'\".mp4".utf8), Array("%d.mp4".utf8), Array("new\nline.mp4".utf8),
        Array("ünï.mp4".utf8), [0xFF, 0xFE, 0x2E, 0x6D, 0x70, 0x34], Array("-x.mp4".utf8), Array("...".utf8),
    ])
    func `any name gets through to the disk byte for byte`(name: [UInt8]) throws {
        let report = report(name: name)
        let folder = ResultFolder(root: scratch("out"), relative: name, identity: report.identity)
        let staging = try folder.stage()
        try staging.write("timeline.csv", [1])
        let expected = PathBytes.join(scratch("out"), name)
        #expect(try staging.publish(report) == .published(expected))
        #expect(exists(PathBytes.join(expected, Array("timeline.csv".utf8))))
    }

    @Test func `a file is made once, and only inside`() throws {
        let staging = try folder(scratch).stage()
        try staging.write("timeline.csv", [1])
        #expect(throws: ResultsError.self) { try staging.createFile("timeline.csv") }
        #expect(throws: ResultsError.self) { try staging.createFile("missing/x") }
    }

    @Test func `an output folder that is a file is refused`() throws {
        try scratch.file("out")
        let error = try #require(throws: ResultsError.self) { try folder(scratch).stage() }
        #expect(error.exitReason == .cannotCreate)
        #expect("\(error)".contains("out"))
    }

    @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
    func `an output folder without leave to write is an error that says so`() throws {
        try scratch.folder("out")
        chmod(String(decoding: scratch("out"), as: UTF8.self), 0o500)
        let error = try #require(throws: ResultsError.self) { try folder(scratch).stage() }
        #expect(error == .cannotCreate(path: scratch("out/ad.mp4"), code: EACCES))
    }

    @Test func `a read-only file system is an error that says so`() throws {
        let folder = ResultFolder(
            root: Array("/proc/emotiond".utf8), relative: Array("ad.mp4".utf8), identity: report().identity)
        let error = try #require(throws: ResultsError.self) { try folder.stage() }
        #expect(error.exitReason == .cannotCreate)
    }

    @Test func `a relative output folder is made below the working folder`() throws {
        let name = "results-test-\(UUID().uuidString)"
        let folder = ResultFolder(
            root: Array("./\(name)/deep/".utf8), relative: Array("ad.mp4".utf8), identity: report().identity)
        let staging = try folder.stage()
        #expect(exists(Array("\(name)/deep".utf8)))
        staging.discard()
        #expect(!exists(Array(name.utf8)))
    }
}
