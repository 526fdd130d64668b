// Which face detector, and from which score on: the same words for analysing and for judging it.

import ArgumentParser
import Pipeline

struct DetectorArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Face detector: \(names(DetectorChoice.self)).", valueName: "kind"))
    var detector = DetectorChoice.auto

    @Option(help: ArgumentHelp("Detector model (ONNX): our own, or YuNet 2022mar or 2023mar.", valueName: "file"))
    var detectorModel: String?

    @Option(
        help: ArgumentHelp(
            "What runs our own detector: \(names(EngineChoice.self)). (default: native)", valueName: "engine"))
    var detectorEngine: EngineChoice?

    @Option(help: ArgumentHelp("Least score of a face, 0 to 1; default: the detector's own.", valueName: "score"))
    var minimumScore: Float?

    mutating func validate() throws {
        if detectorEngine != nil, detector == .yunet || detector == .cascade {
            throw ValidationError("--detector-engine is for our own detector, not for \(detector.rawValue).")
        }
        if let minimumScore, !(0...1).contains(minimumScore) {
            throw ValidationError("--minimum-score lies between 0 and 1, not \(minimumScore).")
        }
    }

    func apply(to options: inout AnalysisOptions) {
        options.detector = detector
        options.detectorModel = detectorModel.map(ArgumentBytes.bytes)
        options.detectorEngine = detectorEngine
        options.minimumScore = minimumScore
    }
}
