import ArgumentParser
import Core
import Logging
import Pipeline
import Tools

struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Judge the emotion model on labelled crops.",
        discussion: """
            DIR is a folder with <split>_images.npy and <split>_labels.npy, a folder with Kaggle's fer2013.csv, that \
            file itself, or folder:DIR with one sub-folder of face pictures for each class. One pass, no test-time \
            averaging.
            """)

    @Option(help: ArgumentHelp("Where the crops are.", valueName: "dir"))
    var data: String

    @Option(help: ArgumentHelp("train, public or private; of no matter for folder:DIR.", valueName: "split"))
    var split = Split.public

    @Option(help: ArgumentHelp("Leave out the rows listed in this file, one number from 0 a line.", valueName: "file"))
    var exclude: String?

    @Option(help: ArgumentHelp("Emotion model (ONNX).", valueName: "file"))
    var model: String?

    @Option(help: ArgumentHelp("What runs the model: native or opencv.", valueName: "engine"))
    var emotionEngine = EngineChoice.native

    @Option(help: ArgumentHelp("Highest instruction set to use: scalar, avx2, avx512.", valueName: "level"))
    var cpuLevel: String?

    @Flag(help: "Print one JSON object: n, accuracy, macro_f1, ece, per_class, confusion.")
    var json = false

    func run() throws {
        let logger = LogLevel.notice.logger()
        try Failure.exits(logger) {
            var options = AnalysisOptions()
            options.model = model.map(ArgumentBytes.bytes)
            options.engine = emotionEngine
            options.cpuLevel = cpuLevel
            let installation = try Installation(options: options, search: Environment.modelSearch, logger: logger)
            var crops = try LabelledCrops.load(data, split: split)
            if let exclude { crops = try crops.excluding(exclude) }
            for line in crops.leftOut.prefix(5) { logger.warning("left out: \(line)") }
            if crops.leftOut.count > 5 { logger.warning("left out: \(crops.leftOut.count) in all") }
            let evaluation = try evaluate(crops, with: installation)
            print(json ? try evaluation.json() : evaluation.text())
        }
    }
}

extension Split: ExpressibleByArgument {}
