// `emotiond worker`: one job after another, as they are ordered on standard input, with models that stay loaded.

import Core
import Foundation
import Glibc
package import Logging
package import Results
import Synchronization

package final class JobWorker: Sendable {
    package struct Setup: Sendable {
        package var program: RunReport.Program
        package var search: ModelSearch
        /// What is loaded before the first job comes.
        package var options: AnalysisOptions
        /// How long a job may take to stop; then the process ends itself, as nobody may be left to do it.
        package var grace: Duration

        package init(
            program: RunReport.Program, search: ModelSearch, options: AnalysisOptions = AnalysisOptions(),
            grace: Duration = .seconds(20)
        ) {
            self.program = program
            self.search = search
            self.options = options
            self.grace = grace
        }
    }

    private let setup: Setup
    private let logger: Logger
    private let inbox: OrderInbox
    private let channel: ReportChannel
    private let pulse = Mutex(Pulse())

    /// Takes the process's standard input and output for itself.
    package init(_ setup: Setup, logger: Logger) {
        self.setup = setup
        self.logger = logger
        inbox = OrderInbox(input: STDIN_FILENO, logger: logger)
        channel = .takingStandardOutput()
    }

    /// As the end of standard input: for signals.
    package func stop() { inbox.stop() }

    /// Until standard input ends or a stop is ordered.
    /// - Returns: `tryLater` where a job was stopped.
    package func run() -> ExitReason {
        ProcessLimits.forbidCoreFiles()
        let reader = StageThread(name: "orders") { [self] in inbox.watch { tick() } }
        defer { withExtendedLifetime(reader) {} }
        var installation = warmUp()
        channel.send(
            JobReport(
                job: 0, attempt: 0,
                .ready(
                    WorkerIdentity(pid: getpid(), version: setup.program.version, commit: setup.program.commit))))
        var stopped = false
        while let next = inbox.next() {
            pulse.withLock { $0.begin(next.job, next.attempt) }
            channel.send(JobReport(job: next.job, attempt: next.attempt, .started))
            let job = RunningJob(id: next.job, attempt: next.attempt, cancellation: next.cancellation)
            let end = perform(job, next.description, &installation)
            pulse.withLock { $0.job = nil }
            stopped = stopped || end.isStopped
            channel.send(JobReport(job: next.job, attempt: next.attempt, end))
        }
        for order in inbox.takeWaiting() {
            stopped = true
            let reason = "job \(order.job) was not begun: the worker was told to end"
            channel.send(
                JobReport(job: order.job, attempt: order.attempt, .failed(JobFailure(exit: .tryLater, reason: reason))))
        }
        return stopped ? .tryLater : .done
    }

    /// What is missing here is said by the job that needs it.
    private func warmUp() -> Installation? {
        do throws(PipelineError) {
            let installation = try Installation(options: setup.options, search: setup.search, logger: logger)
            _ = try installation.detector()
            return installation
        } catch {
            logger.warning("\(error)")
            return nil
        }
    }

    private struct RunningJob {
        let id: Int64
        let attempt: Int
        let cancellation: Cancellation
    }

    private func perform(
        _ job: RunningJob, _ description: JobDescription, _ installation: inout Installation?
    ) -> JobEvent {
        for name in ProcessLimits.apply(description.limits) {
            logger.warning("the limit \(name) cannot be set here")
        }
        do throws(PipelineError) {
            let options = try AnalysisOptions(description.options)
            let here: Installation
            if let same = installation?.with(options) {
                here = same
            } else {
                here = try Installation(options: options, search: setup.search, logger: logger)
            }
            installation = here
            switch description.work {
            case .input(let input): return try analyse(input, job, here)
            case .stream(let stream): return try follow(stream, job, here)
            }
        } catch {
            return .failed(failure(error))
        }
    }

    private func analyse(
        _ input: InputWork, _ job: RunningJob, _ installation: Installation
    ) throws(PipelineError) -> JobEvent {
        let lock = try input.workFolder.map { folder throws(PipelineError) in try Self.lock(folder, input) }
        defer { lock?.release() }
        let work = input.workFolder.map {
            WorkSettings(folder: $0, interval: .milliseconds(Int64(input.checkpointSeconds * 1000)))
        }
        var analysis = AnalysisJob(
            path: input.path, relative: input.relative, outputRoot: input.outputRoot, program: setup.program, work: work
        )
        analysis.hooks.replacesSame = input.replacesResult
        analysis.hooks.hashed = { [channel, inbox] sha256, settingsHash in
            channel.send(
                JobReport(job: job.id, attempt: job.attempt, .hashed(sha256: sha256, settingsHash: settingsHash)))
            return input.asksForSame ? inbox.answer() : nil
        }
        analysis.hooks.mayPublish = { [inbox] in inbox.mayPublish() }
        let outcome = try analysis.run(
            installation, cancellation: job.cancellation, logger: logger,
            onCheckpoint: { [channel] note in
                let checkpoint = JobCheckpoint(
                    frames: note.frames, positionSeconds: Double(note.time.microseconds) / 1e6, resumed: note.resumed)
                channel.send(JobReport(job: job.id, attempt: job.attempt, .checkpoint(checkpoint)))
            }, progress: { [self] in tell($0, job) })
        if outcome.exit == .interrupted {
            throw PipelineError(.interrupted, "\(PathBytes.shown(input.path)): interrupted")
        }
        return outcome.skipped ? .skipped(outcome.jobResult) : .published(outcome.jobResult)
    }

    /// Ends only when it is told to, or by what no reconnecting cures.
    private func follow(
        _ stream: StreamDescription, _ job: RunningJob, _ installation: Installation
    ) throws(PipelineError) -> JobEvent {
        _ = try StreamJob(stream, program: setup.program).run(
            installation, cancellation: job.cancellation, logger: logger
        ) { [channel] report in
            channel.send(JobReport(job: job.id, attempt: job.attempt, .stream(report)))
        }
        return .failed(JobFailure(exit: .tryLater, reason: "\(stream) was stopped"))
    }

    private static func lock(_ folder: [UInt8], _ input: InputWork) throws(PipelineError) -> WorkLock {
        let lock: WorkLock?
        do throws(ResultsError) {
            lock = try WorkLock(folder: folder)
        } catch {
            throw PipelineError(error.exitReason, error.description, isDiskFull: error.isNoSpace)
        }
        guard let lock else {
            throw PipelineError(
                .tryLater,
                "\(PathBytes.shown(input.path)): another process is still working on it in \(PathBytes.shown(folder))")
        }
        return lock
    }

    /// A run that was told to end says so, whatever it met on the way out: if that was the input's fault, the next run
    /// meets it again, while an input that is called bad is not looked at any more.
    private func failure(_ error: PipelineError) -> JobFailure {
        switch inbox.fate {
        case .cancelled: JobFailure(exit: .interrupted, reason: "cancelled")
        case .stopped: JobFailure(exit: .tryLater, reason: error.description)
        case nil: JobFailure(exit: error.exit, reason: error.description, isDiskFull: error.isDiskFull)
        }
    }

    private func tell(_ progress: RunProgress, _ job: RunningJob) {
        guard pulse.withLock({ $0.isDue(progress.frames) }) else { return }
        channel.send(
            JobReport(
                job: job.id, attempt: job.attempt,
                .progress(JobProgress(share: progress.share, frames: progress.frames))
            ))
    }

    /// On the orders' thread: says that work goes on where the run itself has nothing to say, and ends the process
    /// where the run does not end.
    private func tick() {
        if let since = inbox.ending, ContinuousClock.now - since > setup.grace {
            logger.error("the job does not stop; the worker ends without it")
            _exit(ExitReason.tryLater.rawValue)
        }
        if let job = pulse.withLock({ $0.livelyJob(traffic: ProcessTraffic.bytes()) }) {
            channel.send(JobReport(job: job.id, attempt: job.attempt, .alive))
        }
    }
}

