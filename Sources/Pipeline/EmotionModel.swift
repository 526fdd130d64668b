// An emotion model file: its contract's metadata as values, and the classifier made from it.
// The contract is in docs/models/emotion.md; foreign files without metadata are taken as FER2013 models.

import Core
package import Faces
import Glibc
package import Inference
package import Logging
import Media
import Onnx
import Results

package struct EmotionModel: Sendable {
    package let name: String
    package let sha256: String
    package let labels: [String]
    package let uncertainBelow: Float
    package let temperature: Float
    package let normalisation: CropNormalisation
    /// Where the five landmarks lie in the crops that the model was trained on.
    package let template: CropTemplate
    /// `accuracy.f32` and its like as the file has them: percent;n;split.
    package let accuracy: [String: String]
    private let graph: Graph
    private let bytes: [UInt8]

    /// Far above any model that a frame-by-frame program could run.
    private static let maximumBytes = 1 << 30

    /// - Throws: a sentence that names the file, with the exit code of a wrong model file.
    package static func load(_ path: [UInt8], logger: Logger) throws(PipelineError) -> EmotionModel {
        let shown = String(decoding: path, as: UTF8.self)
        let bytes = try FileBytes.read(path, limit: maximumBytes, what: "emotion model")
        let graph: Graph
        do throws(OnnxError) {
            graph = try Graph(bytes: bytes, name: shown) { Checksum.hex(Array($0.joined())) }
        } catch {
            throw PipelineError(.configuration, error.description)
        }
        return try EmotionModel(graph: graph, bytes: bytes, shown: shown, logger: logger)
    }

    private init(graph: Graph, bytes: [UInt8], shown: String, logger: Logger) throws(PipelineError) {
        let metadata = graph.metadata
        if let kind = metadata["emotiond.kind"], kind != "emotion" {
            throw PipelineError(.configuration, "\(shown): is a \(kind) model, an emotion model is needed here")
        }
        if let format = metadata["emotiond.format"], format != "1" {
            throw PipelineError(.configuration, "\(shown): has format \(format); this version reads format 1")
        }
        if metadata["emotiond.kind"] == nil {
            logger.notice("\(shown): no metadata; taken as FER2013's seven labels with luma scaled to 0...1")
        }
        func number(_ key: String, _ fallback: Float) throws(PipelineError) -> Float {
            guard let text = metadata[key] else { return fallback }
            guard let value = Float(text), value.isFinite else {
                throw PipelineError(.configuration, "\(shown): \(key) is '\(text)', which is no number")
            }
            return value
        }
        labels = metadata["labels"].map { $0.split(separator: ",").map(String.init) } ?? Emotion.names
        uncertainBelow = try number("uncertain.below", 0)
        temperature = try number("temperature", 1)
        guard !labels.isEmpty, temperature > 0 else {
            throw PipelineError(.configuration, "\(shown): its labels are empty or its temperature is not above 0")
        }
        switch metadata["input.normalise"] ?? "none" {
        case "none":
            normalisation = .fixed(mean: try number("input.mean", 0), scale: try number("input.scale", 1 / 255))
        case "crop":
            normalisation = .perCrop
        case let other:
            throw PipelineError(.configuration, "\(shown): input.normalise is '\(other)', known are none and crop")
        }
        template = try Self.template(metadata["crop.template"], shown)
        accuracy = metadata.filter { $0.key.hasPrefix("accuracy.") }
        name = shown.split(separator: "/").last.map(String.init) ?? shown
        sha256 = Checksum.hex(bytes)
        self.graph = graph
        self.bytes = bytes
    }

    /// Five x,y pairs in the pixels of a 48x48 crop; FER2013's where the file gives none.
    private static func template(_ text: String?, _ shown: String) throws(PipelineError) -> CropTemplate {
        guard let text else { return .fer2013 }
        let numbers = text.split(separator: ",").compactMap { Float($0) }.filter(\.isFinite)
        guard numbers.count == 10, text.split(separator: ",", omittingEmptySubsequences: false).count == 10 else {
            throw PipelineError(.configuration, "\(shown): crop.template is '\(text)', expected ten numbers")
        }
        let points = (0..<5).map { Point(x: numbers[2 * $0], y: numbers[2 * $0 + 1]) }
        return CropTemplate(
            landmarks: Landmarks(
                rightEye: points[0], leftEye: points[1], nose: points[2], rightMouth: points[3], leftMouth: points[4]),
            side: 48)
    }

    /// The engine for this model. Batches hold at most `maximumBatch` crops a pass; larger ones are cut.
    package func engine(
        _ choice: EngineChoice, level: KernelLevel, maximumBatch: Int
    ) throws(PipelineError) -> any CropEngine {
        do {
            switch choice {
            case .native:
                return try SessionEngine(graph: graph, level: level, maximumBatch: maximumBatch)
            case .opencv:
                let shape = try inputShape()
                return try bytes.withUnsafeBufferPointer {
                    try OpenCVEngine(
                        bytes: $0, name: name, channels: shape.channels, side: shape.side, labels: labels.count)
                }
            }
        } catch let error as InferenceError {
            throw PipelineError(
                .configuration, "\(error); --emotion-engine opencv may run this model")
        } catch {
            throw PipelineError(.configuration, "\(error)")
        }
    }

    /// cv::dnn keeps the input's shape to itself, so it is read from the graph: N x C x S x S.
    private func inputShape() throws(PipelineError) -> (channels: Int, side: Int) {
        guard let dims = graph.inputs.first?.dims, dims.count == 4, case .fixed(let channels) = dims[1],
            case .fixed(let side) = dims[2], dims[2] == dims[3], channels == 1 || channels == 3,
            (8...512).contains(side)
        else {
            throw PipelineError(
                .configuration, "\(name): its input is not N x 1 or 3 x S x S with a fixed S of 8 to 512")
        }
        return (channels, side)
    }

    package func classifier(
        _ choice: EngineChoice, level: KernelLevel, maximumBatch: Int = VideoPipeline.batchCrops
    ) throws(PipelineError) -> EmotionClassifier {
        let engine = try engine(choice, level: level, maximumBatch: maximumBatch)
        return EmotionClassifier(
            engine: engine, labels: labels, normalisation: normalisation, temperature: temperature)
    }
}
