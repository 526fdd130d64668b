// One flag that a signal or a supervisor raises and that every stage looks at between two frames.

import Synchronization

package final class Cancellation: Sendable {
    package enum Kind: UInt8, Sendable {
        /// What is there is published as interrupted.
        case interrupt = 1
        /// A run with a work folder keeps its state there and publishes nothing, so that another can go on from it.
        case stop = 2
    }

    private let raised = Atomic<UInt8>(0)

    package init() {}

    package var isRaised: Bool { raised.load(ordering: .relaxed) != 0 }

    /// Of the first raise.
    package var kind: Kind? { Kind(rawValue: raised.load(ordering: .relaxed)) }

    package func raise(_ kind: Kind = .interrupt) {
        _ = raised.compareExchange(expected: 0, desired: kind.rawValue, ordering: .relaxed)
    }
}
