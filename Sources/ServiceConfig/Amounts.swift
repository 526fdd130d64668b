// Durations and sizes as people write them: `30s`, `1h30m`, `500MiB`.

package enum Amount {
    /// Smallest first.
    private static let durationUnits: [(name: String, microseconds: Int64)] = [
        ("us", 1), ("ms", 1000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000), ("d", 86_400_000_000),
    ]

    private static let sizeUnits: [(name: String, bytes: Int64)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("PiB", 1 << 50),
    ]

    private static let decimalUnits: [(name: String, bytes: Int64)] = [
        ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ]

    /// `200ms`, `2s`, `1.5h`, `1h30m`, `7d`; nil for anything else, also for a number without a unit, except 0.
    package static func duration(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var rest = text[...]
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(digits.count + unit.count)
            guard let factor = durationUnits.first(where: { $0.name == unit })?.microseconds,
                let part = product(digits, factor)
            else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            if overflow { return nil }
            total = sum
        }
        return text.isEmpty ? nil : .microseconds(total)
    }

    package static func text(_ duration: Duration) -> String {
        var rest = duration.microseconds
        if rest == 0 { return "0s" }
        var text = ""
        for (name, factor) in durationUnits.reversed() where rest / factor > 0 {
            text += "\(rest / factor)\(name)"
            rest %= factor
        }
        return text
    }

    /// `500MiB`, `1.5GiB`, `2GB`; a number alone counts bytes.
    package static func bytes(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        let factor = (sizeUnits + decimalUnits).first { $0.name.lowercased() == unit.lowercased() }?.bytes
        guard let factor = unit.isEmpty ? 1 : factor else { return nil }
        return product(digits, factor)
    }

    package static func text(bytes: Int64) -> String {
        let unit = sizeUnits.last { bytes != 0 && bytes % $0.bytes == 0 } ?? sizeUnits[0]
        return "\(bytes / unit.bytes)\(unit.name)"
    }

    private static func product(_ digits: Substring, _ factor: Int64) -> Int64? {
        if let whole = Int64(digits) {
            let (value, overflow) = whole.multipliedReportingOverflow(by: factor)
            return overflow ? nil : value
        }
        guard digits.first != ".", digits.last != ".", let number = Double(digits) else { return nil }
        let value = (number * Double(factor)).rounded()
        return value < 9e18 ? Int64(value) : nil
    }
}

extension Duration {
    /// Rounded towards zero; the longest that fits where this one is longer.
    package var microseconds: Int64 {
        let (seconds, attoseconds) = components
        let (value, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? .max : value + attoseconds / 1_000_000_000_000
    }
}
