// Cameras: each is a job without an end in a worker of its own. A worker that dies is started again; a stream that is
// taken out of the configuration is stopped, and its last segment published.

internal import Core
internal import Foundation
internal import Ledger
internal import Logging
internal import Results
internal import ServiceConfig
internal import Workers

actor StreamSupervisor {
    typealias Settings = ServiceConfiguration.Stream

    private struct Entry {
        let settings: Settings
        let task: Task<Void, Never>
        var stats: StreamStats?
        var detail: String?
    }

    /// For the last segment.
    private static let stopLimit = Duration.seconds(8)

    private let ledger: Ledger
    private let hooks: HookRunner
    private let logger: Logger
    private let results: [UInt8]
    private let executable: String
    private let arguments: [String]
    private let analysis: ServiceConfiguration.Analysis
    private let workers: ServiceConfiguration.Workers
    private let environment: [String: String]
    /// Told about once a second for each stream.
    private let changed: @Sendable (StreamFigures) -> Void
    private let removed: @Sendable (String) -> Void
    private var entries: [String: Entry] = [:]

    init(
        _ configuration: ServiceConfiguration, ledger: Ledger, hooks: HookRunner,
        worker: (executable: String, arguments: [String]),
        environment: [String: String], logger: Logger, changed: @escaping @Sendable (StreamFigures) -> Void,
        removed: @escaping @Sendable (String) -> Void
    ) {
        self.ledger = ledger
        self.hooks = hooks
        self.logger = logger
        (executable, arguments) = worker
        self.environment = environment
        self.changed = changed
        self.removed = removed
        results = Array(configuration.state.resultsFolder.utf8)
        analysis = configuration.analysis
        workers = configuration.workers
    }

    var figures: [StreamFigures] {
        entries.values.map { StreamFigures(settings: $0.settings, stats: $0.stats, detail: $0.detail) }
            .sorted { $0.settings.name < $1.settings.name }
    }

    func use(_ changes: ServiceConfiguration.StreamChanges) async {
        await stop(changes.ended)
        for stream in changes.begun { start(stream) }
    }

    func stopAll() async { await stop(Array(entries.keys)) }

    private func start(_ settings: Settings) {
        let task = Task { await self.keepRunning(settings) }
        entries[settings.name] = Entry(settings: settings, task: task)
    }

    private func stop(_ names: [String]) async {
        let ended = names.compactMap { entries.removeValue(forKey: $0)?.task }
        for task in ended { task.cancel() }
        for task in ended { await task.value }
        for name in names { removed(name) }
    }

    private func keepRunning(_ settings: Settings) async {
        var pause = Duration.seconds(1)
        while !Task.isCancelled {
            let begun = ContinuousClock.now
            let outcome = await runOnce(settings)
            if Task.isCancelled { return }
            let reason = outcome.reason ?? "ended"
            if Retry.classify(outcome) == .failAtOnce {
                logger.error(
                    "stream \(settings.name): \(redacted(reason)); it is not tried again before the next reload")
                entries[settings.name]?.detail = redacted(reason)
                tell(settings.name)
                return
            }
            // A stream that ran for a while begins anew at once.
            if begun.duration(to: .now) > .seconds(60) { pause = .seconds(1) }
            logger.warning(
                "stream \(settings.name): its worker ended: \(redacted(reason)); again in \(Amount.text(pause))")
            entries[settings.name]?.detail = redacted(reason)
            tell(settings.name)
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(60))
        }
    }

    /// One worker process from its start to its end.
    private func runOnce(_ settings: Settings) async -> JobOutcome {
        var pool = WorkerPool.Settings(executable: executable, count: 1)
        pool.arguments = arguments
        pool.jobsPerWorker = 1
        pool.stall = .seconds(60)
        pool.memoryBytes = workers.memory
        let workerPool = WorkerPool(pool, logger: logger)
        let description = await description(settings)
        // A task of its own: cancelled with the stream it would kill its process, whose last segment would be lost.
        let processes = Task { await workerPool.run() }
        let outcome = await withTaskCancellationHandler {
            await workerPool.perform(0, attempt: 1, description) { await self.take($0, of: settings) }
        } onCancel: {
            Task { await workerPool.stop(within: Self.stopLimit) }
        }
        await workerPool.stop(within: Self.stopLimit)
        await processes.value
        return outcome
    }

    private func description(_ settings: Settings) async -> JobDescription {
        var stream = StreamDescription(name: settings.name, outputRoot: results)
        stream.url = settings.url?.text
        stream.urlFile = settings.urlFile.flatMap {
            ServiceConfiguration.credentialPath($0, environment: environment).map { Array($0.utf8) }
        }
        stream.purpose = settings.purpose
        stream.notice = settings.notice
        stream.transport = StreamDescription.Transport(rawValue: settings.transport.rawValue) ?? .tcp
        stream.segmentSeconds = max(1, Int(settings.segment.microseconds / 1_000_000))
        stream.framesPerSecond = settings.fps
        stream.size = settings.size
        stream.region = settings.region.flatMap { StreamRegion(x: $0.x, y: $0.y, width: $0.width, height: $0.height) }
        stream.schedule = settings.schedule
        stream.video = StreamDescription.Pictures(rawValue: settings.video.rawValue) ?? .none
        stream.limits.connectSeconds = Double(settings.connectLimit.microseconds) / 1e6
        stream.limits.firstFrameSeconds = Double(settings.firstFrameLimit.microseconds) / 1e6
        stream.limits.stallSeconds = Double(settings.stallLimit.microseconds) / 1e6
        if let kept = try? await ledger.stream(settings.name) {
            stream.state = StreamState(
                originUTC: kept.originMicroseconds, nextFrame: Int(kept.nextFrame), lastFaceID: Int(kept.lastFaceID),
                lastTimestamp: kept.lastTimestampMicroseconds)
        }
        var options = JobOptions(analysis)
        options.from = nil
        options.to = nil
        // A new face must not be seen until its first detection comes round.
        let isFree = analysis.detectEvery == .adaptive || analysis.detectEvery == .auto
        if settings.video == .blurred, isFree { options.detectEvery = "1" }
        return JobDescription(
            work: .stream(stream), options: options, limits: JobLimits(memoryBytes: workers.memory, oomScore: 300))
    }

    private func take(_ event: JobEvent, of settings: Settings) async {
        guard case .stream(let report) = event else { return }
        switch report {
        case .stats(let stats):
            entries[settings.name]?.stats = stats
            entries[settings.name]?.detail = stats.problem.map(redacted)
            if let state = stats.state { await keep(state, stats.phase.rawValue, of: settings) }
            tell(settings.name)
        case .published(let segment):
            await keep(segment.state, "live", of: settings)
            logger.info("stream \(settings.name): segment \(shown(segment.folder)), \(segment.frames) frames")
        case .event(let event):
            logger.notice("stream \(settings.name): \(event.kind.rawValue): \(redacted(event.detail))")
            var told = HookEvent(event: "stream", at: Date(timeIntervalSince1970: Double(event.utc) / 1e6))
            told.stream = settings.name
            told.status = event.kind.rawValue
            told.reason = redacted(event.detail)
            await hooks.tell(told)
        }
    }

    private func keep(_ state: StreamState, _ phase: String, of settings: Settings) async {
        do {
            try await ledger.save(
                Ledger.Stream(
                    name: settings.name, originMicroseconds: state.originUTC, nextFrame: Int64(state.nextFrame),
                    lastFaceID: Int64(state.lastFaceID), lastTimestampMicroseconds: state.lastTimestamp, state: phase))
        } catch {
            logger.error("stream \(settings.name): \(error)")
        }
    }

    private func tell(_ name: String) {
        guard let entry = entries[name] else { return }
        changed(StreamFigures(settings: entry.settings, stats: entry.stats, detail: entry.detail))
    }

    private func redacted(_ text: String) -> String { Redaction.redact(text) }
}

/// A stream as it is now.
struct StreamFigures: Sendable {
    let settings: ServiceConfiguration.Stream
    let stats: StreamStats?
    let detail: String?
}
