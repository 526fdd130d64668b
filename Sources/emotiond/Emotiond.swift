// The command: arguments in, exit code out. All work is done by the rooms below.

import ArgumentParser
import Results
import Tools

@main
struct Emotiond: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emotiond",
        abstract: "Turns video into emotion timelines.",
        usage: """
            emotiond --file PATH ... [--out DIR] [--model FILE] [--detector-model FILE]
            emotiond eval --data DIR --split public
            emotiond doctor
            """,
        discussion: """
            Finds the faces in every frame, follows them under steady ids, and writes for each input a folder with \
            timeline.csv (seven probabilities a face and frame), summary.csv, run.json and annotated.mp4 or \
            annotated.jpg. What is measured is the expression that a face shows, not what a person feels.

            EXAMPLES
              emotiond --file ad.mp4
              emotiond --file recordings/ --out results --no-video
              find . -name '*.mp4' -print0 | emotiond --file - -0 --fps 5

            \(ExitReason.help)
            """,
        version: Doctor.versionText,
        subcommands: [EvalCommand.self, BenchCommand.self, DoctorCommand.self],
        helpNames: [.short, .long])

    @OptionGroup var analysis: AnalysisArguments

    func run() throws {
        // Not in validate(), which is asked for the subcommands too.
        if analysis.file.isEmpty { throw ValidationError("Nothing to do: name a file with --file PATH.") }
        try AnalysisRun(analysis).run()
    }

    static func main() {
        do {
            var command = try parseAsRoot(ArgumentBytes.arguments())
            try command.run()
        } catch {
            exit(withError: error)
        }
    }
}
