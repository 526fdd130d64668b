// The options of the main job, with the sentences that --help prints.

import ArgumentParser
import Core
import Pipeline

struct AnalysisArguments: ParsableArguments {
    @Option(
        name: .long, parsing: .upToNextOption,
        help: ArgumentHelp(
            "Video or picture files, or folders of them; '-' reads a list from standard input.", valueName: "path"))
    var file: [String] = []

    @Flag(name: .customShort("0"), help: "The list on standard input is separated by NUL bytes, not by lines.")
    var nul = false

    @Option(help: ArgumentHelp("Where the result folders go.", valueName: "dir"))
    var out = "emotiond-results"

    @Option(help: ArgumentHelp("Emotion model (ONNX). See 'emotiond doctor' for the search order.", valueName: "file"))
    var model: String?

    @OptionGroup var detecting: DetectorArguments

    @Option(help: ArgumentHelp("Longest side of the picture that the detector sees, in pixels.", valueName: "pixels"))
    var detectSize = 640

    @Option(
        help: ArgumentHelp(
            "Detect on every n-th frame and track in between, or 'adaptive'. (default: 1 with our own detector on its native engine and where faces are blurred, else adaptive)",
            valueName: "n"))
    var detectEvery: DetectionRate?

    @Option(help: ArgumentHelp("What runs the emotion model: \(names(EngineChoice.self)).", valueName: "engine"))
    var emotionEngine = EngineChoice.native

    @Option(help: ArgumentHelp("Highest instruction set to use: scalar, avx2, avx512.", valueName: "level"))
    var cpuLevel: String?

    @Option(help: ArgumentHelp("Start here: seconds or [HH:]MM:SS.", valueName: "time"))
    var from: Timestamp?

    @Option(help: ArgumentHelp("End before this: seconds or [HH:]MM:SS.", valueName: "time"))
    var to: Timestamp?

    @Option(help: ArgumentHelp("Analyse at most this many frames a second.", valueName: "rate"))
    var fps: Double?

    @Option(help: ArgumentHelp("Analyse every n-th frame.", valueName: "n"))
    var every = 1

    @Option(
        help: ArgumentHelp(
            "How pictures of the input are kept: \(names(VideoChoice.self)); blurred makes faces unrecognisable.",
            valueName: "how"))
    var video = VideoChoice.annotated

    @Flag(name: .customLong("no-video"), help: "Write no annotated video or picture.")
    var noVideo = false

    @Option(help: ArgumentHelp("A line of text on everything that is drawn.", valueName: "text"))
    var notice: String?

    @Option(help: ArgumentHelp("Annotated JPEGs of frames: all, faces or every:N.", valueName: "which"))
    var frames: StillChoice?

    @Flag(help: "Replace a result folder that was made with other settings.")
    var overwrite = false

    @Option(help: ArgumentHelp("Refuse pictures and frames with more pixels.", valueName: "pixels"))
    var maxPixels = AnalysisOptions().maximumPixels

    @Option(help: ArgumentHelp("Refuse videos that last longer.", valueName: "seconds"))
    var maxDuration = AnalysisOptions().maximumSeconds

    @Option(help: ArgumentHelp("Refuse files with more streams.", valueName: "count"))
    var maxStreams = AnalysisOptions().maximumStreams

    @Option(
        help: ArgumentHelp(
            "Keep checkpoints below this folder, on the disk of the results: a run that was stopped or broke off goes on from there.",
            valueName: "dir"))
    var work: String?

    @Option(help: ArgumentHelp("Seconds of media between two checkpoints.", valueName: "seconds", visibility: .hidden))
    var checkpointEvery = 10.0

    @Option(
        help: ArgumentHelp(
            "Least important message to print: trace, debug, info, notice, warning, error.", valueName: "level"))
    var logLevel = LogLevel.notice

    @Flag(help: "Print one JSON object with all results as the last line of standard output.")
    var json = false

    mutating func validate() throws {
        if every < 1 { throw ValidationError("--every counts from 1, not \(every).") }
        if let fps, !(fps > 0 && fps.isFinite) { throw ValidationError("--fps is a rate above 0, not \(fps).") }
        if detectSize < 64 { throw ValidationError("--detect-size is at least 64 pixels, not \(detectSize).") }
        if let from, let to, from >= to {
            throw ValidationError("--from \(from.seconds) is not before --to \(to.seconds).")
        }
        if video == .none, let frames, frames != .none {
            throw ValidationError("--video none keeps no pictures, so it cannot go with --frames \(frames.name).")
        }
        if !(0.001...86_400).contains(checkpointEvery) {
            throw ValidationError("--checkpoint-every lies between 0.001 and 86400 seconds, not \(checkpointEvery).")
        }
        if maxPixels < 1 || maxDuration < 1 || maxStreams < 1 { throw ValidationError("A limit is at least 1.") }
    }

    func options() -> AnalysisOptions {
        var options = AnalysisOptions()
        options.from = from
        options.to = to
        options.every = every
        options.framesPerSecond = fps
        detecting.apply(to: &options)
        options.detectSize = detectSize
        options.detectEvery = detectEvery
        options.model = model.map(ArgumentBytes.bytes)
        options.engine = emotionEngine
        options.cpuLevel = cpuLevel
        options.video = video
        options.writesVideo = !noVideo
        options.notice = notice.flatMap { $0.isEmpty ? nil : $0 }
        options.stills = frames ?? .none
        options.overwrite = overwrite
        options.maximumPixels = maxPixels
        options.maximumSeconds = maxDuration
        options.maximumStreams = maxStreams
        return options
    }
}

/// The choices as help prints them.
func names<Choice: CaseIterable & RawRepresentable<String>>(_ type: Choice.Type) -> String {
    Choice.allCases.map(\.rawValue).joined(separator: ", ")
}

extension DetectorChoice: ExpressibleByArgument {}
extension EngineChoice: ExpressibleByArgument {}
extension VideoChoice: ExpressibleByArgument {}

extension DetectionRate: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public var defaultValueDescription: String { name }
}

extension StillChoice: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
}

extension Timestamp: ExpressibleByArgument {
    /// `90`, `90.5`, `1:30`, `01:01:30.25`; microseconds at the finest.
    public init?(argument: String) {
        var whole: Int64 = 0
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count), let last = parts.last else { return nil }
        for part in parts.dropLast() {
            guard let number = Int64(part), (0..<1_000_000).contains(number) else { return nil }
            whole = (whole + number) * 60
        }
        let pieces = last.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(pieces.count), let seconds = Int64(pieces[0]), (0..<1_000_000_000).contains(seconds)
        else { return nil }
        var fraction: Int64 = 0
        if pieces.count == 2 {
            guard pieces[1].count <= 6,
                let number = Int64(pieces[1] + String(repeating: "0", count: 6 - pieces[1].count)),
                number >= 0
            else { return nil }
            fraction = number
        }
        self.init(microseconds: (whole + seconds) * 1_000_000 + fraction)
    }
}
