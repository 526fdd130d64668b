// What /metrics shows, as plain values; MetricsText writes them.

package struct MetricsValues: Hashable, Sendable {
    package var version: String
    /// Seconds since 1970.
    package var startTime: Double
    package var jobs: [JobState: Int]
    /// Since the ledger began, by result: complete, partial, skipped, failed, cancelled.
    package var jobsEnded: [String: Int]
    /// Attempts that were repeated.
    package var retries: Int
    /// Seconds spent since the start of the daemon, by stage, over all jobs.
    package var stageSeconds: [String: Double]
    package var framesAnalysed: Int
    package var facesSeen: Int
    package var workersBusy: Int
    package var workersLimit: Int
    /// Resident bytes of the daemon and of all its workers.
    package var daemonMemoryBytes: Int64
    package var workerMemoryBytes: Int64
    package var diskFreeBytes: Int64?
    package var isIntakePaused: Bool
    package var streams: [StreamMetrics]

    package init(version: String, startTime: Double) {
        self.version = version
        self.startTime = startTime
        jobs = [:]
        jobsEnded = [:]
        retries = 0
        stageSeconds = [:]
        framesAnalysed = 0
        facesSeen = 0
        workersBusy = 0
        workersLimit = 0
        daemonMemoryBytes = 0
        workerMemoryBytes = 0
        isIntakePaused = false
        streams = []
    }
}

package struct StreamMetrics: Hashable, Sendable {
    package var view: StreamView
    package var stageSeconds: [String: Double]

    package init(view: StreamView, stageSeconds: [String: Double] = [:]) {
        self.view = view
        self.stageSeconds = stageSeconds
    }
}
