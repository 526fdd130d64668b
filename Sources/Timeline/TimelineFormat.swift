// What the columns of timeline.csv and summary.csv are for one model. The first seventeen columns of the timeline
// never move; whatever a model adds stands after them.

import Core

package struct TimelineFormat: Hashable, Sendable, Codable {
    /// The model's labels in its own order; probabilities come in this order.
    package let labels: [String]
    /// A label is called dominant only from this probability on.
    package let uncertainBelow: Float
    /// Whether rows carry the wall clock, as those of streams do.
    package let utc: Bool

    package init(labels: [String], uncertainBelow: Float, utc: Bool) {
        self.labels = labels
        self.uncertainBelow = uncertainBelow
        self.utc = utc
    }
}

/// Where each column finds its probability, worked out once.
struct LabelColumns: Hashable, Sendable, Codable {
    /// For each of the seven emotions the place of its label in the model's order; nil where the model lacks it.
    let seven: [Int?]
    /// Places of the further labels, in the model's order.
    let further: [Int]
    /// Names of the further columns as CSV cells, made unique among all columns.
    let furtherNames: [String]
    /// Every label as a CSV cell, in the model's order.
    let cells: [[UInt8]]

    init(_ format: TimelineFormat) {
        let labels = format.labels
        seven = Emotion.names.map { labels.firstIndex(of: $0) }
        let known = Set(seven.compactMap(\.self))
        further = labels.indices.filter { !known.contains($0) }
        cells = labels.map(RowBuffer.quoted)
        var taken = Set(Self.fixedNames)
        furtherNames = further.map { Self.unused(labels[$0], at: $0, taken: &taken) }
    }

    static let leading = ["frame", "timestamp", "face_id", "confidence", "x", "y", "w", "h"]
    static let trailing = ["dominant", "dominant_score", "status"]
    private static let fixedNames = leading + Emotion.names + trailing + ["utc"]

    /// A label may be empty, doubled or named like a fixed column; readers find columns by name, so it gets its own.
    private static func unused(_ label: String, at index: Int, taken: inout Set<String>) -> String {
        var name = label.isEmpty ? "label_\(index)" : label
        while !taken.insert(name).inserted { name = "\(name)_\(index)" }
        return name
    }

    /// The label with the largest probability and that probability; numbers that are not finite do not count.
    func dominant(of probabilities: Probabilities) -> (index: Int, score: Float)? {
        var best: (index: Int, score: Float)?
        for (index, value) in probabilities.values.enumerated() where value.isFinite && index < cells.count {
            if let known = best, value <= known.score { continue }
            best = (index, value)
        }
        return best
    }
}
