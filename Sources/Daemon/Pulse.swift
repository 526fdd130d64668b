// Real progress, for the watchdog: each loop of the daemon says that it has come round.

internal import Synchronization

/// A part that has not come round for its limit has hung, and the daemon with it.
final class Pulse: Sendable {
    enum Part: String, CaseIterable, Sendable { case intake, queue, housekeeping }

    private let beats: Mutex<[Part: ContinuousClock.Instant]>
    private let limit: Duration

    /// - Parameter limit: well above the longest time that a healthy part takes for one round.
    init(limit: Duration = .seconds(120), now: ContinuousClock.Instant = .now) {
        self.limit = limit
        beats = Mutex(Dictionary(uniqueKeysWithValues: Part.allCases.map { ($0, now) }))
    }

    func beat(_ part: Part, at now: ContinuousClock.Instant = .now) { beats.withLock { $0[part] = now } }

    /// Parts that hang.
    func silent(at now: ContinuousClock.Instant = .now) -> [Part] {
        beats.withLock { beats in Part.allCases.filter { part in beats[part].map { now - $0 > limit } ?? true } }
    }
}
