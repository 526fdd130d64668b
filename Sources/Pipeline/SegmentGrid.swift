// Which segment a moment belongs to: slots of equal length from midnight UTC on, so that all streams are cut alike
// and no segment runs over a day.

import Timeline

package struct SegmentGrid: Hashable, Sendable {
    package struct Slot: Hashable, Sendable {
        /// Microseconds since 1970, half-open.
        package let start: Int64
        package let end: Int64
    }

    private static let day: Int64 = 86_400_000_000
    private let length: Int64

    package init(seconds: Int) {
        length = Int64(min(max(seconds, 1), 86_400)) * 1_000_000
    }

    package func slot(of moment: Int64) -> Slot {
        let midnight = moment - (moment % Self.day + Self.day) % Self.day
        let start = midnight + (moment - midnight) / length * length
        // The last one of a day is cut where the length does not divide it.
        return Slot(start: start, end: min(start + length, midnight + Self.day))
    }
}

/// Moments as text.
package enum UTC {
    /// RFC 3339 with microseconds.
    package static func text(_ microseconds: Int64) -> String {
        var buffer = RowBuffer(capacity: 32)
        buffer.utc(microsecondsSince1970: microseconds)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    /// `2026-11-25/124000Z`
    package static func folder(_ microseconds: Int64) -> String {
        let text = text(microseconds)
        let time = text.dropFirst(11).prefix(8).filter { $0 != ":" }
        return "\(text.prefix(10))/\(time)Z"
    }
}
