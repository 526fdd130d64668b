import Intake
import Testing

@Suite struct RetentionTests {
    private let day: Int64 = 86_400_000_000_000

    private func result(_ name: String, _ size: UInt64, day number: Int64) -> StoredResult {
        StoredResult(path: bytes(name), bytes: size, publishedNanoseconds: number * day)
    }

    private var results: [StoredResult] { [result("c", 10, day: 3), result("a", 10, day: 1), result("b", 10, day: 2)] }

    private func names(_ victims: [StoredResult]) -> [String] {
        victims.map { String(decoding: $0.path, as: UTF8.self) }
    }

    @Test func `by default everything stays`() {
        let retention = Retention(maxAge: nil, maxTotalBytes: nil)
        #expect(retention.victims(of: results, nowNanoseconds: 1_000 * day).isEmpty)
    }

    @Test func `what is older than the age goes, oldest first`() {
        let retention = Retention(maxAge: .seconds(86_400), maxTotalBytes: nil)
        #expect(names(retention.victims(of: results, nowNanoseconds: 3 * day + 1)) == ["a", "b"])
        #expect(names(retention.victims(of: results, nowNanoseconds: 3 * day)) == ["a"])
    }

    @Test func `results of the future stay`() {
        let retention = Retention(maxAge: .seconds(1), maxTotalBytes: nil)
        #expect(retention.victims(of: results, nowNanoseconds: 0).isEmpty)
        #expect(retention.victims(of: results, nowNanoseconds: .min).isEmpty)
    }

    @Test func `the oldest go until the rest fits`() {
        #expect(names(Retention(maxAge: nil, maxTotalBytes: 10).victims(of: results, nowNanoseconds: 0)) == ["a", "b"])
        #expect(names(Retention(maxAge: nil, maxTotalBytes: 29).victims(of: results, nowNanoseconds: 0)) == ["a"])
        #expect(Retention(maxAge: nil, maxTotalBytes: 30).victims(of: results, nowNanoseconds: 0).isEmpty)
    }

    @Test func `kept results stay, and others go for their room`() {
        let retention = Retention(maxAge: .seconds(1), maxTotalBytes: 10)
        let victims = retention.victims(of: results, nowNanoseconds: 100 * day, keeping: [bytes("a")])
        #expect(names(victims) == ["b", "c"])
    }

    @Test func `sizes that no disk has do not overflow`() {
        let huge = [result("a", .max, day: 1), result("b", .max, day: 2)]
        #expect(names(Retention(maxAge: nil, maxTotalBytes: 5).victims(of: huge, nowNanoseconds: 0)).first == "a")
    }
}

@Suite struct ResultStoreTests {
    private let scratch: Scratch
    private var store: ResultStore { ResultStore(root: scratch.path) }
    init() throws { scratch = try Scratch() }

    @Test func `every folder with a report is a result, with its size and time`() throws {
        try scratch.file("a.mp4/run.json", "12", mtime: 5_000_000_000)
        try scratch.file("a.mp4/frames/1.jpg", "345")
        try scratch.file("streams/cam/2026-01-01/120000Z/run.json", "1")
        try scratch.file("streams/cam/2026-01-01/events.jsonl")
        try scratch.file("half/timeline.csv")
        try scratch.file(".b.mp4.emotiond-abcdefgh.tmp/run.json")
        let results = try store.list()
        #expect(results.map(\.path) == [bytes("a.mp4"), bytes("streams/cam/2026-01-01/120000Z")])
        #expect(results.first == StoredResult(path: bytes("a.mp4"), bytes: 5, publishedNanoseconds: 5_000_000_000))
    }

    @Test func `a removed result takes its empty folders with it, and nothing else`() throws {
        try scratch.file("x/y/a.mp4/run.json")
        try scratch.file("x/b.mp4/run.json")
        #expect(try store.remove(bytes("x/y/a.mp4")))
        #expect(scratch.tree() == ["x/", "x/b.mp4/", "x/b.mp4/run.json"])
        #expect(try !store.remove(bytes("x/y/a.mp4")))
        #expect(try store.remove(bytes("x/b.mp4")))
        #expect(scratch.tree().isEmpty)
    }

    @Test func `links are removed, not followed`() throws {
        let outside = try Scratch()
        try outside.file("keep.txt")
        try scratch.file("a.mp4/run.json")
        try scratch.link("a.mp4/out", to: String(decoding: outside.path, as: UTF8.self))
        try scratch.link("elsewhere", to: String(decoding: outside.path, as: UTF8.self))
        #expect(try store.remove(bytes("a.mp4")))
        #expect(throws: IntakeError.self) { try store.remove(bytes("elsewhere/keep.txt")) }
        #expect(outside.tree() == ["keep.txt"])
    }

    @Test(arguments: ["", "..", "a/../..", ".", "./.", ".emotiond-trash"])
    func `paths that are no result are refused`(path: String) throws {
        try scratch.file("a/run.json")
        #expect(throws: IntakeError.self) { try store.remove(bytes(path)) }
        #expect(scratch.tree() == ["a/", "a/run.json"])
    }

    @Test func `what a killed process had put out of sight is swept`() throws {
        try scratch.file(".emotiond-trash/xyz/run.json")
        #expect(try store.list().isEmpty)
        try store.sweep()
        try store.sweep()
        #expect(scratch.tree().isEmpty)
    }

    @Test func `a store that is not there is empty`() throws {
        let store = ResultStore(root: scratch("missing"))
        #expect(try store.list().isEmpty)
        #expect(try !store.remove(bytes("a")))
        try store.sweep()
    }
}
