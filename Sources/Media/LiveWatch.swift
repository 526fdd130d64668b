// How long a live source may be silent. FFmpeg asks it whenever it waits, because a socket's own time limits do not
// fire where a camera keeps its connection open and sends nothing.

import Synchronization

/// FFmpeg asks from the reading thread; limits are set by the same.
final class LiveWatch: Sendable {
    private let now: @Sendable () -> Int64
    private let isRaised: @Sendable () -> Bool
    private let deadline = Atomic<Int64>(.max)
    private let allowed = Atomic<Int64>(0)
    private let hasExpired = Atomic<Bool>(false)

    /// - Parameter now: Monotonic microseconds.
    init(now: @escaping @Sendable () -> Int64, isCancelled: @escaping @Sendable () -> Bool) {
        self.now = now
        isRaised = isCancelled
    }

    /// The next sign of life has to come within `seconds` from now. One that comes too late changes nothing: FFmpeg
    /// may still hand out what it held back.
    func expect(within seconds: Double) {
        guard !isExpired else { return }
        let microseconds = Int64(min(max(seconds, 0.001), 1e9) * 1e6)
        allowed.store(microseconds, ordering: .relaxed)
        deadline.store(now() + microseconds, ordering: .relaxed)
    }

    /// Time for a good-bye, whatever was before.
    func allowLast(seconds: Double) {
        hasExpired.store(false, ordering: .relaxed)
        expect(within: seconds)
    }

    var isCancelled: Bool { isRaised() }
    var isExpired: Bool { hasExpired.load(ordering: .relaxed) }
    var allowedSeconds: Double { Double(allowed.load(ordering: .relaxed)) / 1e6 }

    /// Whether waiting is to end, and remembers why.
    func isOver() -> Bool {
        if isRaised() || isExpired { return true }
        guard now() > deadline.load(ordering: .relaxed) else { return false }
        hasExpired.store(true, ordering: .relaxed)
        return true
    }
}
