import Glibc
import Intake
import Synchronization
import Testing

/// A folder, a loop over it and a clock that only the test moves.
private final class Bench {
    let scratch: Scratch
    var loop: IntakeLoop
    var now = ContinuousClock.now
    /// What the ledger would know.
    var known: [[UInt8]: Fingerprint] = [:]

    init(
        options: IntakeOptions = IntakeOptions(quiet: .seconds(5), scanInterval: .seconds(60)),
        expecting: Set<[UInt8]> = [], probe: WriterProbe = .none
    ) throws {
        scratch = try Scratch()
        try scratch.folder("incoming")
        loop = IntakeLoop(root: scratch("incoming"), options: options, expecting: expecting, probe: probe)
    }

    func round(_ scope: IntakeScope = .everything, after: Duration = .zero) -> IntakeRound {
        now += after
        let known = known
        return loop.round(scope, now: now) { file in
            known[file.path] == file.fingerprint ? .known(reason: "job 1") : .new
        }
    }

    @discardableResult
    func file(_ name: String, _ text: String = "content") throws -> Fingerprint {
        try scratch.file("incoming/" + name, text)
    }

    /// Takes a ready input into the ledger.
    func enqueue(_ round: IntakeRound) { for input in round.ready { known[input.path] = input.fingerprint } }
}

private func names(_ round: IntakeRound) -> [String] {
    round.ready.map { String(decoding: $0.path, as: UTF8.self) }
}

private func verdicts(_ round: IntakeRound) -> [String: String] {
    Dictionary(
        round.sightings.map { (String(decoding: $0.path, as: UTF8.self), $0.verdict.code) },
        uniquingKeysWith: { $0 + "," + $1 })
}

