// One flag that a signal or a supervisor raises and that every stage looks at between two frames.

import Synchronization

package final class Cancellation: Sendable {
    private let raised = Atomic<Bool>(false)

    package init() {}

    package var isRaised: Bool { raised.load(ordering: .relaxed) }

    package func raise() { raised.store(true, ordering: .relaxed) }
}
