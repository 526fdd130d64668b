// Streams, health and events as the API and the page show them.

package struct HealthView: Codable, Hashable, Sendable {
    package var isAlive: Bool
    package var version: String
    package var uptimeSeconds: Double
    /// One sentence for a person.
    package var status: String

    package init(isAlive: Bool, version: String, uptimeSeconds: Double, status: String) {
        self.isAlive = isAlive
        self.version = version
        self.uptimeSeconds = uptimeSeconds
        self.status = status
    }
}

package struct ReadinessView: Codable, Hashable, Sendable {
    package var isReady: Bool
    /// What stands in the way: "intake is paused: 1.2 GB free, 5 GB wanted".
    package var reasons: [String]

    package init(isReady: Bool, reasons: [String] = []) {
        self.isReady = isReady
        self.reasons = reasons
    }
}

package enum StreamPhase: String, Codable, Hashable, Sendable, CaseIterable {
    case connecting, live, waiting, paused, stopped
}

package struct StreamView: Codable, Hashable, Sendable {
    package var name: String
    /// Without user name and password.
    package var url: String
    package var phase: StreamPhase
    /// What happened last, for a person: "connection refused, next try in 8 s".
    package var detail: String?
    package var purpose: String?
    package var notice: String?
    package var framesPerSecondIn: Double
    package var framesPerSecondAnalysed: Double
    package var lagSeconds: Double?
    package var framesIn: Int
    package var analysed: Int
    package var dropped: Int
    package var reconnects: Int
    package var stalls: Int
    package var segments: Int
    /// Seconds since 1970 of the last frame; its age is the stream's health.
    package var lastFrameAt: Double?
    package var faces: [StreamFaceView]
    /// Whether `GET /api/v1/streams/<name>/frame` has a picture. Its address changes with `lastFrameAt`.
    package var hasFrame: Bool

    package init(name: String, url: String, phase: StreamPhase, purpose: String? = nil, notice: String? = nil) {
        self.name = name
        self.url = url
        self.phase = phase
        self.purpose = purpose
        self.notice = notice
        framesPerSecondIn = 0
        framesPerSecondAnalysed = 0
        framesIn = 0
        analysed = 0
        dropped = 0
        reconnects = 0
        stalls = 0
        segments = 0
        faces = []
        hasFrame = false
    }
}

package struct StreamFaceView: Codable, Hashable, Sendable {
    package var id: Int
    /// nil: no expression is clear enough.
    package var dominant: String?
    /// By expression, 0…1.
    package var probabilities: [String: Double]

    package init(id: Int, dominant: String?, probabilities: [String: Double]) {
        self.id = id
        self.dominant = dominant
        self.probabilities = probabilities
    }
}

/// What a listener of `/api/v1/events` is told.
package enum ServiceEvent: Hashable, Sendable {
    /// A job is new or changed in more than its progress.
    case job(JobView)
    case progress(JobProgressEvent)
    case counts([JobState: Int])
    case stream(StreamView)
    /// A stream is gone from the configuration.
    case streamRemoved(String)
    /// Readiness changed: intake paused or resumed, stopping.
    case readiness(ReadinessView)
}

package struct JobProgressEvent: Codable, Hashable, Sendable {
    package var id: Int64
    package var progress: JobProgress

    package init(id: Int64, progress: JobProgress) {
        self.id = id
        self.progress = progress
    }
}

/// One file of a result, as `GET /api/v1/jobs/<id>/results` lists it.
package struct ResultFileView: Codable, Hashable, Sendable {
    /// Below the result folder.
    package var path: String
    package var bytes: Int64
    package var type: String
    package var modifiedAt: Double
}