@Suite struct IntakeLoopTests {
    @Test func `a file is sighted, waits, and is ready after the quiet time`() throws {
        let bench = try Bench()
        let fingerprint = try bench.file("sub/a.mp4")
        let first = bench.round()
        #expect(first.ready.isEmpty)
        #expect(
            first.sightings == [
                Sighting(path: bytes("sub/a.mp4"), fingerprint: fingerprint, verdict: .waiting(.newlySeen))
            ])
        #expect(first.nextRound == bench.now + .seconds(5))
        let second = bench.round(.pending, after: .seconds(5))
        #expect(second.ready == [ReadyInput(path: bytes("sub/a.mp4"), fingerprint: fingerprint, priority: 0)])
        #expect(verdicts(second) == ["sub/a.mp4": "ready"])
        #expect(!second.wasFull)
        #expect(second.nextRound == bench.now + .seconds(55), "the next full scan")
    }

    @Test func `a ready file is named until the caller knows it, and sighted once for each verdict`() throws {
        let bench = try Bench()
        try bench.file("a.mp4")
        _ = bench.round()
        let ready = bench.round(after: .seconds(5))
        let again = bench.round(.pending, after: .seconds(1))
        #expect(again.ready == ready.ready)
        #expect(again.sightings.isEmpty)
        bench.enqueue(again)
        let known = bench.round(.pending)
        #expect(known.ready.isEmpty)
        #expect(known.sightings.map(\.verdict) == [.known("job 1")])
        #expect(bench.round().sightings.isEmpty)
    }

    @Test func `a growing file waits without a sighting for every byte`() throws {
        let bench = try Bench()
        try bench.file("a.mp4")
        _ = bench.round()
        var told: [Verdict] = []
        for _ in 0..<5 {
            try bench.scratch.append("more", to: "incoming/a.mp4")
            let round = bench.round(.pending, after: .seconds(4))
            #expect(round.ready.isEmpty)
            told += round.sightings.map(\.verdict)
        }
        #expect(told == [.waiting(.stillGrowing)])
        #expect(names(bench.round(.pending, after: .seconds(5))) == ["a.mp4"])
    }

    @Test func `a known file that changes is a new input`() throws {
        let bench = try Bench()
        try bench.file("a.mp4")
        _ = bench.round()
        bench.enqueue(bench.round(after: .seconds(5)))
        #expect(bench.round().ready.isEmpty)
        try bench.scratch.append("more", to: "incoming/a.mp4")
        #expect(verdicts(bench.round()) == ["a.mp4": "waiting"])
        #expect(names(bench.round(after: .seconds(5))) == ["a.mp4"])
    }

    @Test func `a writer holds a file back, by name`() throws {
        let writers = Mutex<[[UInt8]: WriterProbe.Writer]>([bytes("a.mp4"): .init(pid: 7)])
        let probe = WriterProbe { _, _ in writers.withLock(\.self) }
        let bench = try Bench(probe: probe)
        try bench.file("a.mp4")
        _ = bench.round()
        let held = bench.round(after: .seconds(5))
        #expect(held.ready.isEmpty)
        #expect(held.sightings.map(\.verdict.reason) == ["open for writing by pid 7"])
        #expect(held.nextRound == bench.now + .seconds(5))
        writers.withLock { $0 = [:] }
        #expect(names(bench.round(.pending, after: .seconds(5))) == ["a.mp4"])
    }

    @Test func `an event's folder is looked at without the rest`() throws {
        let bench = try Bench()
        _ = bench.round()
        try bench.file("a.mp4")
        try bench.file("x/b.mp4")
        try bench.file("x/y/c.mp4")
        let folder = bench.round(.parts(folders: [bytes("x")], trees: []), after: .seconds(1))
        #expect(verdicts(folder) == ["x/b.mp4": "waiting"])
        let tree = bench.round(.parts(folders: [[]], trees: [bytes("x/y")]))
        #expect(verdicts(tree) == ["a.mp4": "waiting", "x/y/c.mp4": "waiting"])
        #expect(!tree.wasFull)
    }

    @Test func `a full scan comes when it is due, whatever is asked`() throws {
        let bench = try Bench()
        #expect(bench.round(.pending).wasFull, "the first is one")
        try bench.file("missed.mp4")
        #expect(bench.round(.pending, after: .seconds(59)).sightings.isEmpty)
        let due = bench.round(.pending, after: .seconds(1))
        #expect(due.wasFull)
        #expect(verdicts(due) == ["missed.mp4": "waiting"])
    }

    @Test func `sub-folders have priorities, and older files go first`() throws {
        let rules = try PriorityRules([("urgent/never", -5), ("urgent", 10), ("*/live", 5), ("archive/", -1)])
        let bench = try Bench(options: IntakeOptions(quiet: .zero, priorities: rules))
        for (name, time) in [
            ("b.mp4", 2), ("a.mp4", 1), ("archive/old/x.mp4", 0), ("urgent/u.mp4", 9),
            ("urgent/never/n.mp4", 0), ("cam/live/l.mp4", 9),
        ] as [(String, Int64)] {
            try bench.scratch.file("incoming/" + name, mtime: 1_000_000_000_000_000_000 + time)
        }
        let round = bench.round()
        #expect(
            names(round) == [
                "urgent/u.mp4", "cam/live/l.mp4", "a.mp4", "b.mp4", "archive/old/x.mp4",
                "urgent/never/n.mp4",
            ])
        #expect(round.ready.map(\.priority) == [10, 5, 0, 0, -1, -5])
        #expect(throws: IntakeError.self) { try PriorityRules([("", 1)]) }
    }

    @Test func `ignored names are told once, with the reason`() throws {
        let bench = try Bench(options: IntakeOptions(quiet: .zero, maxFileBytes: 10))
        try bench.file("a.part")
        try bench.file("big.mp4", "more than ten bytes")
        try bench.scratch.link("incoming/link.mp4", to: "/etc/passwd")
        let first = bench.round()
        #expect(verdicts(first) == ["a.part": "ignored", "big.mp4": "ignored", "link.mp4": "ignored"])
        #expect(first.sightings.allSatisfy { !$0.verdict.reason.isEmpty })
        #expect(bench.round().sightings.isEmpty)
        try bench.scratch.move("incoming/a.part", to: "incoming/a.mp4")
        #expect(names(bench.round()) == ["a.mp4"])
    }

    @Test func `a removed file is gone, one that was taken away by the caller is no news`() throws {
        let bench = try Bench()
        for name in ["a.mp4", "b.mp4", "c.mp4"] { try bench.file(name) }
        _ = bench.round()
        bench.scratch.remove("incoming/a.mp4")
        bench.scratch.remove("incoming/b.mp4")
        bench.loop.tookAway(bytes("b.mp4"))
        let round = bench.round(.pending, after: .seconds(1))
        #expect(round.wasFull, "a file that waits and is not there needs a look at everything")
        #expect(verdicts(round) == ["a.mp4": "gone"])
        #expect(round.fileCount == 1)
    }

    @Test func `changed options hold from the next round on`() throws {
        let bench = try Bench()
        try bench.file("a.mp4")
        try bench.file("b.log")
        _ = bench.round()
        bench.loop.options.quiet = .zero
        bench.loop.options.ignore = try IgnoreRules(patterns: ["*.log"])
        let round = bench.round(.pending)
        #expect(round.wasFull)
        #expect(names(round) == ["a.mp4"])
        #expect(verdicts(round) == ["a.mp4": "ready", "b.log": "ignored"])
    }

    @Test func `every hostile name comes through`() throws {
        let bench = try Bench(options: IntakeOptions(quiet: .zero))
        for name in hostileNames { try bench.scratch.file(bytes("incoming/") + name) }
        #expect(Set(bench.round().ready.map(\.path)) == Set(hostileNames))
    }

    @Test func `ten thousand known files are one round without a sighting to spare`() throws {
        let bench = try Bench()
        for i in 0..<10_000 {
            let name = "d\(i % 50)/f\(i).jpg"
            bench.known[bytes(name)] = try bench.file(name, "")
        }
        let first = bench.round()
        #expect(first.ready.isEmpty)
        #expect(first.fileCount == 10_000)
        #expect(bench.round().sightings.isEmpty)
    }
}

