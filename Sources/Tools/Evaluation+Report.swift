// The evaluation as a person reads it and as a script does.

import Foundation

extension Evaluation {
    /// One object: n, accuracy, macro_f1, ece, per_class, confusion; shares as 0 to 1.
    package func json() throws -> String {
        struct PerClass: Encodable {
            let n: Int
            let precision: Double
            let recall: Double
            let f1: Double
        }
        struct Object: Encodable {
            let n: Int
            let accuracy: Double
            let macroF1: Double
            let ece: Double
            let labels: [String]
            let perClass: [String: PerClass]
            let confusion: [[Int]]
        }
        let perClass = classes.map {
            ($0.name, PerClass(n: $0.count, precision: $0.precision, recall: $0.recall, f1: $0.f1))
        }
        let object = Object(
            n: count, accuracy: accuracy, macroF1: macroF1, ece: calibrationError, labels: labels,
            perClass: Dictionary(uniqueKeysWithValues: perClass), confusion: confusion)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(object), as: UTF8.self)
    }

    package func text() -> String {
        func percent(_ share: Double) -> String { String(format: "%5.1f", 100 * share) }
        var lines = [
            "pictures   \(count)",
            String(format: "accuracy   %.2f %%", 100 * accuracy),
            String(format: "macro-F1   %.3f", macroF1),
            String(format: "ECE        %.3f", calibrationError),
            "",
            "class           n   precision  recall     F1",
        ]
        for c in classes {
            let name = c.name.padding(toLength: 10, withPad: " ", startingAt: 0)
            let n = String(format: "%6d", c.count)
            lines.append("\(name) \(n)      \(percent(c.precision))   \(percent(c.recall))  \(percent(c.f1))")
        }
        lines += ["", "confusion (rows: label, columns: answer)"]
        lines.append(
            String(repeating: " ", count: 11)
                + labels.map { String($0.prefix(7)) }
                .map { String(repeating: " ", count: 8 - $0.count) + $0 }.joined())
        for (name, row) in zip(labels, confusion) {
            lines.append(
                name.padding(toLength: 11, withPad: " ", startingAt: 0)
                    + row.map { String(format: "%8d", $0) }.joined())
        }
        return lines.joined(separator: "\n")
    }
}
