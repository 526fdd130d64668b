// What the HTTP side needs of the daemon, and nothing of how the daemon does it: the daemon implements this protocol,
// the tests implement it with values.

/// Every method may be called at any time and by many requests at once.
///
/// Paths are bytes, as the kernel knows them. Nothing that is given here may hold a secret: what goes in comes out on
/// pages, in answers and in metric labels.
package protocol ServiceState: Sendable {
    /// Is the process alive? Answers without waiting for disk or database.
    func health() async -> HealthView
    /// Would a job that comes now be done? Not while starting, stopping or with intake paused.
    func readiness() async -> ReadinessView

    func jobs(_ query: JobQuery) async throws -> JobPage
    /// nil: there is no such job.
    func job(_ id: Int64) async throws -> JobView?
    /// Queues a job that ended once more; its new result replaces the old one.
    func retry(_ id: Int64) async throws -> JobView
    func cancel(_ id: Int64) async throws -> JobView
    /// Where the job's published result lies; nil: no such job, or it has no result.
    func resultFolder(_ id: Int64) async throws -> [UInt8]?

    /// Opens a file below the watched folder. `path` is relative, has passed `UploadPath`, and so holds no empty, hidden,
    /// `.` or `..` component. `FolderUpload` is the sink for a plain folder.
    func upload(_ path: [UInt8]) async throws -> any UploadSink

    /// Every sighting and decision about a path below the watched folder.
    func why(_ path: [UInt8]) async throws -> WhyView
    /// Do the ledger, the folders and the results agree?
    func verify() async throws -> VerifyView
    /// Removes all that belongs to the inputs at a path or below it.
    func purge(_ path: [UInt8]) async throws -> PurgeView

    func streams() async throws -> [StreamView]
    /// The JPEG that shows the stream's last annotated frame; nil: no such stream, or it keeps no pictures.
    func streamFrame(_ name: String) async throws -> [UInt8]?

    func metrics() async -> MetricsValues
    /// What changes from now on. Called once by each running `WebServer`, which numbers the events, keeps the last ones
    /// and passes them to all listeners. The stream ends when the service stops; it is bounded, losing the oldest.
    func events() async -> AsyncStream<ServiceEvent>
}

/// A file on its way in. Exactly one of `finish` and `abandon` is called, last; calls never overlap.
package protocol UploadSink: Sendable {
    func write(_ bytes: [UInt8]) async throws
    /// Makes the file durable and visible under its name; only then may the intake see it.
    func finish() async throws
    func abandon() async
}

/// Why the service does not do what it was asked for; the text is for the person who asked.
package enum ServiceRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// No job, file or stream of that name (404).
    case notFound(String)
    /// The request is understood, but not in this state: a running job cannot be retried (409).
    case conflict(String)
    /// The request itself is wrong (400).
    case invalid(String)
    /// Not now, perhaps later: starting, stopping, intake paused (503).
    case unavailable(String)
    /// No room on the disk (507).
    case noSpace(String)

    package var description: String {
        switch self {
        case .notFound(let text), .conflict(let text), .invalid(let text), .unavailable(let text), .noSpace(let text):
            text
        }
    }
}
