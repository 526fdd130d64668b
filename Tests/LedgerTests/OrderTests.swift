// What people order: cancel, retry, purge; and lists for them.

import Foundation
import Ledger
import Testing

@Test func `a queued job is cancelled at once, a running one when its worker lets go`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a"), input("b")])
    let running = try #require(await ledger.takeNext(worker: 42))
    #expect(try await ledger.cancel(2, who: "me") == .cancelled)
    #expect(try await ledger.cancel(1, who: "me") == .asked(running.token, worker: 42))
    #expect(try await ledger.job(1)?.cancelRequested == true)
    #expect(try await ledger.cancelled(running.token))
    #expect(try await ledger.cancel(1, who: "me") == .tooLate(.cancelled))
    #expect(try await ledger.cancel(9, who: "me") == .unknown)
    #expect(try await ledger.counts().states[.cancelled] == 2)
    #expect(try await ledger.auditEntries().map(\.what) == ["job 1", "job 2"])
}

@Test func `a cancel survives the end of the service`() async throws {
    let folder = try StateFolder()
    var ledger: Ledger? = try folder.ledger()
    _ = try await ledger?.enqueue([input("a")])
    _ = try await ledger?.takeNext()
    _ = try await ledger?.cancel(1, who: "me")
    ledger = nil
    let next = try folder.ledger()
    #expect(try await next.requeueRunning().map(\.state) == [.cancelled])
}

@Test func `a cancel also holds where the run ends by itself without a result`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a")])
    let job = try #require(await ledger.takeNext())
    _ = try await ledger.cancel(1, who: "me")
    #expect(try await ledger.retryLater(job.token, notBefore: nil, reason: "stopped", counts: false))
    #expect(try await ledger.job(1)?.state == .cancelled)
}

@Test func `a result that was published before the cancel counts`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a")])
    let job = try #require(await ledger.takeNext())
    _ = try await ledger.cancel(1, who: "me")
    #expect(try await ledger.finish(job.token, .complete("a")))
    let done = try #require(await ledger.job(1))
    #expect(done.state == .done && !done.cancelRequested)
}

@Test func `a retry asked for by a person has all attempts again and replaces the result`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a")])
    let job = try #require(await ledger.takeNext())
    #expect(try await ledger.retry(1, who: "me") == nil)
    _ = try await ledger.fail(job.token, exitCode: 65, reason: "no media", log: ["last words"])
    let failed = try #require(await ledger.job(1))
    #expect(failed.state == .failed && failed.failures == 1 && failed.exitCode == 65 && failed.log == ["last words"])
    let again = try #require(await ledger.retry(1, who: "me"))
    #expect(again.state == .queued && again.failures == 0 && again.replaces && again.reason == nil && again.log == [])
    #expect(try await ledger.takeNext()?.attempt == 2)
    #expect(try await ledger.retry(77, who: "me") == nil)
}

@Test func `where an input lies is kept`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a"), input("b")])
    try await ledger.setPlaced(1, bytes("done/a"))
    #expect(try await ledger.job(1)?.placedAt == bytes("done/a"))
    #expect(Set(try await ledger.knownInputs().keys) == [bytes("b")])
    #expect(try await ledger.knownInputs(everything: true).count == 2)
    let moved = Ledger.Fingerprint(sizeBytes: 1, mtimeNanoseconds: 1, inode: 1)
    #expect(try await ledger.setFingerprint(1, moved))
    #expect(try await ledger.job(1)?.fingerprint == moved)
    _ = try await ledger.enqueue([input("a", inode: 5)])
    #expect(try await ledger.setFingerprint(3, moved) == false)
}

@Test func `a purge takes a path, or all below a folder, and nothing beside it`() async throws {
    let ledger = try StateFolder().ledger()
    let names = ["a", "a/b", "a/c/d", "ab", "a-b", "b"]
    _ = try await ledger.enqueue(names.map { input($0) })
    try await ledger.see(names.map { .init(path: bytes($0), fingerprint: nil, verdict: "ready", reason: "still") })
    let running = try #require(await ledger.takeNext())
    let purged = try await ledger.purge(bytes("a"), who: "root")
    #expect(purged.running.map(\.id) == [running.id])
    #expect(purged.jobs.map(\.path) == [bytes("a/b"), bytes("a/c/d")])
    #expect(try await ledger.jobs().jobs.map(\.path).reversed() == ["a", "ab", "a-b", "b"].map(bytes))
    #expect(try await ledger.why(bytes("a/b")).events == [])
    #expect(try await ledger.auditEntries().first?.what == "'a', 2 jobs")
    #expect(try await ledger.verify().problems == [])
}

@Test func `a purge tells whose results were the purged ones`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a"), input("b")])
    let a = try #require(await ledger.takeNext()), b = try #require(await ledger.takeNext())
    _ = try await ledger.finish(a.token, .complete("a"))
    var skipped = Ledger.JobResult.complete("a")
    skipped.status = .skipped
    skipped.answeredBy = a.id
    _ = try await ledger.finish(b.token, skipped)
    #expect(try await ledger.purge(bytes("a"), who: "me").bereft.map(\.id) == [b.id])
    #expect(try await ledger.verify().problems == [])
}

@Test func `lists come newest first, in pages, by state and by folder`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue((1...25).map { input($0 % 2 == 0 ? "even/\($0)" : "odd/\($0)") })
    let first = try await ledger.jobs(.init(limit: 10))
    #expect(first.jobs.map(\.id) == Array((16...25).reversed()) && first.next == 16)
    let second = try await ledger.jobs(.init(before: first.next, limit: 10))
    let third = try await ledger.jobs(.init(before: second.next, limit: 10))
    #expect(third.jobs.map(\.id) == [5, 4, 3, 2, 1] && third.next == nil)
    #expect(try await ledger.jobs(.init(under: bytes("even"))).jobs.count == 12)
    #expect(try await ledger.jobs(.init(under: [])).jobs.count == 25)
    _ = try await ledger.takeNext()
    #expect(try await ledger.jobs(.init(states: [.running, .failed])).jobs.map(\.id) == [1])
    #expect(try await ledger.counts().states == [.queued: 24, .running: 1, .done: 0, .failed: 0, .cancelled: 0])
}

@Test func `a stream's numbers never go back`() async throws {
    let ledger = try StateFolder().ledger()
    var stream = Ledger.Stream(
        name: "hall", originMicroseconds: 5, nextFrame: 100, lastFaceID: 7, lastTimestampMicroseconds: 9, state: "live")
    try await ledger.save(stream)
    stream.nextFrame = 90
    stream.lastFaceID = 8
    stream.originMicroseconds = 6
    stream.state = "lost"
    try await ledger.save(stream)
    let kept = try #require(await ledger.stream("hall"))
    #expect(kept.nextFrame == 100 && kept.lastFaceID == 8 && kept.originMicroseconds == 5 && kept.state == "lost")
    #expect(try await ledger.forgetStream("hall", who: "me"))
    #expect(try await ledger.forgetStream("hall", who: "me") == false)
    #expect(try await ledger.streams() == [])
}
