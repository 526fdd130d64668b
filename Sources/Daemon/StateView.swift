// The daemon as its HTTP side sees it.

internal import Foundation
internal import Ledger
internal import Logging
internal import Results
internal import ServiceConfig
internal import Synchronization
internal import Web
internal import Workers

/// Holds what the answers are made of; changes nothing but by the orders that people give.
final class StateView: ServiceState {
    struct Rooms: Sendable {
        let ledger: Ledger
        let board: Board
        let inputs: Inputs
        let events: EventHub<ServiceEvent>
        /// Nil where no service runs, and only the ledger is asked.
        let running: Running?
    }

    struct Running: Sendable {
        let intake: IntakeDriver
        let dispatcher: Dispatcher
        let pool: WorkerPool
        let streams: StreamSupervisor
    }

    private let rooms: Rooms
    private let version: String
    private let begun = Date.now
    private let monotonicBegin = ContinuousClock.now
    private let workers: Int
    private let configuration: Mutex<ServiceConfiguration>
    private let lane = BlockingLane("state")
    private let summaries = ResultSummaries()

    init(_ rooms: Rooms, configuration: ServiceConfiguration, version: String, workers: Int) {
        self.rooms = rooms
        self.version = version
        self.workers = workers
        self.configuration = Mutex(configuration)
    }

    func use(_ configuration: ServiceConfiguration) { self.configuration.withLock { $0 = configuration } }

    private var state: ServiceConfiguration.State { configuration.withLock { $0.state } }

    // MARK: Health

    func health() async -> HealthView {
        let uptime = monotonicBegin.duration(to: .now)
        return HealthView(
            isAlive: true, version: version, uptimeSeconds: Double(uptime.microseconds) / 1e6,
            status: rooms.board.obstacles.first ?? "at work")
    }

    func readiness() async -> ReadinessView {
        let reasons = rooms.board.obstacles
        return ReadinessView(isReady: reasons.isEmpty, reasons: reasons)
    }

    // MARK: Jobs

    func jobs(_ query: JobQuery) async throws -> JobPage {
        let states = Set(query.states.compactMap { Ledger.State(rawValue: $0.rawValue) })
        var found: [Shown] = []
        var before = query.before
        var next: Int64?
        repeat {
            let page = try await rooms.ledger.jobs(
                Ledger.Filter(states: states, before: before, limit: query.text == nil ? query.limit : 500))
            for job in page.jobs where found.count < query.limit {
                let view = view(job)
                if let text = query.text, !view.path.localizedCaseInsensitiveContains(text) { continue }
                found.append(Shown(view: view, result: job.result))
            }
            before = page.next
            next = found.count == query.limit ? found.last?.view.id : page.next
        } while found.count < query.limit && before != nil
        if found.count < query.limit { next = nil }
        return JobPage(jobs: await summarised(found), next: next, counts: try await counts())
    }

    func job(_ id: Int64) async throws -> JobView? {
        guard let job = try await rooms.ledger.job(id) else { return nil }
        return await summarised([Shown(view: view(job), result: job.result)]).first
    }

    /// A job's view, and where its result lies.
    private struct Shown {
        let view: JobView
        let result: [UInt8]?
    }

    private func summarised(_ shown: [Shown]) async -> [JobView] {
        let results = state.resultsFolder, summaries = summaries
        return await lane.run {
            shown.map { shown in
                var view = shown.view
                guard view.hasResult, let result = shown.result else { return view }
                view.summary = summaries.summary(
                    of: Array("\(results)/".utf8) + result,
                    for: ResultSummaries.Key(job: view.id, ended: view.endedAt))
                return view
            }
        }
    }

    func counts() async throws -> [Web.JobState: Int] {
        let counts = try await rooms.ledger.counts().states
        return Dictionary(
            uniqueKeysWithValues: Web.JobState.allCases.map {
                ($0, counts[Ledger.State(rawValue: $0.rawValue) ?? .queued] ?? 0)
            })
    }

