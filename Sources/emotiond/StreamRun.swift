// One stream in the foreground, until Ctrl-C. A line on standard output for each segment.

import ArgumentParser
import Foundation
import Logging
import Pipeline
import Results
import Tools

struct StreamRun {
    private let arguments: AnalysisArguments
    private let description: StreamDescription
    private let logger: Logger
    private let cancellation = Cancellation()
    private let line = ProgressLine()

    init(_ arguments: AnalysisArguments, _ description: StreamDescription) throws {
        self.arguments = arguments
        self.description = description
        logger = arguments.logLevel.logger()
        if !arguments.file.isEmpty { throw ValidationError("Give either files or a stream, not both.") }
        if arguments.from != nil || arguments.to != nil || arguments.every != 1 || arguments.frames != nil {
            throw ValidationError("--from, --to, --every and --frames are for files; a stream takes --fps.")
        }
    }

    /// - Throws: `ExitCode` for anything but 0. Ctrl-C is how a stream ends, so it is no failure.
    func run() throws {
        let signals = SignalWatch(cancellation)
        defer { signals.end() }
        var description = description
        description.framesPerSecond = arguments.fps
        do throws(PipelineError) {
            let installation = try Installation(
                options: arguments.options(), search: Environment.modelSearch, logger: logger)
            let job = StreamJob(
                description,
                program: RunReport.Program(version: ProgramVersion.number, commit: ProgramVersion.commit),
                requiresFirstConnection: true)
            let line = line, logger = logger, json = arguments.json
            _ = try job.run(installation, cancellation: cancellation, logger: logger) { report in
                Self.show(report, json: json, line, logger)
            }
            line.clear()
        } catch {
            line.clear()
            logger.error("\(error)")
            throw ArgumentParser.ExitCode(error.exit.rawValue)
        }
    }

    private static func show(_ report: StreamReport, json: Bool, _ line: ProgressLine, _ logger: Logger) {
        switch report {
        case .event: line.clear()
        case .stats(let stats): line.show(text(stats))
        case .published(let segment):
            line.clear()
            // Not by print: into a pipe, too, each segment is told when it is there.
            FileHandle.standardOutput.write(Data(((json ? jsonLine(segment) : text(segment)) + "\n").utf8))
        }
    }

    private static func text(_ stats: StreamStats) -> String {
        let faces = stats.faces.map { "#\($0.id) \($0.dominant ?? "unsure")" }.joined(separator: ", ")
        let lag = stats.lagSeconds.map { String(format: "%.2f s behind", $0) } ?? ""
        return String(
            format: "%@  %.1f of %.1f fps  %@  %d dropped  %@", stats.phase.rawValue, stats.fpsOut, stats.fpsIn, lag,
            stats.dropped, faces)
    }

    private static func text(_ segment: StreamSegment) -> String {
        let status = segment.status == .complete ? "" : ", \(segment.status.rawValue)"
        return "\(segment.frames) frames, \(segment.faces) face ids\(status), see \(PathBytes.shown(segment.folder))"
    }

    private static func jsonLine(_ segment: StreamSegment) -> String {
        struct Line: Encodable {
            let folder: String
            let folderBase64: String?
            let frames: Int
            let rows: Int
            let faces: Int
            let status: String
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let line = Line(
            folder: PathBytes.lossy(segment.folder), folderBase64: PathBytes.base64IfNeeded(segment.folder),
            frames: segment.frames, rows: segment.rows, faces: segment.faces, status: segment.status.rawValue)
        guard let bytes = try? encoder.encode(line) else { return "{}" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
