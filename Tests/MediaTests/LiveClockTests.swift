import Core
import Media
import TestSupport
import Testing

@Suite struct LiveClockTests {
    @Test func `distances follow the PTS while arrivals jitter`() {
        var random = TestSupport.SeededGenerator(TestSeed.current)
        var clock = LiveClock(origin: 0)
        var last: Int64?
        for i in 0..<900 {
            let taken = Int64(i) * 66_667
            let time = clock.time(pts: 7_000_000 + taken, arrival: taken + Int64.random(in: 0...60_000, using: &random))
            if let last { #expect(abs(time.microseconds - last - 66_667) < 4_000, "frame \(i)") }
            last = time.microseconds
        }
        #expect(clock.repaired == 0)
    }

    @Test func `a camera whose clock runs wrong by a thousandth is followed`() {
        var clock = LiveClock(origin: 0)
        var time = Timestamp.zero
        let count: Int64 = 54_000  // an hour at 15 a second
        for i in 0..<count { time = clock.time(pts: i * 66_600, arrival: i * 66_667) }
        #expect(abs(time.microseconds - (count - 1) * 66_667) < 100_000)
    }

    @Test func `a burst at the start is taken back within seconds`() {
        var clock = LiveClock(origin: 0)
        var time = Timestamp.zero
        // Fifteen pictures that waited in the camera come at once, then one by one.
        for i: Int64 in 0..<300 {
            time = clock.time(pts: i * 66_667, arrival: max(i - 14, 0) * 66_667 + 1_000)
        }
        #expect(abs(time.microseconds - 285 * 66_667) < 50_000)
    }

    @Test func `pictures that waited on the way keep their times, and nothing is put into the future`() {
        var clock = LiveClock(origin: 0)
        var time = Timestamp.zero
        for i: Int64 in 0..<300 {
            // The network stands still for seven seconds from the hundredth on, then all comes at once.
            let arrival = (100..<205).contains(i) ? 205 * 66_667 : i * 66_667
            time = clock.time(pts: i * 66_667, arrival: arrival)
            #expect(time.microseconds <= arrival + 50_000, "picture \(i)")
        }
        #expect(abs(time.microseconds - 299 * 66_667) < 50_000)
        #expect(clock.repaired == 0)
    }

    @Test func `times rise over missing, repeated and backward PTS, jumps and reconnects`() {
        var clock = LiveClock(origin: 1_000_000)
        let steps: [(pts: Int64?, arrival: Int64)] = [
            (nil, 1_000_000), (5, 1_100_000), (5, 1_200_000), (4, 1_300_000), (90_000_000, 1_400_000),
            (.max, 1_500_000), (.min, 1_500_000), (90_100_000, 1_500_001), (nil, 900_000),
        ]
        var times: [Int64] = []
        for step in steps { times.append(clock.time(pts: step.pts, arrival: step.arrival).microseconds) }
        clock.reconnect()
        times.append(clock.time(pts: 0, arrival: 2_000_000).microseconds)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 }, "\(times)")
        #expect(times.last == 1_000_000)
        #expect(clock.repaired > 0)
    }

    @Test func `a stream that goes on does so behind its last time`() {
        var clock = LiveClock(origin: 0, last: 5_000_000)
        #expect(clock.time(pts: 3, arrival: 4_000_000) > Timestamp(microseconds: 5_000_000))
    }
}