    func retry(_ id: Int64) async throws -> JobView {
        guard let job = try await rooms.ledger.job(id) else { throw ServiceRefusal.notFound("there is no job \(id)") }
        guard [.done, .failed, .cancelled].contains(job.state) else {
            throw ServiceRefusal.conflict("job \(id) is \(job.state.rawValue); only one that ended can be tried again")
        }
        do { try await rooms.inputs.bringBack(job) } catch let error as InputError {
            throw ServiceRefusal.conflict("job \(id): \(error)")
        }
        guard let again = try await rooms.ledger.retry(id, replacing: true, who: "a person") else {
            throw ServiceRefusal.conflict("job \(id) changed meanwhile; look again")
        }
        await tell([again])
        await rooms.running?.dispatcher.look()
        return view(again)
    }

    func cancel(_ id: Int64) async throws -> JobView {
        switch try await rooms.ledger.cancel(id, who: "a person") {
        case .cancelled: break
        case .asked: await rooms.running?.pool.cancel(id)
        case .tooLate(let state): throw ServiceRefusal.conflict("job \(id) is \(state.rawValue) already")
        case .unknown: throw ServiceRefusal.notFound("there is no job \(id)")
        }
        guard let job = try await rooms.ledger.job(id) else { throw ServiceRefusal.notFound("there is no job \(id)") }
        await tell([job])
        return view(job)
    }

    func resultFolder(_ id: Int64) async throws -> [UInt8]? {
        guard let result = try await rooms.ledger.job(id)?.result else { return nil }
        return Array(state.resultsFolder.utf8) + [UInt8(ascii: "/")] + result
    }

    func upload(_ path: [UInt8]) async throws -> any UploadSink {
        if rooms.board.isPaused { throw ServiceRefusal.noSpace(rooms.board.obstacles.first ?? "no space") }
        return try await FolderUpload.open(path, below: Array(state.incomingFolder.utf8))
    }

    // MARK: Questions and orders of the command

    func why(_ path: [UInt8]) async throws -> WhyView {
        let why = try await rooms.ledger.why(path)
        return WhyView(
            path: shown(path), now: why.now,
            events: why.events.map {
                WhyEvent(at: $0.at.timeIntervalSince1970, kind: $0.kind.rawValue, job: $0.job, text: $0.text)
            })
    }

    func verify() async throws -> VerifyView {
        let configuration = configuration.withLock { $0 }
        let isIdle = await rooms.running?.dispatcher.runningJobs.isEmpty ?? true
        let ledger = try await rooms.ledger.verify()
        let report = try await lane.run { try Verifier(configuration: configuration).compare(ledger, isIdle: isIdle) }
        return VerifyView(jobs: report.jobs, results: report.results, problems: report.problems)
    }

    func purge(_ path: [UInt8]) async throws -> PurgeView {
        let purge = Purge(configuration: configuration.withLock { $0 }, ledger: rooms.ledger)
        let report: PurgeReport
        do { report = try await purge.run(path, who: "a person") } catch let error as InputError {
            throw ServiceRefusal.invalid(error.description)
        }
        if let running = report.running.first {
            throw ServiceRefusal.conflict("job \(running) of it runs; cancel it first")
        }
        if let counts = try? await counts() { rooms.events.tell(.counts(counts)) }
        rooms.running?.intake.tookAway(path)
        return PurgeView(path: shown(path), removed: report.removed)
    }

    // MARK: Streams and figures

    func streams() async throws -> [StreamView] { await figures.map { view($0) } }

    private var figures: [StreamFigures] { get async { await rooms.running?.streams.figures ?? [] } }

    func streamFrame(_ name: String) async throws -> [UInt8]? {
        let names = await figures.map(\.settings.name)
        guard names.contains(name) else { return nil }
        let file = "\(state.resultsFolder)/streams/\(name)/latest.jpg"
        return await lane.run { FileManager.default.contents(atPath: file).map { Array($0) } }
    }

    func metrics() async -> MetricsValues {
        var values = MetricsValues(version: version, startTime: begun.timeIntervalSince1970)
        if let counts = try? await rooms.ledger.counts() {
            for state in Web.JobState.allCases {
                values.jobs[state] = counts.states[Ledger.State(rawValue: state.rawValue) ?? .queued] ?? 0
            }
            for (result, count) in counts.results { values.jobsEnded[result.rawValue] = count }
            values.jobsEnded["failed"] = counts.states[.failed] ?? 0
            values.jobsEnded["cancelled"] = counts.states[.cancelled] ?? 0
        }
        let counters = rooms.board.counters
        values.retries = counters.retries
        values.framesAnalysed = counters.frames
        values.facesSeen = counters.faces
        let status = await rooms.running?.pool.status() ?? []
        values.workersBusy = status.count { $0.job != nil }
        values.workersLimit = workers
        values.daemonMemoryBytes = Self.residentBytes()
        values.workerMemoryBytes = status.compactMap(\.memoryBytes).reduce(0, +)
        values.diskFreeBytes = rooms.board.freeBytes
        values.isIntakePaused = rooms.board.isPaused
        values.streams = await figures.map {
            StreamMetrics(view: view($0), stageSeconds: $0.stats?.stages ?? [:])
        }
        return values
    }

