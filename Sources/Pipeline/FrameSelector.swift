// Which of the frames in the asked-for range are analysed: the pure rule behind --fps and --every.

package import Core

package struct FrameSelector: Sendable {
    private let every: Int
    private let interval: Int64?
    private var seen = 0
    private var due: Int64?

    /// - Parameters:
    ///   - every: analyse one frame of this many.
    ///   - framesPerSecond: at most this many a second; a frame is taken when its time reaches the next
    ///     multiple of the interval after the first, so a variable frame rate is thinned evenly in time.
    package init(every: Int, framesPerSecond: Double?) {
        self.every = max(every, 1)
        interval = framesPerSecond.map { max(Int64((1_000_000 / $0).rounded()), 1) }
    }

    /// To be asked of each frame in order.
    package mutating func wants(_ time: Timestamp) -> Bool {
        defer { seen += 1 }
        guard seen % every == 0 else { return false }
        guard let interval else { return true }
        let now = time.microseconds
        guard let due else {
            self.due = now + interval
            return true
        }
        // Half a millisecond of grace: 29.97 frames a second thinned to 9.99 must not miss by rounding.
        guard now + 500 >= due else { return false }
        self.due = due + interval * max(1, (now + 500 - due) / interval + 1)
        return true
    }
}
