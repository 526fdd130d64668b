import Core
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "0.000000"), (1, "0.000001"), (-1, "-0.000001"), (41_708, "0.041708"), (3_600_000_000, "3600.000000"),
        (-1_500_000, "-1.500000"),
    ])
    func `seconds are printed with six digits`(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).seconds == text)
    }

    @Test func `ticks become microseconds by rounding to nearest`() {
        let ntsc = TimeBase(numerator: 1001, denominator: 24000)
        #expect(ntsc.microseconds(ticks: 1) == 41_708)
        #expect(ntsc.microseconds(ticks: -1) == -41_708)
        let halves = TimeBase(numerator: 1, denominator: 2_000_000)
        #expect(halves.microseconds(ticks: 1) == 1)
        #expect(halves.microseconds(ticks: -1) == -1)
        #expect(halves.microseconds(ticks: 3) == 2)
    }

    @Test func `ticks agree with exact arithmetic for random time bases`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let base = TimeBase(
                numerator: .random(in: 1...2000, using: &random),
                denominator: .random(in: 1...2_000_000, using: &random))
            let ticks = Int64.random(in: -1_000_000_000...1_000_000_000, using: &random)
            // The products stay below 2^63 here, so plain integers are the oracle.
            let scaled = ticks.magnitude * UInt64(base.numerator) * 1_000_000
            let nearest = (2 * scaled + UInt64(base.denominator)) / (2 * UInt64(base.denominator))
            #expect(base.microseconds(ticks: ticks).magnitude == nearest, "\(ticks) x \(base)")
        }
    }

    @Test func `ticks beyond the range of time saturate`() {
        let hours = TimeBase(numerator: 3600, denominator: 1)
        #expect(hours.microseconds(ticks: .max) == .max)
        #expect(hours.microseconds(ticks: .min) == .min)
    }
}
