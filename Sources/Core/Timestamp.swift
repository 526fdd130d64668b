// Time of a frame. Media makes these from PTS ticks once; everything after it compares whole microseconds,
// which is also what the timeline prints and what the annotated video's time base is.

/// A moment in a source, in microseconds since the container's start time.
package struct Timestamp: Comparable, Hashable, Sendable, Codable {
    package var microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    package static let zero = Timestamp(microseconds: 0)

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

    /// Seconds with six digits after the point, whatever the locale: `12.041667`, `-0.000001`.
    package var seconds: String {
        let magnitude = microseconds.magnitude
        let fraction = String(magnitude % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - fraction.count)
        return "\(microseconds < 0 ? "-" : "")\(magnitude / 1_000_000).\(zeros)\(fraction)"
    }
}

/// The unit of a stream's ticks, as a fraction of a second.
package struct TimeBase: Hashable, Sendable {
    package let numerator: Int32
    package let denominator: Int32

    package init(numerator: Int32, denominator: Int32) {
        precondition(numerator > 0 && denominator > 0, "a time base is a positive fraction")
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Ticks in microseconds, rounded to nearest, halves away from zero; saturates instead of overflowing.
    package func microseconds(ticks: Int64) -> Int64 {
        let scaled = ticks.magnitude.multipliedFullWidth(by: UInt64(numerator) * 1_000_000)
        let divisor = UInt64(denominator)
        guard scaled.high < divisor else { return ticks < 0 ? .min : .max }
        let (quotient, remainder) = divisor.dividingFullWidth(scaled)
        let rounded = quotient + (remainder >= divisor - remainder ? 1 : 0)
        guard rounded <= UInt64(Int64.max) else { return ticks < 0 ? .min : .max }
        return ticks < 0 ? -Int64(rounded) : Int64(rounded)
    }
}
