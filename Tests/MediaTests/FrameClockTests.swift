import Core
import Media
import Testing

@Suite struct FrameClockTests {
    private let milliseconds = TimeBase(numerator: 1, denominator: 1000)

    private func times(_ ticks: [Int64?], start: Int64 = 0, step: Int64? = 40_000) -> (times: [Int64], repaired: Int) {
        var clock = FrameClock(timeBase: milliseconds, startMicroseconds: start, declaredStepMicroseconds: step)
        let times = ticks.map { clock.time(ofTicks: $0).microseconds }
        return (times, clock.repaired)
    }

    @Test func `rising ticks pass as they are`() {
        #expect(times([0, 40, 95, 5000]) == ([0, 40_000, 95_000, 5_000_000], 0))
    }

    @Test func `the container's start time becomes zero, and earlier frames are negative`() {
        #expect(times([9_980, 10_020], start: 10_000_000) == ([-20_000, 20_000], 0))
    }

    @Test func `a repeated, backward or missing tick becomes the time before plus the last positive step`() {
        #expect(times([0, 50, 50, 20, nil, 400]) == ([0, 50_000, 100_000, 150_000, 200_000, 400_000], 3))
    }

    @Test func `a stream without ticks runs at the declared rate`() {
        #expect(times([nil, nil, nil]) == ([0, 40_000, 80_000], 3))
    }

    @Test func `without a declared rate the step is a microsecond`() {
        #expect(times([nil, nil, 7], step: nil) == ([0, 1, 7000], 2))
    }

    @Test func `times rise whatever the ticks`() {
        var random = SeededGenerator(state: 4711)
        for round in 0..<500 {
            let base = TimeBase(
                numerator: .random(in: 1...1001, using: &random),
                denominator: .random(in: 1...Int32.max, using: &random))
            var clock = FrameClock(
                timeBase: base, startMicroseconds: .random(in: .min ... .max, using: &random),
                declaredStepMicroseconds: Bool.random(using: &random) ? .random(in: .min ... .max, using: &random) : nil
            )
            var last: Timestamp?
            for _ in 0..<50 {
                let extremes: [Int64?] = [
                    nil, .min, .max, 0, .random(in: .min ... .max, using: &random),
                    .random(in: 0...1000, using: &random),
                ]
                let time = clock.time(ofTicks: extremes.randomElement(using: &random) ?? nil)
                if let last { #expect(time > last, "round \(round)") }
                last = time
            }
        }
    }
}

/// SplitMix64: the same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
