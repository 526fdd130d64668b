// Times of a live stream's frames. A camera's PTS are even but begin anywhere and drift; arrival is true on the
// average but jitters. So: distances by the PTS, the place by the arrival, brought together slowly.

package import Core

/// A value that outlives connections: its times go on rising over all of them.
package struct LiveClock: Sendable {
    /// The monotonic moment, in microseconds, at which the stream's time is zero.
    package let origin: Int64
    package private(set) var last: Int64
    /// Times that could not follow the PTS: it was missing, ran backwards or jumped.
    package private(set) var repaired = 0
    /// What a PTS of this connection lacks to the stream's time.
    private var shift: Int64?
    private var lastPTS: Int64?
    private var lastArrival: Int64 = 0

    /// A step of the PTS beyond this that the arrivals do not share: the camera has set its clock. The other way about,
    /// pictures have waited somewhere on the way, and are late but right.
    private static let jump: Int64 = 5_000_000
    /// Times run at most this much slower or faster than the PTS: one part in so many. A picture cannot be later than
    /// its arrival, so that way is faster; it also takes back what a burst at the start has shifted.
    private static let slowing: Int64 = 20, hastening: Int64 = 200

    /// - Parameter last: The stream's last time, where it goes on from an earlier run.
    package init(origin: Int64, last: Int64 = -1) {
        self.origin = origin
        self.last = last
    }

    /// A new connection begins: its PTS have nothing to do with the last one's.
    package mutating func reconnect() {
        shift = nil
        lastPTS = nil
    }

    /// Time of the next frame in presentation order, greater than every time before.
    /// - Parameters:
    ///   - pts: In microseconds; nil where the source has none.
    ///   - arrival: Monotonic microseconds.
    package mutating func time(pts: Int64?, arrival: Int64) -> Timestamp {
        let arrived = arrival - origin
        // Beyond this only nonsense lies, with which nothing can be reckoned.
        let known = pts.flatMap { $0.magnitude < 1 << 61 ? $0 : nil }
        let passed = arrival - lastArrival
        defer {
            lastPTS = known
            lastArrival = arrival
        }
        guard let pts = known else { return rise(to: arrived) }
        guard let place = shift, let lastPTS, pts > lastPTS else {
            if shift != nil { repaired += 1 }
            shift = arrived - pts
            return rise(to: arrived)
        }
        let step = pts - lastPTS
        if step > Self.jump, abs(step - passed) > Self.jump {
            repaired += 1
            shift = arrived - pts
            return rise(to: arrived)
        }
        let error = arrived - (pts + place)
        let correction = error < 0 ? max(error, -(step / Self.slowing)) : min(error, step / Self.hastening)
        shift = place + correction
        return rise(to: pts + place + correction)
    }

    private mutating func rise(to time: Int64) -> Timestamp {
        last = max(time, last + 1)
        return Timestamp(microseconds: last)
    }
}
