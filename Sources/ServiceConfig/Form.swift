// How a single value is written: what is allowed, text to value, value to text.

import Foundation

struct Form<Value: Sendable>: Sendable {
    /// Completes the sentence "... is not ...": `a whole number from 1 to 64`.
    let allowed: String
    let parse: @Sendable (String) -> Value?
    let show: @Sendable (Value) -> String
    /// Whether a key without a value means something.
    var takesNull = false

    /// Nil, with the problem noted, for what is not allowed.
    func read(_ decoder: any Decoder, _ problems: ProblemList) -> Value? {
        guard let text = decoder.scalar else {
            problems.add(decoder.codingPath, "takes one value: \(allowed)")
            return nil
        }
        if decoder.isNull && !takesNull {
            problems.add(decoder.codingPath, "has no value; it takes \(allowed)")
            return nil
        }
        if let value = parse(text) { return value }
        problems.add(decoder.codingPath, "is \(Self.quoted(text)), which is not \(allowed)")
        return nil
    }

    func write(_ value: Value, to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(show(value))
    }

    /// The same, or `none`.
    var orNone: Form<Value?> {
        Form<Value?>(
            allowed: allowed + ", or none",
            parse: { ["none", "off", "", "~", "null"].contains($0) ? .some(nil) : parse($0).map { .some($0) } },
            show: { $0.map(show) ?? "none" }, takesNull: true)
    }

    private static func quoted(_ text: String) -> String {
        let clean = redacted(text.count > 80 ? text.prefix(77) + "..." : text)
        return "\"" + clean.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : String($0) }.joined()
            + "\""
    }
}

extension Form<String> {
    static let text = Form(
        allowed: "a text of at most 1000 characters",
        parse: { !$0.isEmpty && $0.count <= 1000 && !$0.contains("\0") ? $0 : nil }, show: { $0 })

    static let path = Form(
        allowed: "a path", parse: { !$0.isEmpty && $0.utf8.count < 4096 && !$0.contains("\0") ? $0 : nil }, show: { $0 }
    )

    static let pattern = Form(
        allowed: "a file name pattern such as \"*.part\"",
        parse: { !$0.isEmpty && $0.utf8.count <= 255 && !$0.contains("/") && !$0.contains("\0") ? $0 : nil },
        show: { $0 })

    /// Becomes a folder's name and a label of metrics.
    static let name = Form(
        allowed: "a name of up to 64 letters, digits, '-', '_' and '.' that begins with a letter or digit",
        parse: { text in
            let isGood = text.utf8.allSatisfy { byte in
                let scalar = Character(UnicodeScalar(byte))
                return scalar.isASCII && (scalar.isLetter || scalar.isNumber || "-_.".contains(scalar))
            }
            let begins = text.first.map { $0.isLetter || $0.isNumber } ?? false
            return isGood && begins && text.utf8.count <= 64 ? text : nil
        }, show: { $0 })
}

extension Form<Int> {
    static func integer(_ range: ClosedRange<Int>) -> Form {
        Form(
            allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } }, show: { String($0) })
    }
}

extension Form<Double> {
    /// - Parameter above: whether the lower bound itself is left out.
    static func number(_ range: ClosedRange<Double>, above: Bool = false) -> Form {
        Form(
            allowed:
                "a number \(above ? "above" : "from") \(range.lowerBound) \(above ? "and up " : "")to \(range.upperBound)",
            parse: { text in
                guard let value = Double(text), range.contains(value), !(above && value == range.lowerBound) else {
                    return nil
                }
                return value
            }, show: { $0 == $0.rounded() && $0.magnitude < 1e15 ? String(Int64($0)) : String($0) })
    }
}

extension Form<Duration> {
    static func duration(_ least: Duration, _ most: Duration) -> Form {
        Form(
            allowed: "a duration from \(Amount.text(least)) to \(Amount.text(most)), such as 30s, 5m or 2h",
            parse: { Amount.duration($0).flatMap { (least...most).contains($0) ? $0 : nil } }, show: Amount.text)
    }
}

extension Form<Int64> {
    static func bytes(_ least: Int64, _ most: Int64 = 1 << 50) -> Form {
        Form(
            allowed: "a size from \(Amount.text(bytes: least)) to \(Amount.text(bytes: most)), such as 500MiB or 5GiB",
            parse: { Amount.bytes($0).flatMap { (least...most).contains($0) ? $0 : nil } },
            show: { Amount.text(bytes: $0) })
    }
}

extension Form where Value: RawRepresentable<String> & CaseIterable {
    static var choice: Form {
        let names = Value.allCases.map(\.rawValue)
        let last = names.last ?? ""
        return Form(
            allowed: names.count > 1 ? names.dropLast().joined(separator: ", ") + " or " + last : last,
            parse: { Value(rawValue: $0) }, show: \.rawValue)
    }
}