@Suite struct VanishedMountTests {
    @Test func `a root that is removed and made again is no deletion, and is taken up again`() throws {
        let bench = try Bench()
        try bench.file("a.mp4")
        _ = bench.round()
        try bench.scratch.move("incoming", to: "away")
        let vanished = bench.round(.pending, after: .seconds(5))
        #expect(!vanished.root.isPresent)
        #expect(vanished.ready.isEmpty)
        #expect(vanished.sightings.isEmpty)
        try bench.scratch.folder("incoming")
        #expect(!bench.round().root.isPresent, "empty, after it was full")
        try bench.file("new.mp4")
        let back = bench.round()
        #expect(back.root == .present)
        #expect(verdicts(back) == ["new.mp4": "waiting", "a.mp4": "gone"])
    }

    @Test func `files that come back with their mount go on where they were`() throws {
        let bench = try Bench()
        try bench.file("a.mp4")
        bench.enqueue(bench.round())
        _ = bench.round(after: .seconds(5))
        try bench.scratch.move("incoming", to: "away")
        #expect(!bench.round().root.isPresent)
        try bench.scratch.move("away", to: "incoming")
        let back = bench.round()
        #expect(back.root == .present)
        #expect(back.sightings.isEmpty)
        #expect(names(back) == ["a.mp4"])
    }

    @Test func `after a start the ledger's inputs are expected`() throws {
        let bench = try Bench(expecting: [bytes("queued.mp4")])
        let round = bench.round()
        guard case .mountVanished(let reason) = round.root else {
            Issue.record("present")
            return
        }
        #expect(reason.contains("1 file was in it"))
        try bench.file("other.mp4")
        #expect(verdicts(bench.round()) == ["other.mp4": "waiting", "queued.mp4": "gone"])
    }

    @Test func `while the root is empty a partial look does not take it for present`() throws {
        let bench = try Bench()
        bench.known[bytes("a.mp4")] = try bench.file("a.mp4")
        _ = bench.round()
        bench.scratch.remove("incoming/a.mp4")
        #expect(!bench.round().root.isPresent)
        #expect(!bench.round(.pending, after: .seconds(1)).root.isPresent)
        #expect(!bench.round(.parts(folders: [[]], trees: []), after: .seconds(1)).root.isPresent)
    }

    @Test func `a folder that the service emptied itself is present`() throws {
        let bench = try Bench()
        try bench.file("a.mp4")
        _ = bench.round()
        bench.scratch.remove("incoming/a.mp4")
        bench.loop.tookAway(bytes("a.mp4"))
        #expect(bench.round().root == .present)
    }

    @Test(.enabled(if: hasSecondFileSystem, "needs /tmp and /dev/shm on two file systems"))
    func `another device in the root's place is a vanished mount, until the first is back`() throws {
        let bench = try Bench()
        try bench.file("a.mp4")
        _ = bench.round()
        let other = try Scratch(in: "/dev/shm")
        try other.file("stray.mp4")
        try bench.scratch.move("incoming", to: "away")
        // The operator's path may lead through a link; its target changes as a mount would.
        try bench.scratch.link("incoming", to: String(decoding: other.path, as: UTF8.self))
        let vanished = bench.round(.pending, after: .seconds(1))
        #expect(!vanished.root.isPresent)
        #expect(vanished.sightings.isEmpty)
        bench.scratch.remove("incoming")
        try bench.scratch.move("away", to: "incoming")
        #expect(bench.round().root == .present)
    }
}
