// Workers that do what they should.

import Foundation
import Results
import Testing
import Workers

@Suite(.timeLimit(.minutes(15))) struct WorkerPoolTests {
    @Test func `a job's events come in order and its outcome says what was published`() async throws {
        let events = Events()
        let outcome = try await withPool { pool in
            await pool.perform(5, attempt: 2, job("ok")) { events.note($0) }
        }
        #expect(events.all.map(\.name) == ["started", "hashed", "progress", "published"])
        #expect(outcome.job == 5 && outcome.attempt == 2)
        #expect(outcome.end == .published && outcome.exit == .done && outcome.reason == nil)
        #expect(outcome.sha256 == "ab")
        #expect(outcome.result?.path == Array("/out/x".utf8) && outcome.result?.frames == 3)
    }

    @Test func `a partial result that was there already is skipped and done`() async throws {
        let outcome = try await withPool { await $0.perform(1, attempt: 1, job("skip")) }
        #expect(outcome.end == .skipped && outcome.exit == .partial)
        #expect(Retry.classify(outcome) == .done)
    }

    @Test func `one process runs many jobs, up to its number`() async throws {
        var settings = FakeWorker.settings()
        settings.jobsPerWorker = 3
        let pids = try await withPool(settings) { pool in
            var pids: [String?] = []
            for number in 1...7 { pids.append(await pool.perform(Int64(number), attempt: 1, job("pid")).sha256) }
            return pids
        }
        #expect(Set(pids[0..<3]).count == 1 && Set(pids[3..<6]).count == 1)
        #expect(Set(pids).count == 3, "\(pids)")
        #expect(pids.compactMap { $0.flatMap(Int32.init) }.allSatisfy { !isAlive($0) }, "none is left")
    }

    @Test func `as many jobs run at once as there are workers`() async throws {
        try await withPool(FakeWorker.settings(3)) { pool in
            let started = [Events(), Events(), Events()]
            await withTaskGroup(of: JobOutcome.self) { group in
                for (number, events) in started.enumerated() {
                    group.addTask {
                        await pool.perform(Int64(number + 1), attempt: 1, job("wait")) { events.note($0) }
                    }
                }
                // Each waits until it is told otherwise, so all three run now.
                for events in started { await events.first("started") }
                for number in 1...3 { await pool.cancel(Int64(number)) }
                for await outcome in group { #expect(outcome.end == .cancelled) }
            }
        }
    }

    @Test func `many jobs on few workers all end, each with its own result`() async throws {
        let outcomes = try await withPool(FakeWorker.settings(2)) { pool in
            await withTaskGroup(of: JobOutcome.self) { group in
                for number in 1...60 {
                    group.addTask {
                        await pool.perform(Int64(number), attempt: 1, job(number % 7 == 0 ? "fail:65" : "ok"))
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(Set(outcomes.map(\.job)) == Set((1...60).map(Int64.init)))
        for outcome in outcomes { #expect((outcome.end == .failed) == (outcome.job % 7 == 0), "\(outcome)") }
    }

    @Test func `a stream of reports is taken as fast as it can be, in order`() async throws {
        let events = Events()
        let outcome = try await withPool { pool in
            await pool.perform(1, attempt: 1, job("chatter:5000")) { events.note($0) }
        }
        #expect(outcome.end == .published)
        let frames = events.all.compactMap { event in
            if case .progress(let progress) = event { progress.frames } else { nil }
        }
        #expect(frames.count == 5000 && frames == frames.sorted())
    }

    @Test func `a worker inherits no descriptor of the daemon and of other workers`() async throws {
        let lists = try await withPool(FakeWorker.settings(2)) { pool in
            let events = Events()
            return await withTaskGroup(of: JobOutcome.self) { group in
                group.addTask { await pool.perform(1, attempt: 1, job("wait")) { events.note($0) } }
                await events.first("started")
                let outcome = await pool.perform(2, attempt: 1, job("descriptors"))
                await pool.cancel(1)
                return outcome.sha256
            }
        }
        // The fourth is the folder's that lists them.
        #expect(lists == "0,1,2,3")
    }

    @Test func `workers come and go without leaving descriptors`() async throws {
        func pipes() throws -> Int {
            let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            return names.count {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasPrefix("pipe:")
                    ?? false
            }
        }
        let before = try pipes()
        var settings = FakeWorker.settings()
        settings.jobsPerWorker = 1
        try await withPool(settings) { pool in
            for number in 1...60 {
                _ = await pool.perform(Int64(number), attempt: 1, job(number % 2 == 0 ? "exit:9" : "ok"))
            }
        }
        // Other tests of this process have pipes of their own meanwhile.
        #expect(try pipes() - before < 50)
    }

    @Test func `an idle worker goes after a while, and the next job has a new one`() async throws {
        let clock = ManualClock()
        var settings = FakeWorker.settings()
        settings.idle = .seconds(20)
        let (first, second) = try await withPool(settings, clock: clock) { pool in
            let first = await pool.perform(1, attempt: 1, job("pid")).sha256
            await clock.run { await until { await pool.status().isEmpty } }
            return (first, await pool.perform(2, attempt: 1, job("pid")).sha256)
        }
        #expect(first != nil && second != nil && first != second)
    }

    @Test func `the status names the running job and its process`() async throws {
        try await withPool { pool in
            let events = Events()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = await pool.perform(8, attempt: 1, job("wait")) { events.note($0) } }
                await events.first("started")
                let status = await pool.status()
                #expect(status.count == 1 && status.first?.job == 8 && status.first?.jobsDone == 0)
                #expect(status.first.map { isAlive($0.pid) } == true)
                await pool.cancel(8)
            }
        }
    }
}
