// What a worker said last, for the record of a job that failed.

struct LogRing {
    private let limit: Int
    private var kept: [String] = []

    init(limit: Int = 40) { self.limit = limit }

    mutating func add(_ line: String) {
        if kept.count == limit { kept.removeFirst() }
        kept.append(line)
    }

    mutating func clear() { kept = [] }

    /// Oldest first.
    var lines: [String] { kept }
}
