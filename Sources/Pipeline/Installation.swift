// What a run needs from the machine, found and opened once: model, kernel level, detector.

package import Faces
package import Inference
package import Logging
import Media
import Results

package struct Installation {
    package let model: EmotionModel
    package let modelPath: String
    package let level: KernelLevel
    package private(set) var options: AnalysisOptions
    let search: ModelSearch

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
        /// Nil where there is no choice: YuNet and the cascade are OpenCV's.
        package let engine: EngineChoice?
        package let path: String
        package let sha256: String
        /// Why it was this one, for `doctor`.
        package let why: String

        /// How often it looks where nothing is asked for: every time where that costs less than following.
        package var automaticRate: DetectionRate { engine == .native ? .every(1) : .adaptive }
    }
}
