// How long to wait between two tries: longer each time up to a limit, and never all at once.

/// A value without a clock; the generator is the caller's.
package struct Backoff: Hashable, Sendable {
    private let first: Duration
    private let most: Duration
    private var step: Duration

    package init(first: Duration = .seconds(1), most: Duration = .seconds(60)) {
        precondition(first > .zero && most >= first, "waits are positive and do not shrink")
        self.first = first
        self.most = most
        step = first
    }

    /// Between half of the step and the whole of it, so that ten cameras behind one switch do not come back as one;
    /// never shorter than the first.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let share = Double.random(in: 0.5...1, using: &generator)
        let wait = max(step * share, first)
        step = min(step * 2, most)
        return wait
    }

    /// The last try was a success.
    package mutating func reset() { step = first }
}
