// Jobs as the API and the page show them. Keys in JSON are these names in snake_case; times are seconds since 1970.

internal import Foundation

package enum JobState: String, Codable, Hashable, Sendable, CaseIterable {
    case queued, running, done, failed, cancelled
}

/// How a job that is done came out.
package enum JobOutcome: String, Codable, Hashable, Sendable, CaseIterable {
    case complete
    /// Damaged input: what could be read is published.
    case partial
    /// A result of the same identity existed; nothing was analysed.
    case skipped
}

package struct JobView: Codable, Hashable, Sendable, Identifiable {
    package var id: Int64
    /// Below the watched folder; bytes that are no UTF-8 are shown as U+FFFD.
    package var path: String
    /// The exact bytes where `path` would lose them.
    package var pathBase64: String?
    package var state: JobState
    package var outcome: JobOutcome?
    package var bytes: Int64?
    package var priority: Int
    package var attempts: Int
    package var queuedAt: Double
    package var startedAt: Double?
    package var endedAt: Double?
    /// Of a queued job that waits: no earlier than this, and why.
    package var notBefore: Double?
    package var waitingFor: String?
    package var progress: JobProgress?
    package var failure: JobFailure?
    package var summary: JobSummary?
    package var hasResult: Bool
    /// The earlier job whose result a skipped one points to.
    package var sameAs: Int64?

    package init(
        id: Int64, path: [UInt8], state: JobState, queuedAt: Double, outcome: JobOutcome? = nil, bytes: Int64? = nil,
        priority: Int = 0, attempts: Int = 0, hasResult: Bool = false
    ) {
        self.id = id
        self.path = String(decoding: path, as: UTF8.self)
        self.pathBase64 =
            String(validating: path, as: UTF8.self) == nil ? Data(path).base64EncodedString() : nil
        self.state = state
        self.outcome = outcome
        self.bytes = bytes
        self.priority = priority
        self.attempts = attempts
        self.queuedAt = queuedAt
        self.hasResult = hasResult
    }
}

package struct JobProgress: Codable, Hashable, Sendable {
    /// 0…1; nil where the input's length is not known.
    package var fraction: Double?
    package var frames: Int
    package var framesPerSecond: Double?
    /// Seconds until it is done, estimated.
    package var remaining: Double?

    package init(fraction: Double?, frames: Int, framesPerSecond: Double? = nil, remaining: Double? = nil) {
        self.fraction = fraction
        self.frames = frames
        self.framesPerSecond = framesPerSecond
        self.remaining = remaining
    }
}

package struct JobFailure: Codable, Hashable, Sendable {
    /// One sentence: what failed and the way out.
    package var reason: String
    /// Exit status of the worker; nil when a signal ended it.
    package var exitCode: Int?
    package var signal: Int?
    package var log: [String]
    /// Another attempt follows by itself.
    package var willRetry: Bool

    package init(
        reason: String, exitCode: Int? = nil, signal: Int? = nil, log: [String] = [], willRetry: Bool = false
    ) {
        self.reason = reason
        self.exitCode = exitCode
        self.signal = signal
        self.log = log
        self.willRetry = willRetry
    }
}

/// The few numbers of a result that a list shows.
package struct JobSummary: Codable, Hashable, Sendable {
    package var frames: Int
    package var faces: Int
    /// Seconds of media; nil for pictures.
    package var duration: Double?
    /// Share of the time, by expression.
    package var expressions: [String: Double]
    package var warnings: [String]

    package init(
        frames: Int, faces: Int, duration: Double? = nil, expressions: [String: Double] = [:], warnings: [String] = []
    ) {
        self.frames = frames
        self.faces = faces
        self.duration = duration
        self.expressions = expressions
        self.warnings = warnings
    }
}

/// One page of the list, newest first.
package struct JobQuery: Hashable, Sendable {
    /// Empty: all.
    package var states: Set<JobState>
    /// A part of the path, without regard to case; nil: all.
    package var text: String?
    /// 1…500.
    package var limit: Int
    /// Only jobs with smaller ids: the last page's `next`.
    package var before: Int64?

    package init(states: Set<JobState> = [], text: String? = nil, limit: Int = 50, before: Int64? = nil) {
        self.states = states
        self.text = text
        self.limit = limit
        self.before = before
    }
}

package struct JobPage: Codable, Hashable, Sendable {
    package var jobs: [JobView]
    /// Give it as `before` for the next page; nil: this is the last one.
    package var next: Int64?
    /// Of the whole queue, whatever the query.
    package var counts: [JobState: Int]

    package init(jobs: [JobView], next: Int64?, counts: [JobState: Int]) {
        self.jobs = jobs
        self.next = next
        self.counts = counts
    }

    private enum CodingKeys: CodingKey {
        case jobs, next, counts
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        jobs = try container.decode([JobView].self, forKey: .jobs)
        next = try container.decodeIfPresent(Int64.self, forKey: .next)
        counts = QueueCounts(try container.decode([String: Int].self, forKey: .counts)).values
    }

    /// A dictionary with enum keys would be written as a list; all states are named, so that a reader sees zeros.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(jobs, forKey: .jobs)
        try container.encode(next, forKey: .next)
        try container.encode(QueueCounts(counts).named, forKey: .counts)
    }
}

/// Counts by state, with all states named.
struct QueueCounts {
    let values: [JobState: Int]

    init(_ values: [JobState: Int]) { self.values = values }

    init(_ named: [String: Int]) {
        values = named.reduce(into: [:]) { result, entry in
            if let state = JobState(rawValue: entry.key) { result[state] = entry.value }
        }
    }

    var named: [String: Int] {
        JobState.allCases.reduce(into: [:]) { $0[$1.rawValue] = values[$1] ?? 0 }
    }
}
