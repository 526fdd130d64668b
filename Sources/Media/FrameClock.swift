// PTS ticks → times that rise. The one place where a container's time stamps are doubted (timeline.csv promises
// rising times, whatever the file says).

package import Core

package struct FrameClock: Sendable {
    private let timeBase: TimeBase
    private let startMicroseconds: Int64
    private var lastStep: Int64
    private var last: Int64?

    /// Times that are not the container's: the PTS was missing, repeated or ran backwards.
    package private(set) var repaired = 0

    /// - Parameters:
    ///   - startMicroseconds: The container's start time, which becomes zero.
    ///   - declaredStepMicroseconds: One over the declared frame rate, for times before a step was seen.
    package init(timeBase: TimeBase, startMicroseconds: Int64, declaredStepMicroseconds: Int64?) {
        self.timeBase = timeBase
        self.startMicroseconds = startMicroseconds
        lastStep = max(declaredStepMicroseconds ?? 1, 1)
    }

    /// Time of the next frame in presentation order; greater than every time before.
    package mutating func time(ofTicks ticks: Int64?) -> Timestamp {
        let claimed = ticks.map { subtracting(startMicroseconds, from: timeBase.microseconds(ticks: $0)) }
        guard let previous = last else {
            if claimed == nil { repaired += 1 }
            // Room above, so that even a first time at the end of all integers can be followed by others.
            let first = min(claimed ?? 0, Int64.max / 2)
            last = first
            return Timestamp(microseconds: first)
        }
        if let claimed, claimed > previous, claimed < .max / 2 {
            lastStep = subtracting(previous, from: claimed)
            last = claimed
            return Timestamp(microseconds: claimed)
        }
        repaired += 1
        // A step is limited to a day here: only nonsense gives a longer one, and repeating it would overflow.
        let repairedTime = previous + min(lastStep, 86_400_000_000)
        last = repairedTime
        return Timestamp(microseconds: repairedTime)
    }

    /// Time at which the last frame ends, as far as the step before it tells.
    package var end: Timestamp? { last.map { Timestamp(microseconds: $0 + min(lastStep, 86_400_000_000)) } }

    private func subtracting(_ amount: Int64, from value: Int64) -> Int64 {
        let (difference, overflow) = value.subtractingReportingOverflow(amount)
        return overflow ? (value < 0 ? .min : .max) : difference
    }
}
