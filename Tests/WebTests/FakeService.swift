// A service of plain values: what the server asks is kept, what it gets is set by the test.

import Synchronization
import Web

final class FakeService: ServiceState {
    struct Values {
        var jobs: [Int64: JobView] = [:]
        var streams: [StreamView] = []
        var frames: [String: [UInt8]] = [:]
        var folders: [Int64: [UInt8]] = [:]
        var metrics = MetricsValues(version: "1.2.3", startTime: 1_764_000_000)
        var readiness = ReadinessView(isReady: true)
        var isAlive = true
        var incoming: [UInt8] = []
        var refusal: ServiceRefusal?
        var queries: [JobQuery] = []
        var retried: [Int64] = []
        var cancelled: [Int64] = []
        var uploads: [[UInt8]] = []
    }

    let values: Mutex<Values>
    private let listener: AsyncStream<ServiceEvent>
    private let continuation: AsyncStream<ServiceEvent>.Continuation

    init(_ change: (inout Values) -> Void = { _ in }) {
        var values = Values()
        change(&values)
        self.values = Mutex(values)
        (listener, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
    }

    func tell(_ event: ServiceEvent) { continuation.yield(event) }

    func health() -> HealthView {
        HealthView(isAlive: values.withLock { $0.isAlive }, version: "1.2.3", uptimeSeconds: 4, status: "well")
    }

    func readiness() -> ReadinessView { values.withLock { $0.readiness } }

    func jobs(_ query: JobQuery) throws -> JobPage {
        try values.withLock { values in
            if let refusal = values.refusal { throw refusal }
            values.queries.append(query)
            return JobPage(
                jobs: values.jobs.values.sorted { $0.id > $1.id }, next: 7,
                counts: values.jobs.values.reduce(into: [:]) { $0[$1.state, default: 0] += 1 })
        }
    }

    func job(_ id: Int64) -> JobView? { values.withLock { $0.jobs[id] } }

    func retry(_ id: Int64) throws -> JobView {
        try values.withLock { values in
            guard var job = values.jobs[id] else { throw ServiceRefusal.notFound("there is no job \(id)") }
            guard job.state == .failed else { throw ServiceRefusal.conflict("job \(id) has not failed") }
            values.retried.append(id)
            job.state = .queued
            values.jobs[id] = job
            return job
        }
    }

    func cancel(_ id: Int64) throws -> JobView {
        try values.withLock { values in
            guard var job = values.jobs[id] else { throw ServiceRefusal.notFound("there is no job \(id)") }
            values.cancelled.append(id)
            job.state = .cancelled
            return job
        }
    }

    func resultFolder(_ id: Int64) -> [UInt8]? { values.withLock { $0.folders[id] } }

    func upload(_ path: [UInt8]) async throws -> any UploadSink {
        let incoming = try values.withLock { values in
            if let refusal = values.refusal { throw refusal }
            values.uploads.append(path)
            return values.incoming
        }
        return try await FolderUpload.open(path, below: incoming)
    }

    func streams() -> [StreamView] { values.withLock { $0.streams } }
    func streamFrame(_ name: String) -> [UInt8]? { values.withLock { $0.frames[name] } }
    func metrics() -> MetricsValues { values.withLock { $0.metrics } }
    func events() -> AsyncStream<ServiceEvent> { listener }
}
