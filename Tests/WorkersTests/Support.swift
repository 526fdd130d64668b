// What the tests of this module share: a pool of fake workers, a clock that is moved by hand, and events to wait for.

import Foundation
import Logging
import Results
import Synchronization
import Workers

/// Time passes when a test says so.
final class ManualClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset = Duration.zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }

    private struct State {
        var now = Instant()
        var next = 0
        var sleepers: [Int: (until: Instant, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled = Set<Int>()
    }

    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers[number] = (deadline, continuation)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: number)
                if sleeper == nil { state.cancelled.insert(number) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    /// Moves on, a second at a time, until the work is done.
    func run<Value: Sendable>(until work: @escaping @Sendable () async -> Value) async -> Value {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    self.advance(by: .seconds(1))
                    try? await Task.sleep(for: .milliseconds(1))
                }
            }
            let value = await work()
            group.cancelAll()
            return value
        }
    }
}

enum FakeWorker {
    static let python = "/usr/bin/python3"
    static let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "FakeWorker.py").path

    static func settings(_ count: Int = 1, _ arguments: [String] = []) -> WorkerPool.Settings {
        var settings = WorkerPool.Settings(executable: python, count: count)
        settings.arguments = [script] + arguments
        // Only tests of a limit meet it, however slow the machine is.
        settings.stall = .seconds(1_000_000)
        settings.startLimit = .seconds(1_000_000)
        settings.grace = .seconds(1_000_000)
        return settings
    }
}

func job(_ what: String) -> JobDescription {
    JobDescription(
        work: .input(InputWork(path: Array("/in/x".utf8), outputRoot: Array("/out".utf8), relative: Array(what.utf8))))
}

/// Runs a pool beside `body`, then stops it.
func withPool<Value: Sendable>(
    _ settings: WorkerPool.Settings = FakeWorker.settings(), clock: any Clock<Duration> = ContinuousClock(),
    logger: Logger = quiet,
    _ body: @Sendable (WorkerPool) async throws -> Value
) async throws -> Value {
    let pool = WorkerPool(settings, logger: logger, clock: clock)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await pool.run() }
        let result: Result<Value, any Error>
        do { result = .success(try await body(pool)) } catch { result = .failure(error) }
        await pool.stop(within: .seconds(30))
        try await group.waitForAll()
        return try result.get()
    }
}

/// What a worker told of a job, to be waited for.
final class Events: Sendable {
    private let stream: AsyncStream<JobEvent>
    private let continuation: AsyncStream<JobEvent>.Continuation
    private let seen = Mutex<[JobEvent]>([])

    init() { (stream, continuation) = AsyncStream.makeStream(of: JobEvent.self) }

    var all: [JobEvent] { seen.withLock { $0 } }

    func note(_ event: JobEvent) {
        seen.withLock { $0.append(event) }
        continuation.yield(event)
    }

    /// Waits for the first event of that name.
    func first(_ name: String) async {
        for await event in stream where event.name == name { return }
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Waits until it is so; a test that is ended for its time waits no longer.
func until(_ isSo: @Sendable () async -> Bool) async {
    while !Task.isCancelled, await !isSo() { try? await Task.sleep(for: .milliseconds(2)) }
}

func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }
