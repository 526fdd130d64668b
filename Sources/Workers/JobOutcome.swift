// How a job ended, as the service sees it: what the worker said, or what became of the worker.

package import Results

package struct JobOutcome: Hashable, Sendable {
    package enum End: Hashable, Sendable {
        case published
        /// The same result was there already.
        case skipped
        /// The worker said why.
        case failed
        case diskFull
        case cancelled
        /// With the service; it can go on later from its last checkpoint.
        case stopped
        /// The process was ended by a signal that nobody of ours sent.
        case crashed(signal: Int32)
        /// The process ended in the middle of the job.
        case exited(code: Int32)
        /// It was killed, as it had shown no sign of work for too long.
        case stalled
        /// It was killed, as it used more memory than it may.
        case overMemory
        /// It was killed, as what it said was not the job protocol.
        case badProtocol
        /// No worker could be started; the job has not been looked at.
        case notStarted
    }

    package let job: Int64
    package let attempt: Int
    package var end: End
    /// As `emotiond --file` would have ended; a worker that died is an internal error.
    package var exit: ExitReason
    /// A sentence; nil where all is well.
    package var reason: String?
    /// Of `published` and `skipped`.
    package var result: JobResult?
    /// Of the input, if it came to that.
    package var sha256: String?
    /// The last log lines of the worker during the job, oldest first.
    package var lastLines: [String] = []
    /// Private memory of the worker, the most that was seen; nil where it was not looked at.
    package var peakMemoryBytes: Int64?

    package init(job: Int64, attempt: Int, end: End, exit: ExitReason, reason: String? = nil) {
        self.job = job
        self.attempt = attempt
        self.end = end
        self.exit = exit
        self.reason = reason
    }
}
