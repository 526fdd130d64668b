// What the service and its workers say to each other: one JSON object a line, orders on the worker's standard input,
// reports on its standard output. Unknown members are ignored and unknown reports come as `other`, so that a service
// and a worker of neighbouring versions understand each other while one is being replaced.

package enum JobProtocol {
    /// Of a line in bytes, its end included: beyond it the other side is broken.
    package static let longestLine = 1 << 20
}

package enum JobProtocolError: Error, Hashable, Sendable, CustomStringConvertible {
    case tooLong(limit: Int)
    case malformed(line: String, reason: String)

    package var description: String {
        switch self {
        case .tooLong(let limit): "a line of the job protocol is longer than \(limit) bytes"
        case .malformed(let line, let reason): "not a line of the job protocol (\(reason)): \(line)"
        }
    }
}

/// A line to the worker.
package struct JobOrder: Hashable, Sendable {
    package enum What: Hashable, Sendable {
        case run(JobDescription)
        /// Keep what there is in the work folder, publish nothing, then end the process. Job 0 means whatever runs.
        case stop
        /// As `stop` for this job alone; the worker stays for others.
        case cancel
        /// To `hashed`, where the job asks: a result that answers already, or nil to go on.
        case answer(KnownResult?)
    }

    package let job: Int64
    /// Counts from 1. An answer to an earlier attempt is told apart by it.
    package let attempt: Int
    package let what: What

    package init(job: Int64, attempt: Int, _ what: What) {
        self.job = job
        self.attempt = attempt
        self.what = what
    }
}

/// A finished result of the same content and settings, wherever it lies.
package struct KnownResult: Hashable, Sendable {
    package var folder: [UInt8]
    package var isPartial: Bool

    package init(folder: [UInt8], isPartial: Bool) {
        self.folder = folder
        self.isPartial = isPartial
    }
}

/// A line from the worker.
package struct JobReport: Hashable, Sendable {
    package let job: Int64
    package let attempt: Int
    package let event: JobEvent

    package init(job: Int64, attempt: Int, _ event: JobEvent) {
        self.job = job
        self.attempt = attempt
        self.event = event
    }
}

package enum JobEvent: Hashable, Sendable {
    /// Of the process, with job 0: models are loaded, orders are awaited.
    case ready(WorkerIdentity)
    /// The order was taken up.
    case started
    /// What the result will be known by.
    case hashed(sha256: String, settingsHash: String)
    case progress(JobProgress)
    /// At work, with nothing to tell: hashing, skipping to a checkpoint, joining pieces of video.
    case alive
    case checkpoint(JobCheckpoint)
    /// Of streams: figures once a second, what happened, and what is published.
    case stream(StreamReport)

    // Each of these is a job's last.
    case published(JobResult)
    /// The same result was there already.
    case skipped(JobResult)
    case failed(JobFailure)

    /// Of a newer worker; by its name.
    case other(String)

    package var endsJob: Bool {
        switch self {
        case .published, .skipped, .failed: true
        case .ready, .started, .hashed, .progress, .alive, .checkpoint, .stream, .other: false
        }
    }
}

package struct WorkerIdentity: Hashable, Sendable, Codable {
    package var pid: Int32
    package var version: String
    package var commit: String

    package init(pid: Int32, version: String, commit: String) {
        self.pid = pid
        self.version = version
        self.commit = commit
    }
}

package struct JobProgress: Hashable, Sendable, Codable {
    /// Of the input's duration, 0 to 1; nil where that is unknown.
    package var share: Double?
    package var frames: Int
    /// In the media.
    package var positionSeconds: Double?

    package init(share: Double?, frames: Int, positionSeconds: Double? = nil) {
        self.share = share
        self.frames = frames
        self.positionSeconds = positionSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case share, frames
        case positionSeconds = "position_seconds"
    }
}

package struct JobCheckpoint: Hashable, Sendable, Codable {
    package var frames: Int
    package var positionSeconds: Double?
    /// An earlier run's, from which this one goes on.
    package var resumed: Bool

    package init(frames: Int, positionSeconds: Double?, resumed: Bool) {
        self.frames = frames
        self.positionSeconds = positionSeconds
        self.resumed = resumed
    }

    private enum CodingKeys: String, CodingKey {
        case frames, resumed
        case positionSeconds = "position_seconds"
    }
}

package struct JobResult: Hashable, Sendable {
    package var status: RunReport.Status
    /// The result's folder.
    package var path: [UInt8]
    package var exit: ExitReason
    package var frames = 0
    package var faces = 0
    package var seconds = 0.0

    package init(status: RunReport.Status, path: [UInt8], exit: ExitReason) {
        self.status = status
        self.path = path
        self.exit = exit
    }
}

package struct JobFailure: Hashable, Sendable {
    package var exit: ExitReason
    /// A sentence that names the input.
    package var reason: String
    package var isDiskFull: Bool

    package init(exit: ExitReason, reason: String, isDiskFull: Bool = false) {
        self.exit = exit
        self.reason = reason
        self.isDiskFull = isDiskFull
    }
}
