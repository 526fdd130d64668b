// Workers that crash, hang, babble and will not stop: each costs its job and nothing else.

import Foundation
import Results
import Testing
import Workers

@Suite(.timeLimit(.minutes(15))) struct FaultTests {
    /// The job, and whether the pool still works afterwards.
    private func outcome(
        _ what: String, _ settings: WorkerPool.Settings = FakeWorker.settings(), clock: ManualClock? = nil
    ) async throws -> JobOutcome {
        try await withPool(settings, clock: clock ?? ManualClock()) { pool in
            let events = Events()
            let outcome = await withTaskGroup(of: JobOutcome?.self) { group in
                group.addTask { await pool.perform(1, attempt: 1, job(what)) { events.note($0) } }
                if let clock {
                    group.addTask {
                        await events.first("started")
                        // Until the job has ended; the watch sees the time pass.
                        await clock.run {
                            await until { await !pool.status().contains { $0.job == 1 } }
                        }
                        return nil
                    }
                }
                var outcome: JobOutcome?
                for await part in group { outcome = part ?? outcome }
                return outcome
            }
            #expect(await pool.perform(2, attempt: 1, job("ok")).end == .published, "the next job runs")
            return try #require(outcome)
        }
    }

    @Test func `a crash is named by its signal`() async throws {
        let outcome = try await outcome("crash")
        #expect(outcome.end == .crashed(signal: SIGSEGV) && outcome.exit == .internalError)
        #expect(outcome.reason?.hasPrefix("killed by SIGSEGV") == true, "\(outcome.reason ?? "")")
        #expect(outcome.lastLines == ["error: about to fall"])
        #expect(Retry.classify(outcome) == .retry)
    }

    @Test func `a process that ends in the middle of a job says its code`() async throws {
        let outcome = try await outcome("exit:7")
        #expect(outcome.end == .exited(code: 7))
        #expect(outcome.reason?.contains("exit code 7") == true)
    }

    @Test(arguments: ["hang", "freeze"])
    func `a job without a sign of work is killed`(what: String) async throws {
        var settings = FakeWorker.settings()
        settings.stall = .seconds(30)
        let outcome = try await outcome(what, settings, clock: ManualClock())
        #expect(outcome.end == .stalled)
        #expect(Retry.classify(outcome) == .retry)
    }

    @Test(arguments: ["flood", "garbage"])
    func `a worker that does not keep to the protocol is killed`(what: String) async throws {
        let outcome = try await outcome(what)
        #expect(outcome.end == .badProtocol, "\(outcome)")
    }

    @Test func `a worker that takes too much memory is killed`() async throws {
        var settings = FakeWorker.settings()
        settings.memoryBytes = 100 << 20
        let outcome = try await outcome("memory:200", settings, clock: ManualClock())
        #expect(outcome.end == .overMemory)
        #expect(outcome.reason?.contains("more than the 100") == true)
    }

    @Test func `a worker that closes its outputs does not live on`() async throws {
        let outcome = try await outcome("mute")
        #expect(outcome.end == .crashed(signal: SIGKILL), "\(outcome)")
    }

    @Test func `a full disk is told apart`() async throws {
        let outcome = try await outcome("disk")
        #expect(outcome.end == .diskFull && outcome.exit == .ioError)
        #expect(Retry.classify(outcome) == .diskFull)
    }

    @Test func `the last forty lines of the log are kept`() async throws {
        let outcome = try await outcome("talk")
        #expect(outcome.end == .exited(code: 9))
        #expect(outcome.lastLines == (60..<100).map { "info: line \($0)" })
    }

    @Test func `a worker that died while idle costs the next job nothing`() async throws {
        let marker = FileManager.default.temporaryDirectory.appending(path: "workers-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: marker) }
        let outcome = try await outcome("die-first:\(marker.path)")
        #expect(outcome.end == .published)
    }

    @Test func `a worker that dies at its start fails no input`() async throws {
        let outcome = try await withPool(FakeWorker.settings(1, ["die"])) { await $0.perform(1, attempt: 1, job("ok")) }
        #expect(outcome.end == .notStarted, "\(outcome)")
        #expect(outcome.reason?.contains("cannot load the model") == true, "\(outcome.reason ?? "")")
        #expect(Retry.classify(outcome) == .noWorker)
    }

    @Test func `a program that is not there is said so`() async throws {
        let settings = WorkerPool.Settings(executable: "/nowhere/emotiond", count: 1)
        let outcome = try await withPool(settings) { await $0.perform(1, attempt: 1, job("ok")) }
        #expect(outcome.end == .notStarted)
        #expect(outcome.reason?.contains("/nowhere/emotiond") == true)
    }

    @Test func `a worker that is never ready is killed`() async throws {
        let clock = ManualClock()
        var settings = FakeWorker.settings(1, ["silent"])
        settings.startLimit = .seconds(30)
        let outcome = try await withPool(settings, clock: clock) { pool in
            await clock.run { await pool.perform(1, attempt: 1, job("ok")) }
        }
        #expect(outcome.end == .notStarted)
        #expect(outcome.reason?.contains("not ready") == true)
    }
}
