// A file of our own face detector: its contract's metadata as values, and the detector made from it.
// The contract is in docs/models/face-detector.md; nothing is guessed where the file is silent.

import Core
package import Faces
package import Inference
import Onnx
import Results

package struct FaceModel: Sendable {
    package let path: String
    package let sha256: String
    private let mean: Float
    private let scale: Float
    private let score: Float
    private let graph: Graph
    private let bytes: [UInt8]

    static let kind = "face-detector"
    private static let maximumBytes = 256 << 20

    /// What `emotiond.kind` says of a detector's file; nil for files of others.
    static func kind(of bytes: [UInt8], _ shown: String) -> String? {
        (try? Graph(bytes: bytes, name: shown, sha256: nil))?.metadata["emotiond.kind"]
    }

    static func read(_ path: [UInt8]) throws(PipelineError) -> [UInt8] {
        try FileBytes.read(path, limit: maximumBytes, what: "detector model")
    }

    /// - Throws: a sentence that names the file, with the exit code of a wrong model file.
    package init(path: [UInt8]) throws(PipelineError) {
        try self.init(bytes: Self.read(path), shown: String(decoding: path, as: UTF8.self))
    }

    init(bytes: [UInt8], shown: String) throws(PipelineError) {
        let graph: Graph
        do throws(OnnxError) {
            graph = try Graph(bytes: bytes, name: shown) { Checksum.hex(Array($0.joined())) }
        } catch {
            throw PipelineError(.configuration, error.description)
        }
        let metadata = graph.metadata
        guard let kind = metadata["emotiond.kind"] else {
            throw PipelineError(
                .configuration,
                "\(shown): has no emotiond.kind, so it is none of our detectors; YuNet's files go with --detector yunet"
            )
        }
        guard kind == Self.kind else {
            throw PipelineError(.configuration, "\(shown): is a model of kind \(kind), a \(Self.kind) is needed here")
        }
        if let format = metadata["emotiond.format"], format != "1" {
            throw PipelineError(.configuration, "\(shown): has format \(format); this version reads format 1")
        }
        func number(_ key: String) throws(PipelineError) -> Float {
            guard let text = metadata[key] else {
                throw PipelineError(
                    .configuration, "\(shown): its metadata lack \(key); export it again with training/detector")
            }
            guard let value = Float(text), value.isFinite else {
                throw PipelineError(.configuration, "\(shown): \(key) is '\(text)', which is no number")
            }
            return value
        }
        mean = try number("input.mean")
        scale = try number("input.scale")
        score = try number("score.threshold")
        guard score > 0, score < 1 else {
            throw PipelineError(.configuration, "\(shown): score.threshold is \(score), not between 0 and 1")
        }
        path = shown
        sha256 = Checksum.hex(bytes)
        self.graph = graph
        self.bytes = bytes
    }

    /// One for each run: detectors belong to one thread.
    ///
    /// It is tried once on the smallest picture, so that a file which cannot be run is refused before the first frame.
    package func detector(_ engine: EngineChoice, level: KernelLevel) throws(PipelineError) -> OwnDetector {
        do {
            let detector = OwnDetector(engine: try self.engine(engine, level: level), score: score)
            let side = OwnDetector.multiple
            let black = [UInt8](repeating: 0, count: side * side)
            try black.withUnsafeBufferPointer { pixels in
                guard let base = pixels.baseAddress else { return }
                _ = try detector.detect(ImageView(base: base, width: side, height: side, strideBytes: side))
            }
            return detector
        } catch {
            throw PipelineError(.configuration, "\(path): \(error)")
        }
    }

    private func engine(_ choice: EngineChoice, level: KernelLevel) throws -> any FrameEngine {
        switch choice {
        case .native: SessionFrameEngine(graph: graph, level: level, mean: mean, scale: scale)
        case .opencv:
            try bytes.withUnsafeBufferPointer {
                try OpenCVFrameEngine(bytes: $0, name: path, mean: mean, scale: scale)
            }
        }
    }
}
