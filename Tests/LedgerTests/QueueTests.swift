// The way of a job through the ledger.

import Foundation
import Ledger
import Testing

@Test func `a file is queued once, however often it is seen`() async throws {
    let folder = try StateFolder()
    let ledger = try folder.ledger()
    let first = try await ledger.enqueue([input("a.mp4"), input("b.mp4")])
    #expect(first.map(\.job.id) == [1, 2])
    let again = try await ledger.enqueue([input("b.mp4"), input("c.mp4"), input("c.mp4")])
    #expect(again.map(\.job.id) == [2, 3, 3])
    guard case .known = again[0], case .queued = again[1], case .known = again[2] else {
        Issue.record("\(again)")
        return
    }
}

@Test func `a file that was replaced is another input`() async throws {
    let ledger = try StateFolder().ledger()
    let jobs = try await ledger.enqueue([input("a.mp4", inode: 1), input("a.mp4", inode: 2)]).map(\.job)
    #expect(jobs.map(\.id) == [1, 2])
    let found = try await ledger.job(of: bytes("a.mp4"), jobs[1].fingerprint)
    #expect(found?.id == 2)
}

@Test func `jobs are taken by priority, then in their order`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([
        input("a"), input("b", priority: 5), input("c", priority: -1), input("d", priority: 5),
    ])
    var order: [Int64] = []
    while let job = try await ledger.takeNext(worker: 7) {
        #expect(job.state == .running && job.attempt == 1 && job.worker == 7)
        order.append(job.id)
    }
    #expect(order == [2, 4, 1, 3])
}

@Test func `two jobs of one path never run at once`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a", inode: 1), input("a", inode: 2)])
    let first = try #require(await ledger.takeNext())
    #expect(try await ledger.takeNext() == nil)
    #expect(try await ledger.fail(first.token, exitCode: 66, reason: "gone"))
    #expect(try await ledger.takeNext()?.id == 2)
}

@Test func `a job that failed for the moment pauses`() async throws {
    let clock = HandClock()
    let ledger = try StateFolder().ledger(clock)
    _ = try await ledger.enqueue([input("a")])
    let job = try #require(await ledger.takeNext())
    let due = clock.now.addingTimeInterval(30)
    #expect(try await ledger.retryLater(job.token, notBefore: due, exitCode: 74, reason: "I/O error", log: ["x", "y"]))
    #expect(try await ledger.takeNext() == nil)
    #expect(try await ledger.nextDue() == due)
    let waiting = try #require(await ledger.job(1))
    #expect(waiting.failures == 1 && waiting.log == ["x", "y"] && waiting.notBefore == due)
    clock.advance(30)
    #expect(try await ledger.takeNext()?.attempt == 2)
}

@Test func `a clock that is set back does not hold a job for ever`() async throws {
    let clock = HandClock()
    let ledger = try StateFolder().ledger(clock)
    _ = try await ledger.enqueue([input("a")])
    let job = try #require(await ledger.takeNext())
    _ = try await ledger.retryLater(job.token, notBefore: clock.now.addingTimeInterval(30), reason: "later")
    clock.advance(-86400 * 365)
    #expect(try await ledger.takeNext()?.id == job.id)
}

@Test func `what came to nothing through no fault of the job costs no attempt, but is another run`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a")])
    let first = try #require(await ledger.takeNext())
    #expect(try await ledger.retryLater(first.token, notBefore: nil, reason: "disk full", counts: false))
    let second = try #require(await ledger.takeNext())
    #expect(second.failures == 0 && second.attempt == 2)
    // The first worker was only slow: what it says now is about a run that is over.
    #expect(try await ledger.finish(first.token, .complete("a")) == false)
    #expect(try await ledger.fail(first.token, exitCode: 70, reason: "late") == false)
    #expect(try await ledger.identify(first.token, sha256: "x", settingsHash: nil) == false)
    #expect(try await ledger.setWorker(first.token, pid: 1) == false)
    #expect(try await ledger.cancelled(first.token) == false)
    #expect(try await ledger.finish(second.token, .complete("a")))
    #expect(try await ledger.finish(second.token, .complete("a")) == false)
    let done = try #require(await ledger.job(1))
    #expect(done.state == .done && done.result == bytes("a") && done.resultStatus == .complete && done.worker == nil)
}

@Test func `at a start what ran waits again`() async throws {
    let folder = try StateFolder()
    var ledger: Ledger? = try folder.ledger()
    _ = try await ledger?.enqueue([input("a"), input("b")])
    let old = try #require(await ledger?.takeNext())
    ledger = nil
    let next = try folder.ledger()
    let again = try await next.requeueRunning()
    #expect(again.map(\.id) == [1] && again[0].state == .queued && again[0].failures == 0)
    #expect(try await next.finish(old.token, .complete("a")) == false)
    #expect(try await next.takeNext()?.attempt == 2)
}

@Test func `a result is written down though the task was cancelled`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a")])
    let job = try #require(await ledger.takeNext())
    let finishing = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await ledger.finish(job.token, .complete("a"))
    }
    #expect(try await finishing.value)
    #expect(try await ledger.job(1)?.state == .done)
}

@Test func `the same content is found, and only where a result answers for it`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a"), input("b"), input("c")])
    let a = try #require(await ledger.takeNext()), b = try #require(await ledger.takeNext())
    #expect(try await ledger.done(sha256: "abc", settingsHash: "def", except: b.id) == nil)
    _ = try await ledger.finish(a.token, .complete("a"))
    let answer = try #require(await ledger.done(sha256: "abc", settingsHash: "def", except: b.id))
    #expect(answer.id == a.id)
    #expect(try await ledger.done(sha256: "abc", settingsHash: "other", except: b.id) == nil)
    #expect(try await ledger.done(sha256: "abc", settingsHash: "def", except: a.id) == nil)
    var skipped = Ledger.JobResult.complete("a")
    skipped.status = .skipped
    skipped.answeredBy = a.id
    _ = try await ledger.finish(b.token, skipped)
    #expect(try await ledger.done(sha256: "abc", settingsHash: "def", except: 99)?.id == a.id)
    try await ledger.forgetResult(a.id, who: "retention")
    #expect(try await ledger.done(sha256: "abc", settingsHash: "def", except: 99) == nil)
    #expect(try await ledger.verify().problems == [])
}

@Test func `names that are no text are kept byte by byte`() async throws {
    let ledger = try StateFolder().ledger()
    let names: [[UInt8]] = [
        [0xFF, 0xFE], bytes("a\nb"), bytes("'; DROP TABLE jobs; --"), [UInt8](repeating: 0xC3, count: 255),
    ]
    let file = Ledger.Fingerprint(sizeBytes: .max, mtimeNanoseconds: .min, inode: .max)
    let jobs = try await ledger.enqueue(names.map { .init(path: $0, fingerprint: file) }).map(\.job)
    #expect(jobs.map(\.path) == names && jobs.allSatisfy { $0.fingerprint == file })
    let known = try await ledger.knownInputs()
    #expect(Set(known.keys) == Set(names))
}