/// When something was last told of the running job, and whether it moves.
private struct Pulse {
    /// Twice a second is enough for a progress bar.
    private static let interval = Duration.milliseconds(500)
    /// More than the reading of the figures itself moves.
    private static let leastTraffic: Int64 = 8 << 10

    var job: (id: Int64, attempt: Int)?
    private var told = ContinuousClock.now
    private var traffic: Int64 = 0

    mutating func begin(_ id: Int64, _ attempt: Int) {
        job = (id, attempt)
        told = .now
    }

    mutating func isDue(_ frames: Int) -> Bool {
        let now = ContinuousClock.now
        guard frames == 1 || now - told >= Self.interval else { return false }
        told = now
        return true
    }

    /// The job, if it has moved bytes and told nothing for a while.
    mutating func livelyJob(traffic now: Int64) -> (id: Int64, attempt: Int)? {
        guard let job, ContinuousClock.now - told >= .seconds(1) else { return nil }
        guard now - traffic >= Self.leastTraffic else { return nil }
        traffic = now
        told = .now
        return job
    }
}

extension JobEvent {
    fileprivate var isStopped: Bool {
        if case .failed(let failure) = self { failure.exit == .tryLater } else { false }
    }
}

extension AnalysisJob.Outcome {
    fileprivate var jobResult: JobResult {
        var result = JobResult(status: status, path: folder, exit: exit)
        result.frames = frames
        result.faces = faces
        result.seconds = seconds
        return result
    }
}
