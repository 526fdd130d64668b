// What the daemon knows about the moment and the ledger does not keep: progress of running jobs, figures of streams,
// counters since the start. The HTTP side reads it.

internal import Synchronization

final class Board: Sendable {
    struct Progress: Sendable, Equatable {
        var share: Double?
        var frames = 0
        var begun: ContinuousClock.Instant
    }

    struct Counters: Sendable {
        var retries = 0
        var frames = 0
        var faces = 0
    }

    /// Why nothing new is begun now; empty: all is well.
    enum Obstacle: String, CaseIterable, Sendable { case starting, stopping, disk, folder }

    private struct State {
        var progress: [Int64: Progress] = [:]
        var counters = Counters()
        var obstacles: [Obstacle: String] = [.starting: "starting"]
        var freeBytes: Int64?
    }

    private let state = Mutex(State())

    var counters: Counters { state.withLock { $0.counters } }
    var freeBytes: Int64? { state.withLock { $0.freeBytes } }
    /// In a fixed order.
    var obstacles: [String] {
        state.withLock { state in Obstacle.allCases.compactMap { state.obstacles[$0] } }
    }
    var mayBegin: Bool { state.withLock { $0.obstacles.isEmpty } }
    var isPaused: Bool { state.withLock { $0.obstacles[.disk] != nil } }

    func progress(_ job: Int64) -> Progress? { state.withLock { $0.progress[job] } }

    func begin(_ job: Int64) { state.withLock { $0.progress[job] = Progress(begun: .now) } }

    func update(_ job: Int64, share: Double?, frames: Int) -> Progress? {
        state.withLock { state in
            state.progress[job]?.share = share
            state.progress[job]?.frames = frames
            return state.progress[job]
        }
    }

    func end(_ job: Int64, frames: Int = 0, faces: Int = 0) {
        state.withLock { state in
            state.progress[job] = nil
            state.counters.frames += frames
            state.counters.faces += faces
        }
    }

    func countRetry() { state.withLock { $0.counters.retries += 1 } }

    func setFree(_ bytes: Int64?) { state.withLock { $0.freeBytes = bytes } }

    /// - Returns: whether anything changed.
    @discardableResult
    func set(_ obstacle: Obstacle, _ reason: String?) -> Bool {
        state.withLock { state in
            defer { state.obstacles[obstacle] = reason }
            return state.obstacles[obstacle] != reason
        }
    }
}
