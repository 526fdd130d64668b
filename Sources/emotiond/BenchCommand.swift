import ArgumentParser
import Foundation
import Pipeline
import Tools

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the emotion engine, a face detector, or decoding alone, on this machine.",
        discussion: "'make bench' runs this beside its peers and prints the ratios.")

    @Option(help: ArgumentHelp("Measure decoding of this file instead of the engine.", valueName: "file"))
    var decode: String?

    @Option(help: ArgumentHelp("Measure this face detector instead: auto, own, yunet, cascade.", valueName: "kind"))
    var detector: DetectorChoice?

    @Option(help: ArgumentHelp("Detector model (ONNX).", valueName: "file"))
    var detectorModel: String?

    @Option(help: ArgumentHelp("What runs our own detector: native or opencv.", valueName: "engine"))
    var detectorEngine: EngineChoice?

    @Option(help: ArgumentHelp("Size of the detector's picture.", valueName: "WxH"))
    var size = "640x360"

    @Flag(help: "Also each layer of our own detector, run over its whole map.")
    var layers = false

    @Option(help: ArgumentHelp("Emotion model (ONNX).", valueName: "file"))
    var model: String?

    @Option(help: ArgumentHelp("What runs the model: native or opencv.", valueName: "engine"))
    var emotionEngine = EngineChoice.native

    @Option(help: ArgumentHelp("Highest instruction set to use: scalar, avx2, avx512.", valueName: "level"))
    var cpuLevel: String?

    @Option(help: ArgumentHelp("Crops in a batch.", valueName: "n"))
    var batch = 16

    @Option(help: ArgumentHelp("Timed passes.", valueName: "n"))
    var reps = 50

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        if batch < 1 || reps < 1 { throw ValidationError("--batch and --reps count from 1.") }
        if pictureSize == nil { throw ValidationError("--size is WIDTHxHEIGHT, 1 to 16384 each, not \(size).") }
    }

    private var pictureSize: (width: Int, height: Int)? {
        let sides = size.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard sides.count == 2, sides.allSatisfy({ (1...16_384).contains($0) }) else { return nil }
        return (sides[0], sides[1])
    }

    func run() throws {
        let logger = LogLevel.notice.logger()
        try Failure.exits(logger) {
            if let decode {
                let result = try DecodeBench(path: ArgumentBytes.bytes(of: decode))
                try show(result, "\(result.frames) frames, \(Int(result.framesPerSecond)) frames/s")
                return
            }
            var options = AnalysisOptions()
            options.model = model.map(ArgumentBytes.bytes)
            options.engine = emotionEngine
            options.cpuLevel = cpuLevel
            options.detector = detector ?? .auto
            options.detectorModel = detectorModel.map(ArgumentBytes.bytes)
            options.detectorEngine = detectorEngine
            let installation = try Installation(options: options, search: Environment.modelSearch, logger: logger)
            if detector != nil, let pictureSize {
                let result = try DetectorBench(
                    installation: installation, size: pictureSize, repeats: reps, layers: layers)
                try show(result, text(of: result))
                return
            }
            let result = try EngineBench(installation: installation, batch: batch, repeats: reps)
            try show(
                result,
                String(
                    format: "%@, batch %d, one thread: %.3f ms a face (best %.3f, CPU %.3f)", result.level, batch,
                    result.msPerFace, result.msPerFaceMin, result.cpuMsPerFace))
        }
    }

    private func text(of result: DetectorBench) -> String {
        let first = String(
            format: "%@ by %@ (%@), %dx%d, one thread: %.3f ms of CPU a picture (best %.3f)", result.detector,
            result.runtime, result.level, result.width, result.height, result.cpuMs, result.cpuMsMin)
        let lines = (result.layers ?? []).map { layer in
            String(
                format: "%8.3f ms %8.2f MMAC %6.0f GFLOP/s  ", layer.ms, layer.mmac, 2 * layer.mmac / layer.ms)
                + layer.name
        }
        return ([first] + lines).joined(separator: "\n")
    }

    private func show(_ value: some Encodable, _ text: String) throws {
        guard json else { return print(text) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.keyEncodingStrategy = .convertToSnakeCase
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
