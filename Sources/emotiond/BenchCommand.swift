import ArgumentParser
import Foundation
import Pipeline
import Tools

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the emotion engine, or decoding alone, on this machine.",
        discussion: "'make bench' runs this beside its peers and prints the ratios.")

    @Option(help: ArgumentHelp("Measure decoding of this file instead of the engine.", valueName: "file"))
    var decode: String?

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
            let installation = try Installation(options: options, search: Environment.modelSearch, logger: logger)
            let result = try EngineBench(installation: installation, batch: batch, repeats: reps)
            try show(
                result,
                String(
                    format: "%@, batch %d, one thread: %.3f ms a face (best %.3f, CPU %.3f)", result.level, batch,
                    result.msPerFace, result.msPerFaceMin, result.cpuMsPerFace))
        }
    }

    private func show(_ value: some Encodable, _ text: String) throws {
        guard json else { return print(text) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.keyEncodingStrategy = .convertToSnakeCase
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
