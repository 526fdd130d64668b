// Publishing where somebody may still say no, and making a finished result anew.

import Results
import Testing

@Suite struct WithdrawalTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    @Test func `a withdrawn result is not published and leaves nothing`() throws {
        let staging = try folder(scratch).stage()
        try staging.write("timeline.csv", [1])
        #expect(throws: ResultsError.withdrawn(path: scratch("out/ad.mp4"))) {
            try staging.publish(report(), if: { false })
        }
        #expect(scratch.tree().isEmpty)
    }

    @Test func `a withdrawn replacement leaves the old result`() throws {
        try publish(scratch, "ad.mp4", report(.interrupted), text: "old")
        let staging = try folder(scratch).stage()
        #expect(throws: ResultsError.withdrawn(path: scratch("out/ad.mp4"))) {
            try staging.publish(report(), if: { false })
        }
        #expect(scratch.text("out/ad.mp4/timeline.csv") == "old")
        #expect(scratch.tree("out") == ["ad.mp4", "ad.mp4/timeline.csv", "ad.mp4/run.json"])
    }

    @Test func `the question is asked while nothing is visible yet`() throws {
        let staging = try folder(scratch).stage()
        var visible: Bool?
        _ = try staging.publish(
            report(),
            if: {
                visible = exists(scratch("out/ad.mp4"))
                return true
            })
        #expect(visible == false)
        #expect(exists(scratch("out/ad.mp4/run.json")))
    }

    @Test func `the same result is made anew where that is asked for`() throws {
        try publish(scratch, text: "old")
        let again = ResultFolder(
            root: scratch("out"), relative: Array("ad.mp4".utf8), identity: report().identity, replacesSame: true)
        #expect(again.place() == .overwrite(scratch("out/ad.mp4"), .complete))
        let staging = try again.stage()
        try staging.write("timeline.csv", Array("new".utf8))
        #expect(try staging.publish(report()) == .published(scratch("out/ad.mp4")))
        #expect(scratch.text("out/ad.mp4/timeline.csv") == "new")
        #expect(scratch.tree("out") == ["ad.mp4", "ad.mp4/timeline.csv", "ad.mp4/run.json"])
    }

    @Test func `a work folder has one holder at a time, and goes with it when empty`() throws {
        let path = scratch("work-7")
        let first = try #require(try WorkLock(folder: path))
        #expect(try WorkLock(folder: path) == nil)
        first.release()
        #expect(!exists(path))
        let second = try #require(try WorkLock(folder: path))
        try scratch.file("work-7/checkpoint.json", "{}")
        second.release()
        #expect(exists(path), "what an unfinished run left stays")
        #expect(try WorkLock(folder: path) != nil)
    }
}
