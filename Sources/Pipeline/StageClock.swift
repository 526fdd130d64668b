// Seconds spent inside each stage. Each stage's thread owns one clock; they are joined at the end.

package struct StageClock: Sendable {
    package private(set) var seconds: [String: Double] = [:]
    private let clock = ContinuousClock()

    package init() {}

    package mutating func measure<Value, Failure: Error>(
        _ stage: String, _ work: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let start = clock.now
        defer {
            let spent = clock.now - start
            let parts = spent.components
            seconds[stage, default: 0] += Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
        }
        return try work()
    }

    package mutating func join(_ other: StageClock) {
        seconds.merge(other.seconds, uniquingKeysWith: +)
    }
}
