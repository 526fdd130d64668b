// The queue: takes jobs from the ledger, has workers do them, and writes down how they ended.
//
//     ledger.takeNext ─▶ pool.perform ─▶ verdict ─▶ ledger, done/ or failed/, hooks

internal import Foundation
internal import Ledger
internal import Logging
internal import Results
internal import ServiceConfig
internal import Workers

actor Dispatcher {
    struct Rooms: Sendable {
        let ledger: Ledger
        let pool: WorkerPool
        let inputs: Inputs
        let hooks: HookRunner
        let board: Board
        let pulse: Pulse
        /// Told of each job that changed.
        let changed: @Sendable (Ledger.Job) async -> Void
        let progressed: @Sendable (Int64, Board.Progress) -> Void
        /// The result of a job that is done, if it is still there.
        let known: @Sendable (Ledger.Job) -> KnownResult?
        /// Looks at the free space, so that a job is not begun between two looks of the housekeeping.
        let measureSpace: @Sendable () async -> Void
        /// A worker met a full disk.
        let diskIsFull: @Sendable () async -> Void
    }

    /// What jobs are given; taken over by jobs that begin later.
    struct Terms: Sendable {
        var incoming: [UInt8]
        var results: [UInt8]
        var work: [UInt8]
        var options: JobOptions
        var limits: JobLimits
        var policy: RetryPolicy
        var checkpointSeconds: Double

        init(_ configuration: ServiceConfiguration) {
            incoming = Array(configuration.state.incomingFolder.utf8)
            results = Array(configuration.state.resultsFolder.utf8)
            work = Array(configuration.state.workFolder.utf8)
            options = JobOptions(configuration.analysis)
            limits = JobLimits(configuration.workers)
            let workers = configuration.workers
            policy = RetryPolicy(attempts: workers.attempts, first: workers.backoffFirst, longest: workers.backoffMost)
            checkpointSeconds = Double(workers.checkpoint.microseconds) / 1e6
        }
    }

    private let rooms: Rooms
    private let logger: Logger
    private let wake = Wake()
    private var terms: Terms
    /// One more than there are workers: the ledger's part of one job goes on beside the work of another.
    private let most: Int
    private var running: Set<Int64> = []
    private var isStopping = false
    /// After a worker could not be started: none is tried before.
    private var noWorkersUntil: ContinuousClock.Instant?

    init(_ rooms: Rooms, terms: Terms, workers: Int, logger: Logger) {
        self.rooms = rooms
        self.terms = terms
        self.logger = logger
        most = workers + 1
    }

    func use(_ terms: Terms) { self.terms = terms }

    func look() async { await wake.ring() }

    var runningJobs: Set<Int64> { running }

    /// Until `stop`; the jobs that run end first.
    func run() async {
        await withDiscardingTaskGroup { group in
            while !isStopping, !Task.isCancelled {
                rooms.pulse.beat(.queue)
                do {
                    if let job = try await next() {
                        running.insert(job.id)
                        rooms.board.begin(job.id)
                        group.addTask { await self.perform(job) }
                        continue
                    }
                    await wake.wait(atMost: try await pause())
                } catch {
                    logger.error("\(error)")
                    await wake.wait(atMost: .seconds(5))
                }
            }
        }
    }

    /// Takes no further job.
    func stop() async {
        isStopping = true
        await wake.ring()
    }

    private func next() async throws -> Ledger.Job? {
        guard running.count < most, rooms.board.mayBegin, !isStopping else { return nil }
        if let until = noWorkersUntil {
            guard .now >= until else { return nil }
            noWorkersUntil = nil
        }
        await rooms.measureSpace()
        return rooms.board.mayBegin ? try await rooms.ledger.takeNext() : nil
    }

    private func pause() async throws -> Duration {
        if let until = noWorkersUntil { return ContinuousClock.now.duration(to: until) }
        guard running.count < most, let due = try await rooms.ledger.nextDue() else { return .seconds(30) }
        return min(max(.seconds(due.timeIntervalSinceNow), .milliseconds(20)), .seconds(30))
    }

    private func perform(_ job: Ledger.Job) async {
        await rooms.changed(job)
        let events = JobEvents(job: job, rooms: rooms)
        let outcome = await rooms.pool.perform(job.id, attempt: job.attempt, description(job)) { await events.take($0) }
        let answer = await events.answer, identity = await events.identity
        // A full disk may refuse the ledger too. The end is told until it is written down, or the service ends: then the
        // job is still running in the ledger, and the next start queues it again.
        while true {
            do {
                try await conclude(job, outcome, answer: answer, identity: identity)
                break
            } catch {
                logger.critical("job \(job.id): its end cannot be written down: \(error)")
                if isStopping { break }
                if let error = error as? LedgerError, case .diskFull = error { await rooms.diskIsFull() }
                try? await Task.sleep(for: .seconds(1))
            }
        }
        rooms.board.end(job.id, frames: outcome.result?.frames ?? 0, faces: outcome.result?.faces ?? 0)
        running.remove(job.id)
        await wake.ring()
    }

    private func description(_ job: Ledger.Job) -> JobDescription {
        var input = InputWork(
            path: PathBytes.join(terms.incoming, job.path), outputRoot: terms.results, relative: job.path,
            workFolder: PathBytes.join(terms.work, Array(String(job.id).utf8)))
        input.checkpointSeconds = terms.checkpointSeconds
        input.replacesResult = job.replaces
        input.asksForSame = !job.replaces
        var options = terms.options
        options.overwrite = job.replaces
        return JobDescription(work: .input(input), options: options, limits: terms.limits)
    }

    // MARK: Ends

    private func conclude(_ job: Ledger.Job, _ outcome: JobOutcome, answer: Ledger.Job?, identity: JobEvents.Identity?)
        async throws
    {
        let ledger = rooms.ledger
        if let answer, case .skipped = outcome.end {
            let result = Ledger.JobResult(
                status: .skipped, path: answer.result, sha256: identity?.sha256, settingsHash: identity?.settingsHash,
                exitCode: answer.exitCode ?? 0, answeredBy: answer.id)
            try await finish(job, result, "same content and settings as job \(answer.id)")
            return
        }
        switch Retry.classify(outcome) {
        case .done:
            let status: Ledger.ResultStatus =
                outcome.end == .skipped ? .skipped : outcome.result?.status == .partial ? .partial : .complete
            let result = Ledger.JobResult(
                status: status, path: outcome.result.map { below(terms.results, $0.path) }, sha256: outcome.sha256,
                settingsHash: identity?.settingsHash, exitCode: outcome.exit.rawValue)
            try await finish(job, result, status.rawValue)
        case .failAtOnce:
            try await fail(job, outcome)
        case .retry:
            if let pause = terms.policy.pause(after: job.failures + 1) {
                rooms.board.countRetry()
                let due = Date.now.addingTimeInterval(Double(pause.microseconds) / 1e6)
                let reason = outcome.reason ?? "failed"
                logger.warning("job \(job.id), \(shown(job.path)): \(reason); attempt \(job.failures + 2) follows")
                _ = try await ledger.retryLater(
                    job.token, notBefore: due, exitCode: outcome.exit.rawValue, reason: reason, log: outcome.lastLines,
                    counts: true)
                await tellChanged(job.id)
            } else {
                try await fail(job, outcome)
            }
        case .diskFull:
            await rooms.diskIsFull()
            try await back(job, outcome)
        case .noWorker:
            noWorkersUntil = .now + .seconds(10)
            logger.error("no worker can be started: \(outcome.reason ?? "")")
            try await back(job, outcome)
        case .stopped: try await back(job, outcome)
        case .cancelled:
            _ = try await ledger.cancelled(job.token)
            logger.notice("job \(job.id), \(shown(job.path)): cancelled")
            await discardWork(job.id)
            await tellChanged(job.id, hook: "cancelled")
        }
    }

    private func finish(_ job: Ledger.Job, _ result: Ledger.JobResult, _ text: String) async throws {
        guard try await rooms.ledger.finish(job.token, result) else { return }
        logger.info("job \(job.id), \(shown(job.path)): \(text)")
        if let ended = try await rooms.ledger.job(job.id) { await rooms.inputs.take(ended) }
        await discardWork(job.id)
        await tellChanged(job.id, hook: "done")
    }

    private func fail(_ job: Ledger.Job, _ outcome: JobOutcome) async throws {
        let reason = outcome.reason ?? "failed with exit \(outcome.exit.rawValue)"
        let written = try await rooms.ledger.fail(
            job.token, exitCode: outcome.exit.rawValue, reason: reason, log: outcome.lastLines)
        guard written else { return }
        logger.error("job \(job.id), \(shown(job.path)): failed: \(reason)")
        if let ended = try await rooms.ledger.job(job.id) { await rooms.inputs.take(ended) }
        await discardWork(job.id)
        await tellChanged(job.id, hook: "failed")
    }

    /// Into the queue as it was.
    private func back(_ job: Ledger.Job, _ outcome: JobOutcome) async throws {
        _ = try await rooms.ledger.retryLater(
            job.token, notBefore: nil, exitCode: nil, reason: outcome.reason ?? "interrupted", log: [], counts: false)
        await tellChanged(job.id)
    }

    private func tellChanged(_ id: Int64, hook: String? = nil) async {
        guard let job = try? await rooms.ledger.job(id) else { return }
        await rooms.changed(job)
        guard let hook else { return }
        var event = HookEvent(event: hook, at: job.finished ?? Date.now)
        event.job = id
        event.path = shown(job.path)
        event.result = job.result.map { shown(PathBytes.join(terms.results, $0)) }
        event.status = job.resultStatus?.rawValue
        event.exit = job.exitCode
        event.reason = job.reason
        await rooms.hooks.tell(event)
    }

    /// A job that ended goes on from nothing.
    private func discardWork(_ id: Int64) async {
        let folder = shown(PathBytes.join(terms.work, Array(String(id).utf8)))
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func below(_ root: [UInt8], _ path: [UInt8]) -> [UInt8] {
        path.starts(with: root + [UInt8(ascii: "/")]) ? Array(path.dropFirst(root.count + 1)) : path
    }
}

/// What a worker tells during one job.
actor JobEvents {
    struct Identity {
        let sha256: String
        let settingsHash: String
    }

    private let job: Ledger.Job
    private let rooms: Dispatcher.Rooms
    private(set) var answer: Ledger.Job?
    private(set) var identity: Identity?

    init(job: Ledger.Job, rooms: Dispatcher.Rooms) {
        self.job = job
        self.rooms = rooms
    }

    func take(_ event: JobEvent) async {
        switch event {
        case .progress(let progress):
            if let now = rooms.board.update(job.id, share: progress.share, frames: progress.frames) {
                rooms.progressed(job.id, now)
            }
        case .hashed(let sha256, let settingsHash):
            identity = Identity(sha256: sha256, settingsHash: settingsHash)
            _ = try? await rooms.ledger.identify(job.token, sha256: sha256, settingsHash: settingsHash)
            // Nobody waits for an answer where a person wants the result anew.
            guard !job.replaces else { return }
            let same = try? await rooms.ledger.done(sha256: sha256, settingsHash: settingsHash, except: job.id)
            let result = same.flatMap(rooms.known)
            answer = result == nil ? nil : same
            await rooms.pool.answer(job.id, result)
        default: break
        }
    }
}
