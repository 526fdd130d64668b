// The service's workers: child processes that run jobs, so that a hostile file costs a job and not the daemon.
//
//     perform ──queue──▶ slot ──order──▶ worker process ──reports──▶ onEvent, outcome
//
// A slot has at most one process at a time. It starts one when a job is there and none of the warm ones is free.

internal import Glibc
package import Logging
package import Results
internal import Subprocess
internal import SystemPackage

package actor WorkerPool {
    package struct Settings: Sendable {
        /// Path of the program whose `worker` command is run.
        package var executable: String
        package var arguments = ["worker"]
        /// Added to the daemon's own.
        package var environment: [String: String] = [:]
        /// Processes at once.
        package var count: Int
        /// Then a process gives way to a fresh one, so that what a library leaks cannot grow for months.
        package var jobsPerWorker = 200
        /// From a process's start until it is ready.
        package var startLimit = Duration.seconds(60)
        /// Without any sign of work.
        package var stall = Duration.seconds(120)
        /// How long a process without a job stays; nil: until the pool ends.
        package var idle: Duration? = .seconds(60)
        /// From a cancel, or from the end of its orders, to the end of the job or process.
        package var grace = Duration.seconds(10)
        /// Of private memory, looked at about once a second: a second line behind the limit in the job's description.
        package var memoryBytes: Int64?

        package init(executable: String, count: Int) {
            self.executable = executable
            self.count = count
        }
    }

    /// Of one process, for figures.
    package struct WorkerStatus: Hashable, Sendable {
        package let pid: Int32
        package let job: Int64?
        package let jobsDone: Int
        package let memoryBytes: Int64?
    }

    nonisolated let settings: Settings
    private let logger: Logger
    private let clock: any Clock<Duration>

    private var queue: [JobRequest] = []
    /// Slots that have nothing to do, by number.
    private var free: [Int: Waiter] = [:]
    private var workers: [Int: Worker] = [:]
    private var isStopping = false
    private var endWaiters: [CheckedContinuation<Void, Never>] = []
    /// Finished when the pool is to end.
    private let closing: AsyncStream<Never>
    private let closer: AsyncStream<Never>.Continuation

    private struct Waiter {
        let isWarm: Bool
        let continuation: CheckedContinuation<JobRequest?, Never>
    }

    package init(_ settings: Settings, logger: Logger, clock: any Clock<Duration> = ContinuousClock()) {
        self.settings = settings
        self.logger = logger
        self.clock = clock
        (closing, closer) = AsyncStream.makeStream(of: Never.self)
    }

    /// Owns the processes; returns when all have ended after `stop`. Cancelled, it kills them. To be called once.
    package func run() async {
        // A worker that dies is an error of the write to it, not a signal that ends us.
        signal(SIGPIPE, SIG_IGN)
        await withTaskGroup(of: Void.self) { group in
            for slot in 0..<max(settings.count, 1) {
                group.addTask { await self.serve(slot) }
            }
            group.addTask {
                for await _ in self.closing {}
                await self.close()
            }
        }
    }

    /// Runs a job in a worker, in the order of the calls, and waits for its end.
    ///
    /// - Parameter onEvent: gets what the worker reports, in order; the worker is not read on before it returns.
    package func perform(
        _ job: Int64, attempt: Int, _ description: JobDescription,
        onEvent: @escaping @Sendable (JobEvent) async -> Void = { _ in }
    ) async -> JobOutcome {
        await withCheckedContinuation { continuation in
            let request = JobRequest(
                job: job, attempt: attempt, description: description, onEvent: onEvent, continuation: continuation)
            if isStopping {
                request.end(.stopped, .tryLater, "the service stops")
            } else {
                give(request)
            }
        }
    }

    /// Tells the worker whether a result answers for its job already: to be called for each `hashed` of a job that
    /// asks for it.
    package func answer(_ job: Int64, _ result: KnownResult?) async {
        for worker in workers.values { await worker.answer(job, result) }
    }

    /// Ends a waiting job at once; tells the worker of a running one, and kills that if it does not end the job in
    /// time. The job's `perform` returns `.cancelled`, unless the job was faster.
    package func cancel(_ job: Int64) async {
        if let place = queue.firstIndex(where: { $0.job == job }) {
            queue.remove(at: place).end(.cancelled, .interrupted, "cancelled")
            return
        }
        for worker in workers.values { await worker.cancel(job) }
    }

    /// Tells running jobs to keep what they have, waits for them, kills what is left after `limit`. Jobs that wait
    /// end as `.stopped`. When it returns no process is left, and `run` returns.
    package func stop(within limit: Duration) async {
        close()
        for worker in workers.values { await worker.stop() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await self.clock.sleep(for: limit) } catch { return }
                await self.killAll()
            }
            await allEnded()
            group.cancelAll()
        }
    }

    package func status() async -> [WorkerStatus] {
        var all: [WorkerStatus] = []
        for (_, worker) in workers.sorted(by: { $0.key < $1.key }) {
            if let status = await worker.status { all.append(status) }
        }
        return all
    }

    package var waitingJobs: Int { queue.count }

    // MARK: Slots

    private func serve(_ slot: Int) async {
        while let request = await next(for: slot, isWarm: false) {
            // The pool may have been stopped between the hand-over and now.
            if isStopping {
                request.end(.stopped, .tryLater, "the service stops")
                return
            }
            let worker = Worker(slot: slot, pool: self, settings: settings, clock: clock, logger: logger)
            workers[slot] = worker
            await worker.live(request)
            workers[slot] = nil
            if workers.isEmpty {
                for waiter in endWaiters { waiter.resume() }
                endWaiters = []
            }
        }
    }

    /// Nil when the slot has to end its process, or itself.
    func next(for slot: Int, isWarm: Bool) async -> JobRequest? {
        if isStopping { return nil }
        if !queue.isEmpty { return queue.removeFirst() }
        return await withCheckedContinuation { free[slot] = Waiter(isWarm: isWarm, continuation: $0) }
    }

    /// The slot's process is gone or has been idle for long.
    func giveUp(_ slot: Int) { free.removeValue(forKey: slot)?.continuation.resume(returning: nil) }

    /// A job that no worker has begun.
    func putBack(_ request: JobRequest) {
        if isStopping {
            request.end(.stopped, .tryLater, "the service stops")
        } else if free.isEmpty {
            queue.insert(request, at: 0)
        } else {
            give(request)
        }
    }

    private func give(_ request: JobRequest) {
        guard let slot = free.first(where: \.value.isWarm)?.key ?? free.keys.min() else {
            queue.append(request)
            return
        }
        free.removeValue(forKey: slot)?.continuation.resume(returning: request)
    }

    private func close() {
        isStopping = true
        closer.finish()
        for request in queue { request.end(.stopped, .tryLater, "the service stops") }
        queue = []
        for slot in Array(free.keys) { giveUp(slot) }
    }

    private func killAll() async {
        for worker in workers.values { await worker.kill(.stopped) }
    }

    private func allEnded() async {
        if workers.isEmpty { return }
        await withCheckedContinuation { endWaiters.append($0) }
    }
}

/// A job on its way to its outcome.
struct JobRequest: Sendable {
    let job: Int64
    let attempt: Int
    let description: JobDescription
    let onEvent: @Sendable (JobEvent) async -> Void
    /// Resumed once, by whoever holds the request.
    let continuation: CheckedContinuation<JobOutcome, Never>
    /// Whether a worker died before it began this job.
    var wasPutBack = false

    func outcome(_ end: JobOutcome.End, _ exit: ExitReason, _ reason: String?) -> JobOutcome {
        JobOutcome(job: job, attempt: attempt, end: end, exit: exit, reason: reason)
    }

    func end(_ end: JobOutcome.End, _ exit: ExitReason, _ reason: String?) {
        continuation.resume(returning: outcome(end, exit, reason))
    }
}
