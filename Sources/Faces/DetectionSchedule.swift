// When to run the detector, which costs as much as all the rest of a frame. State without pixels.

package import Core

/// How often the detector looks.
package enum DetectionRate: Hashable, Sendable, Codable {
    /// On every k-th picture; 1 is every picture.
    case every(Int)
    /// As often as the faces' motion asks for.
    case adaptive
}

package struct DetectionSchedule: Hashable, Sendable, Codable {
    /// Pictures between two runs when nothing is known yet, and the bounds within which that moves.
    package static let base = 5, shortest = 1, longest = 10
    /// At low picture rates time decides: a new face is seen after half a second at the latest.
    package static let longestTime: Int64 = 500_000
    /// With nobody in view there is nothing to follow, only somebody to be found.
    package static let emptyInterval = 5

    package private(set) var interval: Int
    private let rate: DetectionRate
    private var since = 0
    private var last: Timestamp?
    private var retries = 0

    package init(rate: DetectionRate) {
        self.rate = rate
        switch rate {
        case .every(let count): interval = max(count, 1)
        case .adaptive: interval = Self.base
        }
    }

    /// To be asked once a picture.
    /// - Parameter urgent: a cut, a lost face, another size.
    package mutating func isDue(at time: Timestamp, urgent: Bool) -> Bool {
        since += 1
        guard let last else { return true }
        if case .every = rate { return since >= interval }
        if urgent || retries > 0 || since >= interval { return true }
        let passed = time.microseconds &- last.microseconds
        return passed >= Self.longestTime || passed < 0
    }

    /// The detector has run.
    /// - Parameters:
    ///   - agreement: the smallest overlap of a face's followed and detected box; nil where none was followed.
    ///   - missed: a face in view was not found this time: look again at once, but only once.
    ///   - nobody: no face is in view.
    package mutating func ran(at time: Timestamp, agreement: Float?, missed: Bool, nobody: Bool) {
        defer {
            since = 0
            last = time
        }
        guard case .adaptive = rate else { return }
        retries = missed && retries == 0 ? 1 : 0
        if nobody {
            interval = Self.emptyInterval
        } else if let agreement, since > 1 || interval == 1 {
            if agreement >= 0.8 {
                interval = min(interval + 1, Self.longest)
            } else if agreement < 0.65 {
                interval = max(interval / 2, Self.shortest)
            }
        }
    }
}
