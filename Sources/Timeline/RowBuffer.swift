// The bytes of one or more CSV rows while they are made. Numbers are written from integers, without Foundation and
// without a String per cell, so a row costs no allocation once the buffer has grown to its size.

/// Cells of one row are appended in order; each call writes one cell and the comma before it where one is due.
package struct RowBuffer: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var atRowStart = true

    package init(capacity: Int = 4096) {
        bytes.reserveCapacity(capacity)
    }

    /// Empties the buffer but keeps its memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        atRowStart = true
    }

    package mutating func endRow() {
        bytes.append(UInt8(ascii: "\n"))
        atRowStart = true
    }

    /// A cell that says "not available".
    package mutating func empty() { separate() }

    package mutating func empty(_ count: Int) {
        for _ in 0..<count { separate() }
    }

    package mutating func integer(_ value: Int?) {
        separate()
        if let value { appendScaled(Int64(value), digits: 0) }
    }

    /// Seconds with six digits.
    package mutating func seconds(microseconds: Int64) {
        separate()
        appendScaled(microseconds, digits: 6)
    }

    /// A number with exactly `digits` digits after the point, rounded to the nearest such number, halves to the even
    /// digit: what C's `printf` gives, except that zero has no sign. A value that is not finite, or whose digits pass
    /// the range of Int64, makes an empty cell: the file knows neither NaN nor scientific notation.
    ///
    /// A `Float` scaled by 10^4 is exact in a `Double` (24 + 14 bits), so floats round by their true value.
    package mutating func fixed(_ value: Double, digits: Int) {
        separate()
        guard let scaled = Int64(exactly: (value * Self.power(digits)).rounded(.toNearestOrEven)) else { return }
        appendScaled(scaled, digits: digits)
    }

    package mutating func fixed(_ value: Double?, digits: Int) {
        if let value { fixed(value, digits: digits) } else { empty() }
    }

    package mutating func fixed(_ value: Float, digits: Int) { fixed(Double(value), digits: digits) }

    /// Text that needs no quotes, known at compile time.
    package mutating func plain(_ text: StaticString) {
        separate()
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// A cell that was quoted once by `Self.quoted`.
    package mutating func raw(_ cell: [UInt8]) {
        separate()
        bytes.append(contentsOf: cell)
    }

    /// A text as a CSV cell (RFC 4180): within quotes where it holds a comma, a quote or a line break.
    package static func quoted(_ text: String) -> [UInt8] {
        let special: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        let utf8 = Array(text.utf8)
        guard utf8.contains(where: special.contains) else { return utf8 }
        var cell = [UInt8(ascii: "\"")]
        for byte in utf8 {
            if byte == UInt8(ascii: "\"") { cell.append(byte) }
            cell.append(byte)
        }
        cell.append(UInt8(ascii: "\""))
        return cell
    }

    private mutating func separate() {
        if atRowStart { atRowStart = false } else { bytes.append(UInt8(ascii: ",")) }
    }

    private static func power(_ digits: Int) -> Double {
        switch digits {
        case 0: 1
        case 1: 10
        case 4: 10_000
        case 6: 1_000_000
        default: (0..<digits).reduce(1.0) { power, _ in power * 10 }
        }
    }

    /// `value / 10^digits`, with at least one digit before the point.
    private mutating func appendScaled(_ value: Int64, digits: Int) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        appendDigits(value.magnitude, fraction: digits)
    }

    private mutating func appendDigits(_ magnitude: UInt64, fraction: Int) {
        var count = 1
        var rest = magnitude / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        count = max(count, fraction + 1)
        let length = fraction > 0 ? count + 1 : count
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: length))
        rest = magnitude
        var place = start + length - 1
        for position in 0..<count {
            if fraction > 0, position == fraction {
                bytes[place] = UInt8(ascii: ".")
                place -= 1
            }
            bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            place -= 1
        }
    }
}

extension RowBuffer {
    /// RFC 3339 in UTC with microseconds, `2026-11-25T02:46:00.000001Z`; an empty cell outside the years 0 to 9999.
    package mutating func utc(microsecondsSince1970 time: Int64?) {
        guard let time else { return empty() }
        let day: Int64 = 86_400_000_000
        let remainder = time % day
        let days = time / day - (remainder < 0 ? 1 : 0)
        let withinDay = UInt64(remainder < 0 ? remainder + day : remainder)
        guard let date = CivilDate(daysSince1970: days) else { return empty() }
        separate()
        appendPadded(UInt64(date.year), width: 4)
        bytes.append(UInt8(ascii: "-"))
        appendPadded(UInt64(date.month), width: 2)
        bytes.append(UInt8(ascii: "-"))
        appendPadded(UInt64(date.day), width: 2)
        bytes.append(UInt8(ascii: "T"))
        appendPadded(withinDay / 3_600_000_000, width: 2)
        bytes.append(UInt8(ascii: ":"))
        appendPadded(withinDay / 60_000_000 % 60, width: 2)
        bytes.append(UInt8(ascii: ":"))
        appendPadded(withinDay / 1_000_000 % 60, width: 2)
        bytes.append(UInt8(ascii: "."))
        appendPadded(withinDay % 1_000_000, width: 6)
        bytes.append(UInt8(ascii: "Z"))
    }

    private mutating func appendPadded(_ value: UInt64, width: Int) {
        var unit: UInt64 = 1
        for _ in 1..<width { unit *= 10 }
        while unit > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / unit % 10))
            unit /= 10
        }
    }
}

/// A day of the Gregorian calendar, from the count of days. The year is taken to begin in March, so that the leap
/// day is its last, and 400 years are one period of 146,097 days.
private struct CivilDate {
    let year: Int64
    let month: Int64
    let day: Int64

    init?(daysSince1970: Int64) {
        // Years 0000 to 9999; the first bound also keeps the sums below positive.
        guard (-719_528...2_932_896).contains(daysSince1970) else { return nil }
        let days = daysSince1970 + 719_468 + 146_097  // since 1 March of year -400
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = (era - 1) * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }
}
