// Ending jobs and pools before their time.

import Foundation
import Results
import Testing
import Workers

@Suite(.timeLimit(.minutes(15))) struct StopTests {
    @Test func `a waiting job is cancelled at once`() async throws {
        try await withPool { pool in
            let events = Events()
            await withTaskGroup(of: JobOutcome.self) { group in
                group.addTask { await pool.perform(1, attempt: 1, job("wait")) { events.note($0) } }
                await events.first("started")
                group.addTask { await pool.perform(2, attempt: 1, job("ok")) }
                await until { await pool.waitingJobs > 0 }
                await pool.cancel(2)
                let first = await group.next()
                #expect(first?.job == 2 && first?.end == .cancelled)
                await pool.cancel(1)
            }
        }
    }

    @Test func `a running job is cancelled by its worker, which stays`() async throws {
        try await withPool { pool in
            let before = await pool.perform(1, attempt: 1, job("pid")).sha256
            let events = Events()
            let outcome = await withTaskGroup(of: JobOutcome.self) { group in
                group.addTask { await pool.perform(2, attempt: 1, job("wait")) { events.note($0) } }
                await events.first("started")
                await pool.cancel(2)
                return await group.next()
            }
            #expect(outcome?.end == .cancelled && outcome?.exit == .interrupted)
            #expect(await pool.perform(3, attempt: 1, job("pid")).sha256 == before)
        }
    }

    @Test func `a job that does not let itself be cancelled is killed`() async throws {
        let clock = ManualClock()
        var settings = FakeWorker.settings()
        settings.grace = .seconds(10)
        try await withPool(settings, clock: clock) { pool in
            let events = Events()
            let outcome = await withTaskGroup(of: JobOutcome.self) { group in
                group.addTask { await pool.perform(1, attempt: 1, job("hang")) { events.note($0) } }
                await events.first("started")
                await pool.cancel(1)
                return await clock.run {
                    await until { await !pool.status().contains { $0.job == 1 } }
                    return await pool.perform(2, attempt: 1, job("ok"))
                }
            }
            #expect(outcome.end == .published)
        }
    }

    @Test func `a stop waits for the checkpoint`() async throws {
        let pool = WorkerPool(FakeWorker.settings(), logger: quiet, clock: ManualClock())
        let events = Events()
        await withTaskGroup(of: JobOutcome?.self) { group in
            group.addTask {
                await pool.run()
                return nil
            }
            group.addTask { await pool.perform(1, attempt: 1, job("wait")) { events.note($0) } }
            await events.first("started")
            let pids = await pool.status().map(\.pid)
            await pool.stop(within: .seconds(10))
            #expect(pids.count == 1 && pids.allSatisfy { !isAlive($0) })
            for await outcome in group {
                guard let outcome else { continue }
                #expect(outcome.end == .stopped && outcome.exit == .tryLater)
                #expect(Retry.classify(outcome) == .stopped)
            }
        }
        #expect(events.all.contains { $0.name == "checkpoint" })
        #expect(await pool.perform(2, attempt: 1, job("ok")).end == .stopped, "no job is begun afterwards")
    }

    @Test func `what does not stop in time is killed, and waiting jobs are given back`() async throws {
        let clock = ManualClock()
        let pool = WorkerPool(FakeWorker.settings(), logger: quiet, clock: clock)
        let events = Events()
        await withTaskGroup(of: JobOutcome?.self) { group in
            group.addTask {
                await pool.run()
                return nil
            }
            group.addTask { await pool.perform(1, attempt: 1, job("hang")) { events.note($0) } }
            await events.first("started")
            group.addTask { await pool.perform(2, attempt: 1, job("ok")) }
            await until { await pool.waitingJobs > 0 }
            let pids = await pool.status().map(\.pid)
            await clock.run { await pool.stop(within: .seconds(10)) }
            #expect(pids.count == 1 && pids.allSatisfy { !isAlive($0) })
            for await outcome in group where outcome != nil { #expect(outcome?.end == .stopped) }
        }
    }

    @Test func `a pool whose task is cancelled leaves no process`() async throws {
        let pool = WorkerPool(FakeWorker.settings(2), logger: quiet)
        let events = Events()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            await withTaskGroup(of: JobOutcome.self) { jobs in
                jobs.addTask { await pool.perform(1, attempt: 1, job("hang")) { events.note($0) } }
                await events.first("started")
                let pids = await pool.status().map(\.pid)
                group.cancelAll()
                #expect(await jobs.next()?.end == .stopped)
                await group.waitForAll()
                #expect(pids.count == 1 && pids.allSatisfy { !isAlive($0) })
            }
        }
    }

    @Test func `a pool without jobs starts no process and stops at once`() async throws {
        try await withPool(FakeWorker.settings(4)) { pool in #expect(await pool.status().isEmpty) }
    }
}
