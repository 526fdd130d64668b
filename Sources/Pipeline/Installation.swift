// What a run needs from the machine, found and opened once: model, kernel level, detector.

package import Faces
import Glibc
package import Inference
package import Logging
import Media
import Results

package struct Installation {
    package let model: EmotionModel
    package let modelPath: String
    package let level: KernelLevel
    package private(set) var options: AnalysisOptions
    private let search: ModelSearch

    /// - Throws: a sentence with the way out: which file is missing and where it was looked for.
    package init(options: AnalysisOptions, search: ModelSearch, logger: Logger) throws(PipelineError) {
        self.options = options
        self.search = search
        OpenCV.configure(threads: 1)
        do throws(InferenceError) {
            level =
                try options.cpuLevel.map { name throws(InferenceError) in try KernelLevel.named(name) }
                ?? KernelLevel.best().level
        } catch {
            throw PipelineError(.usage, "--cpu-level: \(error)")
        }
        if let given = options.model {
            modelPath = String(decoding: given, as: UTF8.self)
            model = try EmotionModel.load(given, logger: logger)
        } else if let found = search.find(ModelSearch.emotionNames) {
            modelPath = found.path
            model = try EmotionModel.load(Array(found.path.utf8), logger: logger)
        } else {
            let places = search.places.map(\.directory).joined(separator: ", ")
            throw PipelineError(
                .configuration,
                "no emotion model found (emotion.onnx in \(places)); give one with --model FILE or set EMOTIOND_MODELS")
        }
    }

    /// The same for a run with other options; nil where these ask for another model or another kernel level.
    package func with(_ options: AnalysisOptions) -> Installation? {
        guard options.model == self.options.model, options.cpuLevel == self.options.cpuLevel else { return nil }
        var other = self
        other.options = options
        return other
    }

    package struct Detector {
        package let detector: any FaceDetector
        package let path: String
        package let sha256: String
    }

    /// A detector of its own for each run: detectors belong to one thread.
    package func detector() throws(PipelineError) -> Detector {
        do {
            switch options.detector {
            case .auto, .yunet:
                if let path = options.detectorModel {
                    return try yunet(path)
                }
                if let found = search.find(ModelSearch.yunetNames) {
                    return try yunet(Array(found.path.utf8))
                }
                if options.detector == .yunet {
                    throw PipelineError(
                        .configuration,
                        "--detector yunet needs a model: give face_detection_yunet_2023mar.onnx with --detector-model, "
                            + "or put it in one of \(search.places.map(\.directory).joined(separator: ", "))")
                }
                return try cascade()
            case .cascade:
                return try cascade()
            }
        } catch let error as FacesError {
            throw PipelineError(.configuration, error.description)
        } catch let error as PipelineError {
            throw error
        } catch {
            throw PipelineError(.internalError, "\(error)")
        }
    }

    private func yunet(_ path: [UInt8]) throws -> Detector {
        let bytes = try FileBytes.read(path, limit: 256 << 20, what: "detector model")
        return Detector(
            detector: try DetectorLoader.load(path: path), path: String(decoding: path, as: UTF8.self),
            sha256: Checksum.hex(bytes))
    }

    private func cascade() throws -> Detector {
        let path = CascadeDetector.usualFiles.first { access($0, R_OK) == 0 }
        let detector = try CascadeDetector(searching: CascadeDetector.usualFiles)
        let bytes = try FileBytes.read(Array((path ?? "").utf8), limit: 64 << 20, what: "cascade")
        return Detector(detector: detector, path: path ?? "", sha256: Checksum.hex(bytes))
    }
}
