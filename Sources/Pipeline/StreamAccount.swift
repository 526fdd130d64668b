// What became of each picture of a stream. The reading thread writes it, the writing thread settles it: a picture is
// analysed, left out for the limit on frames, or lost for want of time, and the sums always fit.

import Core
import Media
import Results
import Synchronization

/// What is known of a picture beside its pixels.
struct FrameFacts: Hashable, Sendable {
    /// Microseconds since 1970.
    var utc: Int64
    /// Monotonic microseconds.
    var arrival: Int64
    /// Pictures between the one settled before and this one.
    var skippedBefore = 0
    var droppedBefore = 0
}

struct StreamTotals: Hashable, Sendable {
    var packets = 0
    var decoded = 0
    var skipped = 0
    var dropped = 0
    var analysed = 0
    var repaired = 0
    var errors = 0
    var reconnects = 0
    var stalls = 0
    /// Connections that ended without being asked to.
    var losses = 0
}

final class StreamAccount: Sendable {
    private struct Pending {
        let index: Int
        let utc: Int64
        let arrival: Int64
        /// All that were skipped up to then.
        let skipped: Int
    }

    private struct State {
        var totals = StreamTotals()
        var pending: [Pending] = []
        var settledSkipped = 0
        var droppedSince = 0
        var phase = StreamStats.Phase.connecting
        var info: MediaInfo?
        var lastTime: Int64?
        var problem: String?
        var stages = StageClock()
        var firstErrors: [String] = []
    }

    private let state = Mutex(State())

    // MARK: The reading thread

    func enter(_ phase: StreamStats.Phase) { state.withLock { $0.phase = phase } }

    func connected(_ info: MediaInfo, again: Bool) {
        state.withLock { state in
            state.info = info
            state.phase = .live
            state.problem = nil
            if again { state.totals.reconnects += 1 }
        }
    }

    func lost(stalled: Bool) {
        state.withLock { state in
            state.totals.losses += 1
            if stalled { state.totals.stalls += 1 }
        }
    }

    /// The last try to connect, or to read, came to nothing.
    func fail(_ reason: String) { state.withLock { $0.problem = reason } }

    /// A picture has come; `utc` is when it was taken, as far as that can be told.
    func note(_ live: LiveFrame, utc: Int64, isWanted: Bool) {
        guard let index = live.frame.index else { return }
        state.withLock { state in
            state.totals.decoded += 1
            state.lastTime = live.frame.time.microseconds
            guard isWanted else {
                state.totals.skipped += 1
                return
            }
            state.pending.append(
                Pending(index: index, utc: utc, arrival: live.arrival, skipped: state.totals.skipped))
        }
    }

    /// Pictures that waited too long.
    func drop(_ frames: [Frame]) {
        guard !frames.isEmpty else { return }
        let indices = Set(frames.compactMap(\.index))
        state.withLock { state in
            state.pending.removeAll { indices.contains($0.index) }
            state.droppedSince += frames.count
            state.totals.dropped += frames.count
        }
    }

    /// What a connection has counted since it was asked last.
    func add(_ counts: MediaCounts, since last: MediaCounts) {
        state.withLock { state in
            state.totals.packets += counts.packets - last.packets
            state.totals.repaired += counts.ptsRepaired - last.ptsRepaired
            state.totals.errors += counts.errors - last.errors
            for message in counts.firstErrors.dropFirst(last.firstErrors.count) where state.firstErrors.count < 5 {
                state.firstErrors.append(message)
            }
        }
    }

    // MARK: Any thread

    /// Seconds spent in a stage since it told last.
    func add(_ times: StageClock) { state.withLock { $0.stages.join(times) } }

    // MARK: The writing thread

    /// The facts of a picture that has been analysed; nil for one that was never noted.
    func settle(_ index: Int?) -> FrameFacts? {
        state.withLock { state in
            guard let index, let place = state.pending.firstIndex(where: { $0.index == index }) else { return nil }
            // Those before it were taken from the queue but never came out.
            let entry = state.pending[place]
            let lost = place
            state.pending.removeFirst(place + 1)
            state.totals.dropped += lost
            state.totals.analysed += 1
            let facts = FrameFacts(
                utc: entry.utc, arrival: entry.arrival, skippedBefore: entry.skipped - state.settledSkipped,
                droppedBefore: state.droppedSince + lost)
            state.settledSkipped = entry.skipped
            state.droppedSince = 0
            return facts
        }
    }

    /// At the end: pictures that came after the last one that was analysed.
    func settleRest() -> (skipped: Int, dropped: Int) {
        state.withLock { state in
            let lost = state.pending.count
            let rest = (state.totals.skipped - state.settledSkipped, state.droppedSince + lost)
            state.totals.dropped += lost
            state.pending.removeAll()
            state.settledSkipped = state.totals.skipped
            state.droppedSince = 0
            return rest
        }
    }

    var hasPending: Bool { state.withLock { !$0.pending.isEmpty } }
    var totals: StreamTotals { state.withLock { $0.totals } }
    var phase: StreamStats.Phase { state.withLock { $0.phase } }
    /// Why there are no pictures now; nil while there are.
    var problem: String? { state.withLock { $0.problem } }
    var stages: [String: Double] { state.withLock { $0.stages.seconds } }
    var info: MediaInfo? { state.withLock { $0.info } }
    /// On the stream's own clock.
    var lastTime: Int64? { state.withLock { $0.lastTime } }

    /// The first messages since the last call.
    func takeErrors() -> [String] {
        state.withLock { state in
            defer { state.firstErrors = [] }
            return state.firstErrors
        }
    }
}
