// How good the answers are: accuracy, F1, confusion, calibration.

package import Core

package struct Evaluation: Sendable {
    package let labels: [String]
    /// Rows: the truth; columns: what was said.
    package let confusion: [[Int]]
    package let accuracy: Double
    package let macroF1: Double
    /// Expected calibration error over 15 equal-width bins (Guo et al. 2017, equation 3).
    package let calibrationError: Double
    package let count: Int

    package struct Class: Sendable {
        package let name: String
        package let count: Int
        package let precision: Double
        package let recall: Double
        package let f1: Double
    }

    package let classes: [Class]

    /// - Parameters:
    ///   - truth: index into `labels` for each crop.
    ///   - answers: probabilities in the order of `labels`, as many as `truth`.
    package init(labels: [String], truth: [Int], answers: [Probabilities], bins: Int = 15) {
        precondition(truth.count == answers.count && !truth.isEmpty, "an answer for each label, and at least one")
        var confusion = [[Int]](repeating: [Int](repeating: 0, count: labels.count), count: labels.count)
        var inBin = [(count: Int, right: Int, confidence: Double)](repeating: (0, 0, 0), count: bins)
        var right = 0
        for (label, answer) in zip(truth, answers) {
            let (said, confidence) = answer.largest
            confusion[label][said] += 1
            let bin = min(Int(confidence * Float(bins)), bins - 1)
            inBin[bin].count += 1
            inBin[bin].confidence += Double(confidence)
            if said == label {
                right += 1
                inBin[bin].right += 1
            }
        }
        classes = labels.indices.map { Self.judge($0, labels[$0], confusion) }
        self.labels = labels
        self.confusion = confusion
        count = truth.count
        accuracy = Double(right) / Double(count)
        macroF1 = classes.map(\.f1).reduce(0, +) / Double(classes.count)
        calibrationError =
            inBin.map { abs(Double($0.right) - $0.confidence) }.reduce(0, +) / Double(truth.count)
    }

    private static func judge(_ index: Int, _ name: String, _ confusion: [[Int]]) -> Class {
        let hit = Double(confusion[index][index])
        let actual = confusion[index].reduce(0, +)
        let said = confusion.map { $0[index] }.reduce(0, +)
        return Class(
            name: name, count: actual,
            precision: said > 0 ? hit / Double(said) : 0,
            recall: actual > 0 ? hit / Double(actual) : 0,
            f1: actual + said > 0 ? 2 * hit / Double(actual + said) : 0)
    }
}
