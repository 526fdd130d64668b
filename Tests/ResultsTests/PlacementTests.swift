import Foundation
import Results
import Testing

@Suite struct PlacementTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    @Test func `a free place is new, and looking makes nothing`() {
        #expect(folder(scratch).place() == .new(scratch("out/ad.mp4")))
        #expect(folder(scratch, "a/b/ad.mp4").place() == .new(scratch("out/a/b/ad.mp4")))
        #expect(scratch.tree().isEmpty)
    }

    @Test(arguments: [RunReport.Status.complete, .partial])
    func `the same input with the same settings is skipped, with or without overwrite`(status: RunReport.Status) throws
    {
        try publish(scratch, "ad.mp4", report(status))
        #expect(folder(scratch).place() == .skip(scratch("out/ad.mp4"), status))
        #expect(folder(scratch, overwrite: true).place() == .skip(scratch("out/ad.mp4"), status))
        #expect(throws: ResultsError.self) { try folder(scratch).stage() }
    }

    @Test func `an interrupted result of the same identity is replaced`() throws {
        try publish(scratch, "ad.mp4", report(.interrupted))
        #expect(folder(scratch).place() == .replaceInterrupted(scratch("out/ad.mp4")))
    }

    @Test(arguments: [RunReport.Status.complete, .partial, .interrupted])
    func `other settings are refused without overwrite`(status: RunReport.Status) throws {
        try publish(scratch, "ad.mp4", report(status))
        let other = report(.complete, ["every": 2])
        guard case .refused(scratch("out/ad.mp4"), let reason) = folder(scratch, "ad.mp4", other).place() else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("--overwrite"))
        let place = folder(scratch, "ad.mp4", other, overwrite: true).place()
        #expect(place == .overwrite(scratch("out/ad.mp4"), status))
    }

    @Test(arguments: [false, true])
    func `another input of the same name gets eight digits of its hash, and never the other's place`(
        overwrite: Bool
    ) throws {
        try publish(scratch, "a/ad.mp4", report(input: hex("a")))
        let second = report(input: "0123456789" + hex("b").dropFirst(10))
        let expected = scratch("out/a/ad.mp4~01234567")
        #expect(folder(scratch, "a/ad.mp4", second, overwrite: overwrite).place() == .new(expected))
        #expect(try publish(scratch, "a/ad.mp4", second, overwrite: overwrite) == .published(expected))
        #expect(folder(scratch, "a/ad.mp4", second).place() == .skip(expected, .complete))

        let sameDigits = report(input: "0123456789" + hex("c").dropFirst(10))
        guard case .refused(expected, _) = folder(scratch, "a/ad.mp4", sameDigits, overwrite: overwrite).place() else {
            Issue.record("the third input took the second's place")
            return
        }
    }

    @Test func `a file, a strange folder or a damaged run.json in the way is refused, overwrite or not`() throws {
        try scratch.file("out/file.mp4", "mine")
        try scratch.file("out/folder.mp4/photo.jpg")
        try scratch.folder("out/empty.mp4")
        try scratch.file("out/broken.mp4/run.json", "{")
        try scratch.file("out/foreign.mp4/run.json", "{\"name\": \"another program\"}")
        try scratch.folder("out/deep.mp4/run.json")
        try scratch.link("out/link.mp4", to: "../elsewhere")
        let names = ["file.mp4", "folder.mp4", "empty.mp4", "broken.mp4", "foreign.mp4", "deep.mp4", "link.mp4"]
        for name in names {
            guard case .refused = folder(scratch, name, overwrite: true).place() else {
                Issue.record("\(name) is not refused")
                continue
            }
            #expect(throws: ResultsError.self, "\(name)") { try folder(scratch, name, overwrite: true).stage() }
        }
        #expect(scratch.text("out/file.mp4") == "mine")
    }

    @Test func `a place inside another result is refused`() throws {
        try publish(scratch, "a")
        guard case .refused = folder(scratch, "a/b.mp4").place() else {
            Issue.record("not refused")
            return
        }
        let inside = ResultFolder(
            root: scratch("out/a"), relative: Array("b.mp4".utf8), identity: report().identity)
        guard case .refused = inside.place() else {
            Issue.record("not refused where the root is a result")
            return
        }
    }

    @Test(arguments: ["../x.mp4", "a/../../x.mp4", "..", "a/..", "", "/", ".", "./.", "a\0b"])
    func `what would leave the output folder or has no name is refused`(relative: String) {
        guard case .refused = folder(scratch, relative).place() else {
            Issue.record("not refused")
            return
        }
        #expect(throws: ResultsError.self) { try folder(scratch, relative).stage() }
        #expect(scratch.tree().isEmpty)
    }

    @Test func `an absolute input path lands below the output folder`() throws {
        #expect(folder(scratch, "/etc//x.mp4/").place() == .new(scratch("out/etc/x.mp4")))
        #expect(try publish(scratch, "//tmp/./x.mp4") == .published(scratch("out/tmp/x.mp4")))
    }

    @Test func `a link below the output folder is not followed`() throws {
        try scratch.folder("elsewhere")
        try scratch.folder("out")
        try scratch.link("out/a", to: "../elsewhere")
        guard case .refused = folder(scratch, "a/x.mp4").place() else {
            Issue.record("not refused")
            return
        }
        #expect(throws: ResultsError.self) { try folder(scratch, "a/x.mp4").stage() }
        #expect(scratch.tree("elsewhere").isEmpty)
    }

    @Test func `the output folder itself may be a link`() throws {
        try scratch.folder("elsewhere")
        try scratch.link("out", to: "elsewhere")
        try publish(scratch)
        #expect(scratch.tree("elsewhere").contains("ad.mp4/run.json"))
    }

    @Test func `an input named like an unfinished result is refused, or it would be removed as one`() {
        guard case .refused(_, let reason) = folder(scratch, ".x.mp4.emotiond-abcd1234.tmp").place() else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("rename"))
    }
}
