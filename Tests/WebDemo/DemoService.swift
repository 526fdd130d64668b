// A service that only pretends: jobs advance by a clock, so that the page can be looked at and driven by a browser.

import Foundation
import Web

actor DemoService: ServiceState {
    private var jobs: [Int64: JobView] = [:]
    private var streamViews: [StreamView] = []
    private let listener: AsyncStream<ServiceEvent>
    private let tell: AsyncStream<ServiceEvent>.Continuation
    private let settings: DemoSettings
    private let started = Date().timeIntervalSince1970
    private var ticks = 0

    init(_ settings: DemoSettings) {
        self.settings = settings
        (listener, tell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
    }

    func health() -> HealthView {
        HealthView(isAlive: true, version: "0.1.0 (demo)", uptimeSeconds: now - started, status: "pretending")
    }

    func readiness() -> ReadinessView { ReadinessView(isReady: true) }

    func jobs(_ query: JobQuery) -> JobPage {
        let matching = jobs.values.filter { job in
            (query.states.isEmpty || query.states.contains(job.state))
                && (query.text.map { job.path.lowercased().contains($0.lowercased()) } ?? true)
                && (query.before.map { job.id < $0 } ?? true)
        }.sorted { $0.id > $1.id }
        let page = Array(matching.prefix(query.limit))
        return JobPage(jobs: page, next: matching.count > page.count ? page.last?.id : nil, counts: counts)
    }

    func job(_ id: Int64) -> JobView? { jobs[id] }

    func retry(_ id: Int64) throws -> JobView {
        guard var job = jobs[id] else { throw ServiceRefusal.notFound("there is no job \(id)") }
        guard job.state == .failed || job.state == .cancelled || job.state == .done else {
            throw ServiceRefusal.conflict("job \(id) is \(job.state.rawValue); only one that ended can be retried")
        }
        job.state = .queued
        job.failure = nil
        job.progress = nil
        job.hasResult = false
        job.summary = nil
        job.queuedAt = now
        job.endedAt = nil
        set(job)
        return job
    }

    func cancel(_ id: Int64) throws -> JobView {
        guard var job = jobs[id] else { throw ServiceRefusal.notFound("there is no job \(id)") }
        guard job.state == .queued || job.state == .running else {
            throw ServiceRefusal.conflict("job \(id) has ended already")
        }
        job.state = .cancelled
        job.progress = nil
        job.endedAt = now
        set(job)
        return job
    }

    func resultFolder(_ id: Int64) -> [UInt8]? {
        guard let job = jobs[id], job.hasResult else { return nil }
        return Array((job.path.hasSuffix(".mp4") ? settings.video : settings.picture).utf8)
    }

    func upload(_ path: [UInt8]) async throws -> any UploadSink {
        let folder = try await FolderUpload.open(path, below: Array(settings.incoming.utf8))
        return DemoUpload(inner: folder) { await self.add(path) }
    }

    func streams() -> [StreamView] { streamViews }

    func streamFrame(_ name: String) -> [UInt8]? {
        name == "entrance" ? FileManager.default.contents(atPath: settings.frame).map(Array.init) : nil
    }

    func metrics() -> MetricsValues {
        var values = MetricsValues(version: "0.1.0", startTime: started)
        values.jobs = counts
        values.jobsEnded = ["complete": 12, "failed": 1]
        values.streams = streamViews.map { StreamMetrics(view: $0, stageSeconds: ["decode": 1.5, "faces": 9.25]) }
        return values
    }

    func events() -> AsyncStream<ServiceEvent> { listener }

    // MARK: pretending

    private var now: Double { Date().timeIntervalSince1970 }

    private var counts: [JobState: Int] { jobs.values.reduce(into: [:]) { $0[$1.state, default: 0] += 1 } }

    private func set(_ job: JobView) {
        jobs[job.id] = job
        tell.yield(.job(job))
        tell.yield(.counts(counts))
    }

    func add(_ path: [UInt8]) {
        set(JobView(id: Int64(jobs.count + 1), path: path, state: .queued, queuedAt: now, bytes: 18_400_000))
    }

    func fill() {
        for name in DemoData.names { add(Array(name.utf8)) }
        for id in jobs.keys.sorted().prefix(7) {
            guard let job = jobs[id] else { continue }
            end(job, startedAt: now - 9000 + Double(id) * 400)
        }
        streamViews = DemoData.streams(now)
    }

    func run() async throws {
        while true {
            try await Task.sleep(for: settings.tick)
            ticks += 1
            advanceJobs()
            advanceStreams()
        }
    }

    private func advanceJobs() {
        // A test that looks at jobs under way must not race with them: while this file is there, they stop on the way.
        let isHeld = FileManager.default.fileExists(atPath: settings.incoming + "/.hold")
        for var job in jobs.values where job.state == .running {
            let before = job.progress?.fraction ?? 0
            if isHeld, before > (job.id.isMultiple(of: 2) ? 0.6 : 0.25) { continue }
            let fraction = before + 0.02
            if fraction >= (job.path.contains("broken") && job.attempts < 2 ? 0.35 : 1) {
                end(job, startedAt: job.startedAt ?? now)
            } else {
                job.progress = JobProgress(
                    fraction: fraction, frames: Int(fraction * 2160), framesPerSecond: 43.2,
                    remaining: (1 - fraction) * 50)
                jobs[job.id] = job
                if let progress = job.progress {
                    tell.yield(.progress(JobProgressEvent(id: job.id, progress: progress)))
                }
            }
        }
        let running = jobs.values.count { $0.state == .running }
        guard running < 2, var next = jobs.values.filter({ $0.state == .queued }).min(by: { $0.queuedAt < $1.queuedAt })
        else { return }
        next.state = .running
        next.attempts += 1
        next.startedAt = now
        next.progress = JobProgress(fraction: 0, frames: 0)
        set(next)
    }

    private func end(_ job: JobView, startedAt: Double) {
        var job = job
        job.startedAt = startedAt
        job.endedAt = min(now, startedAt + 73)
        job.attempts = max(job.attempts, 1)
        job.progress = nil
        if job.path.contains("broken"), job.attempts < 2 {
            job.state = .failed
            job.failure = DemoData.failure
        } else {
            job.state = .done
            job.outcome = job.path.contains("interview") ? .partial : .complete
            job.hasResult = true
            job.summary = DemoData.summary(job.path)
        }
        set(job)
    }

    private func advanceStreams() {
        let time = now
        streamViews = streamViews.map { DemoData.advance($0, ticks: ticks, now: time) }
        guard ticks.isMultiple(of: 4) else { return }
        for stream in streamViews { tell.yield(.stream(stream)) }
    }
}

private struct DemoUpload: UploadSink {
    let inner: FolderUpload
    let done: @Sendable () async -> Void

    func write(_ bytes: [UInt8]) async throws { try await inner.write(bytes) }

    func finish() async throws {
        try await inner.finish()
        await done()
    }

    func abandon() async { await inner.abandon() }
}

extension DemoService {
    func why(_ path: [UInt8]) async throws -> WhyView {
        WhyView(path: String(decoding: path, as: UTF8.self), now: "a demo knows nothing of it", events: [])
    }

    func verify() async throws -> VerifyView { VerifyView(jobs: 0, results: 0, problems: []) }

    func purge(_ path: [UInt8]) async throws -> PurgeView {
        PurgeView(path: String(decoding: path, as: UTF8.self), removed: [])
    }
}
