// The command: arguments in, exit code out. All work is done by the rooms below.

import ArgumentParser
import Results
import Tools

@main
struct Emotiond: ParsableCommand {
    // The main job is a subcommand that need not be named: options of a root command that has subcommands would
    // be taken from these, `eval --json` for one.
    static let configuration = CommandConfiguration(
        commandName: "emotiond",
        abstract: "Turns video into emotion timelines.",
        version: Doctor.versionText,
        subcommands: [
            AnalyseCommand.self, EvalCommand.self, EvalDetectorCommand.self, BenchCommand.self, DoctorCommand.self,
            ServeCommand.self, JobsCommand.self, PurgeCommand.self, WorkerCommand.self,
        ],
        defaultSubcommand: AnalyseCommand.self)

    static func main() {
        let arguments = ArgumentBytes.arguments()
        if arguments == ["--help"] || arguments == ["-h"] || arguments == ["help"] {
            return print(helpMessage(for: AnalyseCommand.self))
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            exit(withError: error)
        }
    }
}

struct AnalyseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyse",
        abstract: "Turns video into emotion timelines.",
        usage: """
            emotiond --file PATH ... [--out DIR] [--model FILE] [--detector-model FILE]
            emotiond --stream URL [--segment 10m] [--out DIR]
            emotiond eval|eval-detector|bench|doctor [--help]
            """,
        discussion: """
            Finds the faces in every frame, follows them under steady ids, and writes for each input a folder with \
            timeline.csv (seven probabilities a face and frame), summary.csv, run.json and annotated.mp4 or \
            annotated.jpg. What is measured is the expression that a face shows, not what a person feels.

            EXAMPLES
              emotiond --file ad.mp4
              emotiond --file recordings/ --out results --no-video
              emotiond --stream rtsp://camera.local/stream --segment 10m --out results
              find . -name '*.mp4' -print0 | emotiond --file - -0 --fps 5

            OTHER COMMANDS
              eval           judge the emotion model on labelled crops
              eval-detector  judge the face detector on labelled pictures
              bench          measure the emotion engine, or decoding alone, on this machine
              doctor         explain the installation: libraries, models, CPU levels, codecs

            \(ExitReason.help)
            """)

    @OptionGroup var analysis: AnalysisArguments
    @OptionGroup var live: StreamArguments

    func run() throws {
        // A stream in the environment must not turn a run over files into something else.
        let environment = analysis.file.isEmpty ? Environment.stream : nil
        let output = ArgumentBytes.bytes(of: analysis.out)
        if let stream = try Failure.exits(
            analysis.logLevel.logger(), { try live.description(environment: environment, output: output) })
        {
            return try StreamRun(analysis, stream).run()
        }
        if analysis.file.isEmpty {
            throw ValidationError("Nothing to do: name a file with --file PATH, or a stream with --stream URL.")
        }
        try AnalysisRun(analysis).run()
    }
}