    func events() async -> AsyncStream<ServiceEvent> { rooms.events.listen() }

    /// Tells all listeners of jobs and of the queue.
    func tell(_ jobs: [Ledger.Job]) async {
        guard rooms.events.isHeard, !jobs.isEmpty else { return }
        for view in await summarised(jobs.map { Shown(view: view($0), result: $0.result) }) {
            rooms.events.tell(.job(view))
        }
        // Counting reads the whole table: once for ten thousand files, not ten thousand times.
        if let counts = try? await counts() { rooms.events.tell(.counts(counts)) }
    }

    /// Of /proc/self/statm, whose second number counts resident pages.
    private static func residentBytes() -> Int64 {
        let text = FileManager.default.contents(atPath: "/proc/self/statm").map { String(decoding: $0, as: UTF8.self) }
        let pages = text?.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0
        return pages * Int64(NSPageSize())
    }
}

// MARK: Views

extension StateView {
    func view(_ job: Ledger.Job) -> JobView {
        var view = JobView(
            id: job.id, path: job.path, state: Web.JobState(rawValue: job.state.rawValue) ?? .failed,
            queuedAt: job.created.timeIntervalSince1970, bytes: job.fingerprint.sizeBytes, priority: job.priority,
            attempts: job.attempt, hasResult: job.result != nil && job.state == .done)
        view.outcome = job.state == .done ? job.resultStatus.flatMap { Web.JobOutcome(rawValue: $0.rawValue) } : nil
        view.startedAt = job.started?.timeIntervalSince1970
        view.endedAt = job.finished?.timeIntervalSince1970
        if job.state == .queued {
            view.notBefore = job.notBefore?.timeIntervalSince1970
            view.waitingFor = job.notBefore != nil ? job.reason : rooms.board.obstacles.first
        }
        if job.state == .running { view.progress = rooms.board.progress(job.id).map(Self.view) }
        if job.state == .failed || (job.state == .queued && job.failures > 0) {
            view.failure = Web.JobFailure(
                reason: job.reason ?? "", exitCode: job.exitCode.map { Int($0) }, log: job.log,
                willRetry: job.state == .queued)
        }
        view.sameAs = job.answeredBy
        return view
    }

    static func view(_ progress: Board.Progress) -> Web.JobProgress {
        let seconds = Double(progress.begun.duration(to: .now).microseconds) / 1e6
        let share = progress.share ?? 0
        return Web.JobProgress(
            fraction: progress.share, frames: progress.frames,
            framesPerSecond: seconds > 0 ? Double(progress.frames) / seconds : nil,
            remaining: share > 0.01 ? seconds / share * (1 - share) : nil)
    }

    func view(_ figures: StreamFigures) -> StreamView {
        let settings = figures.settings, stats = figures.stats
        var view = StreamView(
            name: settings.name, url: settings.url?.description ?? "", phase: .connecting, purpose: settings.purpose,
            notice: settings.notice)
        view.detail = figures.detail
        guard let stats else { return view }
        view.phase = StreamPhase(rawValue: stats.phase.rawValue) ?? .connecting
        view.framesPerSecondIn = stats.fpsIn
        view.framesPerSecondAnalysed = stats.fpsOut
        view.lagSeconds = stats.lagSeconds
        view.framesIn = stats.framesIn
        view.analysed = stats.analysed
        view.dropped = stats.dropped
        view.reconnects = stats.reconnects
        view.stalls = stats.stalls
        view.segments = stats.segments
        view.lastFrameAt = stats.lastFrameUTC.map { Double($0) / 1e6 }
        view.faces = stats.faces.map {
            StreamFaceView(id: $0.id, dominant: $0.dominant, probabilities: $0.probabilities.mapValues(Double.init))
        }
        view.hasFrame = settings.video != .none
        return view
    }
}
