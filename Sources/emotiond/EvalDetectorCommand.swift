import ArgumentParser
import Logging
import Pipeline
import Results
import Tools

struct EvalDetectorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval-detector",
        abstract: "Judge the face detector on labelled pictures.",
        discussion: """
            DIR is a folder with labels/<source>.jsonl, one JSON object a line and picture (file, width, height, \
            faces, complete, split), and the pictures that they name. Every picture is looked at in a copy of one \
            width, smaller ones enlarged. Pictures and labels that cannot be used are named and left out, and the \
            exit status is 3 then.
            """)

    @Option(help: ArgumentHelp("Where labels and pictures are.", valueName: "dir"))
    var data: String

    @Option(help: ArgumentHelp("A split that stands in the labels, or all.", valueName: "split"))
    var split = "val"

    @OptionGroup var detecting: DetectorArguments

    @Option(help: ArgumentHelp("Highest instruction set to use: scalar, avx2, avx512.", valueName: "level"))
    var cpuLevel: String?

    @Option(help: ArgumentHelp("Width of the copy that the detector sees.", valueName: "pixels"))
    var detectSize = 640

    @Flag(help: "Print one JSON object: faces, recall, precision, false_per_100, landmark_error, ap50, by_size, …")
    var json = false

    mutating func validate() throws {
        if !(64...4096).contains(detectSize) {
            throw ValidationError("--detect-size lies between 64 and 4096 pixels, not \(detectSize).")
        }
    }

    func run() throws {
        let logger = LogLevel.notice.logger()
        let isWhole = try Failure.exits(logger) {
            let labels = try DetectorEvaluation.Labels(folder: data, split: split)
            let detector = try Installation(options: options(), search: Environment.modelSearch, logger: logger)
                .detector()
            let result = try DetectorEvaluation.Run(detector, score: detecting.minimumScore, width: detectSize).judge(
                labels)
            for line in result.leftOut.prefix(5) { logger.warning("left out: \(line)") }
            if result.leftOut.count > 5 { logger.warning("left out: \(result.leftOut.count) in all") }
            if result.evaluation.all.faces == 0 {
                logger.warning("no face with a person's box in split '\(split)': there is no recall")
            }
            let report = DetectorEvaluation.Report(result, of: detector, split: split, width: detectSize)
            print(json ? try report.json() : report.text())
            return result.leftOut.isEmpty
        }
        if !isWhole { throw ExitCode(ExitReason.partial.rawValue) }
    }

    private func options() -> AnalysisOptions {
        var options = AnalysisOptions()
        detecting.apply(to: &options)
        options.cpuLevel = cpuLevel
        return options
    }
}
