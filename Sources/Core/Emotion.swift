// The seven expressions of FER2013, in its order, which is also the order of the timeline's columns.

package enum Emotion: Int, CaseIterable, Sendable, Codable {
    case angry, disgust, fear, happy, sad, surprise, neutral

    package var name: String {
        switch self {
        case .angry: "angry"
        case .disgust: "disgust"
        case .fear: "fear"
        case .happy: "happy"
        case .sad: "sad"
        case .surprise: "surprise"
        case .neutral: "neutral"
        }
    }

    package static let names = allCases.map(\.name)
}

/// One probability per label of the model, in the model's order; they sum to 1.
package struct Probabilities: Hashable, Sendable, Codable {
    package let values: [Float]

    package init(_ values: [Float]) {
        precondition(!values.isEmpty, "a model has at least one label")
        self.values = values
    }

    /// Numerically safe softmax of `logits / temperature`, summed in double precision.
    package init(logits: some Collection<Float>, temperature: Float = 1, exponential: (Double) -> Double) {
        let peak = logits.max() ?? 0
        let weights = logits.map { exponential(Double(($0 - peak) / temperature)) }
        let sum = weights.reduce(0, +)
        self.init(weights.map { Float($0 / sum) })
    }

    /// Index and value of the largest; the first of equals.
    package var largest: (index: Int, value: Float) {
        var best = 0
        for i in values.indices where values[i] > values[best] { best = i }
        return (best, values[best])
    }
}
