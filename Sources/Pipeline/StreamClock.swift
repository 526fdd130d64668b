// The two clocks of a stream, injected so that tests can turn an hour into a second: a monotonic one for waiting,
// and the wall's for records and for when a segment ends.

package import Core
import Glibc

package struct StreamClock: Sendable {
    /// Microseconds from some fixed moment.
    package let monotonic: @Sendable () -> Int64
    /// Microseconds since 1970.
    package let wall: @Sendable () -> Int64
    /// Where the machine stands, at a moment of the wall clock.
    package let local: @Sendable (Int64) -> LocalMoment

    package init(
        monotonic: @escaping @Sendable () -> Int64, wall: @escaping @Sendable () -> Int64,
        local: @escaping @Sendable (Int64) -> LocalMoment
    ) {
        self.monotonic = monotonic
        self.wall = wall
        self.local = local
    }

    package static var system: StreamClock {
        let start = ContinuousClock.now
        return StreamClock(
            monotonic: {
                let parts = (ContinuousClock.now - start).components
                return parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000
            },
            wall: {
                var time = timespec()
                clock_gettime(CLOCK_REALTIME, &time)
                return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
            },
            local: { moment in
                var seconds = time_t(moment / 1_000_000)
                var parts = tm()
                localtime_r(&seconds, &parts)
                // C's weeks begin on Sunday.
                return LocalMoment(
                    weekday: (Int(parts.tm_wday) + 6) % 7, minute: Int(parts.tm_hour) * 60 + Int(parts.tm_min))
            })
    }

    /// Sleeps until the monotonic clock has gone on by `duration`, or until nothing is to be waited for.
    func wait(_ duration: Duration, unless isOver: () -> Bool) {
        let end = monotonic() + Int64(duration.seconds * 1e6)
        while monotonic() < end, !isOver() { usleep(20_000) }
    }
}
