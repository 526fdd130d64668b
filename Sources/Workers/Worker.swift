// One worker process from its start to its end, with the jobs that it runs meanwhile.

internal import Logging
internal import Results
internal import Subprocess
internal import SystemPackage

typealias Child = Execution<CustomWriteInput, SequenceOutput, SequenceOutput>

actor Worker {
    /// Why we killed the process.
    enum Kill: Hashable {
        case stalled, cancelled, stopped, notReady, tooSlow
        case overMemory(Int64)
        case badProtocol(String)
    }

    struct Running {
        var request: JobRequest
        /// The order was given.
        var isOrdered = false
        /// The worker has taken it up.
        var isBegun = false
        var isCancelled = false
        var sha256: String?
        var peakMemory: Int64?
        /// Since the last sign of work, and since the cancel.
        var silence = Duration.zero
        var sinceCancel = Duration.zero
    }

    private let slot: Int
    private let pool: WorkerPool
    private let settings: WorkerPool.Settings
    private let clock: any Clock<Duration>
    private let logger: Logger

    private var child: Child?
    private var isReady = false
    /// Told to stop.
    private var isEnding = false
    /// Gets no more orders and is to end by itself.
    private var isLeaving = false
    private var outputEnded = false
    private var killed: Kill?
    private var running: Running?
    private var jobsDone = 0
    private var memory: Int64?
    private var log = LogRing()
    /// Since the start until it is ready, then since its last job; since the end of its orders.
    private var idleness = Duration.zero
    private var sinceEnd = Duration.zero
    /// Orders on their way; they are written by one task at a time, so that lines stay whole.
    private var outgoing: [UInt8] = []
    private var isWriting = false
    private var waiter: CheckedContinuation<Void, Never>?

    init(
        slot: Int, pool: WorkerPool, settings: WorkerPool.Settings, clock: any Clock<Duration>, logger: Logger
    ) {
        self.slot = slot
        self.pool = pool
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    /// Starts the process, has it run jobs, the first one first, and returns when it is gone.
    func live(_ first: JobRequest) async {
        running = Running(request: first)
        var options = PlatformOptions()
        // A group of its own: Ctrl-C is for the daemon, which stops its workers in good order.
        options.processGroupID = 0
        // A crash is ended at once and named by its signal; Swift's backtracer would hold it for seconds and flood the log.
        var environment: [Environment.Key: String?] = ["SWIFT_BACKTRACE": "enable=no"]
        for (name, value) in settings.environment {
            if let key = Environment.Key(rawValue: name) { environment[key] = value }
        }
        do {
            let result = try await Subprocess.run(
                .path(FilePath(settings.executable)), arguments: Arguments(settings.arguments),
                environment: .inherit.updating(environment), platformOptions: options, input: .inputWriter,
                output: .sequence, error: .sequence
            ) { child in await serve(child) }
            await ended(result.terminationStatus)
        } catch {
            await broke("\(error)")
        }
    }

    private enum Part { case reports, log, watch }

    private func serve(_ child: Child) async {
        self.child = child
        if isEnding { kill(.stopped) }
        await withTaskGroup(of: Part.self) { group in
            group.addTask {
                await self.readReports(child.standardOutput)
                return .reports
            }
            group.addTask {
                await self.readLog(child.standardError)
                return .log
            }
            group.addTask {
                await self.watch()
                return .watch
            }
            await drive()
            isLeaving = true
            try? await child.standardInputWriter.finish()
            var open: Set<Part> = [.reports, .log]
            while !open.isEmpty, let part = await group.next() { open.remove(part) }
            group.cancelAll()
        }
        // A process that ends closes its outputs last of all. One that closed them to live on must not: nobody would
        // hear of it. It is not waited for yet, so the number is still its own.
        try? child.send(signal: .kill, toProcessGroup: true)
        self.child = nil
    }

    // MARK: Orders

    private func drive() async {
        while !isReady, !outputEnded, !isEnding { await change() }
        while let current = running, !outputEnded, !isEnding {
            if current.isCancelled {
                finish(current.request.outcome(.cancelled, .interrupted, "cancelled"))
            } else {
                await order(current.request)
            }
            while running != nil, !outputEnded { await change() }
            if outputEnded || isEnding || jobsDone >= settings.jobsPerWorker { return }
            guard let next = await pool.next(for: slot, isWarm: true) else { return }
            // It may have died while it waited; then the job has nothing to do with that.
            if outputEnded || isEnding { return await pool.putBack(next) }
            running = Running(request: next)
        }
    }

    private func order(_ request: JobRequest) async {
        let line: [UInt8]
        do throws(JobProtocolError) {
            line = try JobOrder(job: request.job, attempt: request.attempt, .run(request.description)).encodedLine()
        } catch {
            return finish(request.outcome(.failed, .usage, "\(error)"))
        }
        log.clear()
        running?.isOrdered = true
        running?.silence = .zero
        await send(line)
    }

    private func send(_ line: [UInt8]) async {
        outgoing += line
        guard !isWriting, let child else { return }
        isWriting = true
        while !outgoing.isEmpty {
            let bytes = outgoing
            outgoing = []
            // What a dead worker does not take is told by the end of its output.
            _ = try? await child.standardInputWriter.write(bytes)
        }
        isWriting = false
    }

    private func send(_ what: JobOrder.What, of request: JobRequest) async {
        let order = JobOrder(job: request.job, attempt: request.attempt, what)
        if let line = try? order.encodedLine() { await send(line) }
    }

    /// To the worker's `hashed`.
    func answer(_ job: Int64, _ result: KnownResult?) async {
        guard let current = running, current.request.job == job, current.isOrdered else { return }
        await send(.answer(result), of: current.request)
    }

    func cancel(_ job: Int64) async {
        guard let current = running, current.request.job == job, !current.isCancelled else { return }
        running?.isCancelled = true
        if current.isOrdered {
            await send(.cancel, of: current.request)
        } else {
            kill(.cancelled)
        }
    }

    func stop() async {
        guard !isEnding else { return }
        isEnding = true
        if let current = running, current.isOrdered {
            await send(.stop, of: current.request)
        } else if running != nil {
            kill(.stopped)
        }
        wake()
    }

    func kill(_ why: Kill) {
        guard killed == nil, let child else { return }
        killed = why
        try? child.send(signal: .kill, toProcessGroup: true)
    }

    var status: WorkerPool.WorkerStatus? {
        guard let child, !outputEnded else { return nil }
        return WorkerPool.WorkerStatus(
            pid: child.processIdentifier.value, job: running?.request.job, jobsDone: jobsDone, memoryBytes: memory)
    }

    // MARK: Reports

    private func readReports(_ output: SubprocessOutputSequence) async {
        var splitter = LineSplitter()
        do {
            for try await piece in output {
                for line in try splitter.feed(piece.withUnsafeBytes { Array($0) }) {
                    await take(try JobReport(line: line))
                }
            }
        } catch let error as JobProtocolError {
            kill(.badProtocol(error.description))
        } catch {
            logger.debug("worker's output: \(error)")
        }
        outputEnded = true
        wake()
    }

    private func take(_ report: JobReport) async {
        if case .ready = report.event {
            isReady = true
            idleness = .zero
            return wake()
        }
        // An answer to an order that is no longer of interest.
        guard let current = running, report.job == current.request.job, report.attempt == current.request.attempt
        else { return }
        running?.isBegun = true
        running?.silence = .zero
        if case .hashed(let sha256, _) = report.event { running?.sha256 = sha256 }
        await current.request.onEvent(report.event)
        if let outcome = outcome(of: report.event, current.request) { finish(outcome) }
    }

    private func outcome(of event: JobEvent, _ request: JobRequest) -> JobOutcome? {
        var outcome: JobOutcome
        switch event {
        case .published(let result):
            outcome = request.outcome(.published, result.exit, nil)
            outcome.result = result
        case .skipped(let result):
            outcome = request.outcome(.skipped, result.exit, nil)
            outcome.result = result
        case .failed(let failure):
            let end: JobOutcome.End =
                if running?.isCancelled == true {
                    .cancelled
                } else if failure.isDiskFull {
                    .diskFull
                } else if isEnding, failure.exit == .tryLater {
                    .stopped
                } else {
                    .failed
                }
            outcome = request.outcome(end, failure.exit, failure.reason)
        case .ready, .started, .hashed, .progress, .alive, .checkpoint, .stream, .other:
            return nil
        }
        return outcome
    }

    private func readLog(_ output: SubprocessOutputSequence) async {
        var splitter = LineSplitter()
        do {
            for try await piece in output {
                for line in try splitter.feed(piece.withUnsafeBytes { Array($0) }) { noteLog(line) }
            }
        } catch {
            noteLog(Array("error: its log cannot be read on: \(error)".utf8))
            // Its pipe would fill and hold it up.
            kill(.badProtocol("log: \(error)"))
        }
        if let rest = splitter.finish() { noteLog(rest) }
    }

    private func noteLog(_ line: [UInt8]) {
        let text = String(decoding: line.prefix(4096), as: UTF8.self)
        log.add(text)
        let entry = LogEntry(text)
        var metadata: Logger.Metadata = ["worker": "\(child?.processIdentifier.value ?? 0)"]
        if let job = running?.request.job { metadata["job"] = "\(job)" }
        logger.log(level: entry.level, "\(entry.text)", metadata: metadata)
    }

    // MARK: The watch

    /// Looks once a second, or oftener where a limit is short, until it is cancelled.
    private func watch() async {
        let tick = min(.seconds(1), settings.stall / 8, settings.startLimit / 8, settings.grace / 8)
        while (try? await clock.sleep(for: tick)) != nil {
            look(after: tick)
            if running == nil, outputEnded || settings.idle.map({ idleness >= $0 }) ?? false {
                await pool.giveUp(slot)
            }
        }
    }

    private func look(after tick: Duration) {
        memory = child.flatMap { ProcessMemory.privateBytes(of: $0.processIdentifier.value) }
        if let memory, let limit = settings.memoryBytes, memory > limit { kill(.overMemory(memory)) }
        if isLeaving, running == nil {
            sinceEnd += tick
            if sinceEnd >= settings.grace { kill(.tooSlow) }
            return
        }
        guard let current = running, current.isOrdered else {
            idleness += tick
            if !isReady, idleness >= settings.startLimit { kill(.notReady) }
            return
        }
        running?.silence += tick
        if let memory { running?.peakMemory = max(memory, current.peakMemory ?? 0) }
        if current.silence + tick >= settings.stall { kill(.stalled) }
        if current.isCancelled {
            running?.sinceCancel += tick
            if current.sinceCancel + tick >= settings.grace { kill(.cancelled) }
        }
    }

    // MARK: The end

    private func finish(_ outcome: JobOutcome) {
        guard let current = running else { return }
        running = nil
        jobsDone += 1
        idleness = .zero
        var outcome = outcome
        outcome.sha256 = current.sha256
        outcome.lastLines = log.lines
        outcome.peakMemoryBytes = current.peakMemory
        current.request.continuation.resume(returning: outcome)
        wake()
    }

    private func ended(_ status: TerminationStatus) async {
        outputEnded = true
        isEnding = isEnding || Task.isCancelled
        guard var current = running else {
            if killed == nil, !status.isSuccess, !isEnding {
                logger.warning("a worker without a job ended: \(DeathReason.text(status, log.lines))")
            }
            return
        }
        if killed == nil, current.isOrdered, !current.isBegun, !current.request.wasPutBack, !isEnding {
            // It was dead already when it was given the job, or at the same moment.
            running = nil
            current.request.wasPutBack = true
            return await pool.putBack(current.request)
        }
        finish(
            DeathReason.outcome(
                current, killed: killed, status, settings: settings, isEnding: isEnding, lines: log.lines))
    }

    private func broke(_ reason: String) async {
        guard let current = running else { return }
        if isEnding || Task.isCancelled {
            finish(current.request.outcome(.stopped, .tryLater, "the service stops"))
        } else {
            finish(
                current.request.outcome(
                    .notStarted, .tryLater, "the worker \(settings.executable) cannot be run: \(reason)"))
        }
    }

    private func change() async { await withCheckedContinuation { waiter = $0 } }

    private func wake() {
        waiter?.resume()
        waiter = nil
    }
}

/// `level: text`, as a worker writes it; anything else is a library's own and taken as a notice.
private struct LogEntry {
    let level: Logger.Level
    let text: String

    init(_ line: String) {
        guard let colon = line.firstRange(of: ": "),
            let level = Logger.Level(rawValue: String(line[..<colon.lowerBound]))
        else {
            (self.level, text) = (.notice, line)
            return
        }
        (self.level, text) = (level, String(line[colon.upperBound...]))
    }
}
