// Why a file is not processed: every sighting and every step has its reason.

import Foundation
import Ledger
import Testing

private func sighting(_ path: String, _ verdict: String, _ reason: String) -> Ledger.Sighting {
    .init(path: bytes(path), fingerprint: input(path).fingerprint, verdict: verdict, reason: reason)
}

@Test func `the history of a file is told in order, with how things stand`() async throws {
    let clock = HandClock()
    let ledger = try StateFolder().ledger(clock)
    #expect(try await ledger.why(bytes("a")).now.hasPrefix("never seen"))
    for _ in 0..<3 {
        try await ledger.see([sighting("a", "waiting", "still growing")])
        clock.advance(5)
    }
    #expect(try await ledger.why(bytes("a")).now.contains("waiting: still growing"))
    try await ledger.see([sighting("a", "ready", "still for 2s")])
    _ = try await ledger.enqueue([input("a")])
    #expect(try await ledger.why(bytes("a")).now == "job 1 is queued")
    clock.advance(1)
    let job = try #require(await ledger.takeNext(worker: 12))
    #expect(try await ledger.why(bytes("a")).now == "job 1 is running in process 12")
    clock.advance(1)
    _ = try await ledger.retryLater(
        job.token, notBefore: clock.now.addingTimeInterval(60), exitCode: 74, reason: "I/O error")
    let why = try await ledger.why(bytes("a"))
    #expect(why.now.hasPrefix("job 1 is queued and pauses until 20") && why.now.hasSuffix("I/O error"))
    #expect(why.events.map(\.kind) == [.sighting, .sighting, .step, .step, .step])
    #expect(why.events.map(\.text)[0].hasPrefix("seen (3 times until "))
    #expect(why.events.map(\.text)[3] == "job 1, attempt 1: running (started)")
    #expect(why.events.map(\.at) == why.events.map(\.at).sorted())
}

@Test func `each end of a job is said in a sentence`() async throws {
    let ledger = try StateFolder().ledger()
    _ = try await ledger.enqueue([input("a"), input("b"), input("c")])
    let a = try #require(await ledger.takeNext()), b = try #require(await ledger.takeNext())
    _ = try await ledger.finish(a.token, .complete("a"))
    _ = try await ledger.fail(b.token, exitCode: 65, reason: "not media")
    _ = try await ledger.cancel(3, who: "me")
    #expect(try await ledger.why(bytes("a")).now == "job 1 is done, complete: results/a")
    #expect(try await ledger.why(bytes("b")).now == "job 2 failed with exit 65: not media")
    #expect(try await ledger.why(bytes("c")).now == "job 3 was cancelled")
    #expect(try await ledger.why(bytes("c")).events.last?.text == "cancel of job 3 by me")
    let steps = try await ledger.show(2)?.steps.map(\.state)
    #expect(steps == [.queued, .running, .failed])
}

@Test func `a folder's history holds that of its files`() async throws {
    let ledger = try StateFolder().ledger()
    try await ledger.see([sighting("d/x", "ignored", "matches *.part"), sighting("e", "ready", "still")])
    let events = try await ledger.why(bytes("d")).events
    #expect(events.map(\.text) == ["'d/x' seen: ignored: matches *.part"])
}

@Test func `ten thousand files that are seen again and again are counted, not listed`() async throws {
    let ledger = try StateFolder().ledger()
    let scan = (0..<10_000).map { sighting("folder/\($0).jpg", "known", "job \($0)") }
    for _ in 0..<3 { try await ledger.see(scan) }
    let events = try await ledger.why(bytes("folder")).events
    #expect(events.count == 10_000)
    #expect(events.allSatisfy { $0.text.contains("(3 times until") })
}

@Test func `a growing file is one sighting, another verdict or file is another`() async throws {
    let ledger = try StateFolder().ledger()
    try await ledger.see([])
    // A waiting file's growth is no news; another verdict or another ready file is.
    var first = sighting("a", "waiting", "growing")
    try await ledger.see([first])
    first = .init(
        path: first.path, fingerprint: input("a", inode: 9).fingerprint, verdict: "waiting", reason: "growing")
    try await ledger.see([first])
    try await ledger.see([sighting("a", "ready", "still")])
    try await ledger.see([
        .init(path: first.path, fingerprint: input("a", inode: 9).fingerprint, verdict: "ready", reason: "still")
    ])
    #expect(try await ledger.why(bytes("a")).events.count == 3)
}

@Test func `of one path only the last fifty different sightings stay`() async throws {
    let ledger = try StateFolder().ledger()
    for number in 0..<120 { try await ledger.see([sighting("a", "waiting", "reason \(number)")]) }
    let events = try await ledger.why(bytes("a")).events
    #expect(events.count == 50 && events.first?.text == "seen: waiting: reason 70")
}

@Test func `old sightings can be forgotten`() async throws {
    let clock = HandClock()
    let ledger = try StateFolder().ledger(clock)
    try await ledger.see([sighting("old", "ready", "still"), sighting("both", "ready", "still")])
    clock.advance(100)
    try await ledger.see([sighting("both", "ready", "still"), sighting("new", "ready", "still")])
    #expect(try await ledger.forgetSightings(before: clock.now) == 1)
    #expect(try await ledger.why([]).events.count == 2)
}

@Test func `control characters of a name do not reach the reader`() async throws {
    let ledger = try StateFolder().ledger()
    try await ledger.see([sighting("d/\u{1B}[31m\n", "ready", "still")])
    let text = try #require(await ledger.why(bytes("d")).events.first?.text)
    #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control })
}
