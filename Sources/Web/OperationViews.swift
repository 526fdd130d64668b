// What an operator asks beside the jobs: why, verify, purge.

package struct WhyView: Codable, Hashable, Sendable {
    package var path: String
    /// How things stand, in one sentence.
    package var now: String
    /// In order of time.
    package var events: [WhyEvent]

    package init(path: String, now: String, events: [WhyEvent]) {
        self.path = path
        self.now = now
        self.events = events
    }
}

package struct WhyEvent: Codable, Hashable, Sendable {
    package var at: Double
    /// `sighting`, `step` or `audit`.
    package var kind: String
    package var job: Int64?
    package var text: String

    package init(at: Double, kind: String, job: Int64?, text: String) {
        self.at = at
        self.kind = kind
        self.job = job
        self.text = text
    }
}

package struct VerifyView: Codable, Hashable, Sendable {
    package var jobs: Int
    package var results: Int
    /// Empty: all agrees.
    package var problems: [String]

    package init(jobs: Int, results: Int, problems: [String]) {
        self.jobs = jobs
        self.results = results
        self.problems = problems
    }
}

package struct PurgeView: Codable, Hashable, Sendable {
    package var path: String
    package var removed: [String]

    package init(path: String, removed: [String]) {
        self.path = path
        self.removed = removed
    }
}
