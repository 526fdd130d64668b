import Faces
package import Pipeline

/// Runs the model over the crops, in one pass without test-time averaging, and judges the answers.
package func evaluate(_ crops: LabelledCrops, with installation: Installation) throws -> Evaluation {
    let model = installation.model
    let classes = model.labels.count
    guard let worst = crops.labels.max(), worst < classes else {
        throw ToolError.data("the data's labels go up to \(crops.labels.max() ?? 0), the model has \(classes) classes")
    }
    let batch = 64
    let classifier = try model.classifier(installation.options.engine, level: installation.level, maximumBatch: batch)
    let answers = try crops.pixels.withUnsafeBufferPointer { pixels in
        try stride(from: 0, to: crops.count, by: batch).flatMap { start in
            let end = min(start + batch, crops.count)
            let part = UnsafeBufferPointer(
                rebasing: pixels[start * LabelledCrops.pixelsPerCrop..<end * LabelledCrops.pixelsPerCrop])
            return try classifier.classify(crops: part, count: end - start)
        }
    }
    return Evaluation(labels: model.labels, truth: crops.labels, answers: answers)
}
