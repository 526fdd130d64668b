// Second step of intake: when is a file complete? Pure: it is told what was seen and when, by a clock that never steps.

/// Why a file is not taken yet.
package enum WaitReason: Hashable, Sendable {
    case newlySeen
    case stillGrowing
    /// Its time, inode or size changed without growth.
    case stillChanging
    /// The writer's process, where it could be learned.
    case openForWriting(pid: Int32?)
}

extension WaitReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .newlySeen: "seen just now; it must be still for the settle time"
        case .stillGrowing: "still growing"
        case .stillChanging: "changed since it was last looked at; it must be still for the settle time"
        case .openForWriting(let pid?): "open for writing by pid \(pid)"
        case .openForWriting(nil): "open for writing by another process"
        }
    }
}

package struct Settling: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package enum State: Hashable, Sendable {
        case waiting(WaitReason, until: Instant)
        /// Still for long enough: to be asked for writers.
        case still
        /// Asked for writers, and unchanged since.
        case ready
    }

    private struct Track {
        var fingerprint: Fingerprint
        var stillSince: Instant
        var reason: WaitReason
        /// A writer held it: not asked again before.
        var heldUntil: Instant?
        var isReady = false
    }

    /// How long size, time and inode must not change, for files that arrive by rename too.
    package var quiet: Duration
    private var tracks: [[UInt8]: Track] = [:]

    package init(quiet: Duration) { self.quiet = quiet }

    /// The files that were observed and not forgotten, ready ones too.
    package var paths: [[UInt8]] { Array(tracks.keys) }

    package mutating func observe(_ path: [UInt8], _ fingerprint: Fingerprint, at now: Instant) -> State {
        guard var track = tracks[path] else {
            tracks[path] = Track(fingerprint: fingerprint, stillSince: now, reason: .newlySeen)
            return state(of: path, at: now)
        }
        if track.fingerprint != fingerprint {
            let grew =
                track.fingerprint.inode == fingerprint.inode && track.fingerprint.sizeBytes < fingerprint.sizeBytes
            track = Track(fingerprint: fingerprint, stillSince: now, reason: grew ? .stillGrowing : .stillChanging)
            tracks[path] = track
        }
        return state(of: path, at: now)
    }

    /// A process has the file open for writing: it is asked about again after a while.
    package mutating func hold(_ path: [UInt8], pid: Int32?, at now: Instant) -> State {
        tracks[path]?.heldUntil = now + max(quiet, .seconds(1))
        tracks[path]?.reason = .openForWriting(pid: pid)
        return state(of: path, at: now)
    }

    /// Nobody is known to write to the file.
    package mutating func release(_ path: [UInt8]) {
        tracks[path]?.isReady = true
        tracks[path]?.heldUntil = nil
    }

    package mutating func forget(_ path: [UInt8]) { tracks[path] = nil }

    /// When a file may become ready that is not; nil if none waits.
    package var nextDue: Instant? {
        tracks.values.lazy.filter { !$0.isReady }.map { due($0) }.min()
    }

    private func due(_ track: Track) -> Instant { max(track.stillSince + quiet, track.heldUntil ?? track.stillSince) }

    private func state(of path: [UInt8], at now: Instant) -> State {
        guard let track = tracks[path] else { return .still }
        if track.isReady { return .ready }
        let due = due(track)
        return now < due ? .waiting(track.reason, until: due) : .still
    }
}
