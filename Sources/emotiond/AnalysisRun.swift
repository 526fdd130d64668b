// The main job over all inputs: one after the other, going on where one fails.

import ArgumentParser
import Foundation
import Logging
import Pipeline
import Results
import Tools

struct AnalysisRun {
    private let arguments: AnalysisArguments
    private let logger: Logger
    private let cancellation = Cancellation()
    private let line = ProgressLine()

    init(_ arguments: AnalysisArguments) {
        self.arguments = arguments
        logger = arguments.logLevel.logger()
    }

    /// - Throws: `ExitCode` for anything but 0.
    func run() throws {
        // With a work folder a signal means: go on later.
        let signals = SignalWatch(cancellation, arguments.work == nil ? .interrupt : .stop)
        defer { signals.end() }
        let installation: Installation
        let inputs: [InputJob]
        do throws(PipelineError) {
            installation = try Installation(
                options: arguments.options(), search: Environment.modelSearch, logger: logger)
            // A wrong detector file is the command's fault, not each input's.
            _ = try installation.detector()
            inputs = InputList.expand(paths(), output: ArgumentBytes.bytes(of: arguments.out))
        } catch {
            logger.error("\(error)")
            throw ArgumentParser.ExitCode(error.exit.rawValue)
        }
        if inputs.isEmpty { logger.warning("nothing to do: the list of files is empty") }

        var ends: [InputEnd] = []
        for input in inputs {
            ends.append(analyse(input, installation))
            line.clear()
            report(ends[ends.count - 1])
            if cancellation.isRaised { break }
        }
        if arguments.json { print(try InputEnd.json(ends)) }
        let isStopped = cancellation.kind == .stop && (ends.last?.exit == .tryLater || ends.count < inputs.count)
        let exit = isStopped ? .tryLater : ExitReason.combined(ends.map(\.exit))
        if exit != .done { throw ArgumentParser.ExitCode(exit.rawValue) }
    }

    /// What --file names, with '-' replaced by the list on standard input.
    private func paths() -> [[UInt8]] {
        arguments.file.flatMap { text -> [[UInt8]] in
            guard text == "-" else { return [ArgumentBytes.bytes(of: text)] }
            let list = [UInt8](FileHandle.standardInput.readDataToEndOfFile())
            return InputList.paths(inList: list, separator: arguments.nul ? .nul : .newline)
        }
    }

    private func analyse(_ input: InputJob, _ installation: Installation) -> InputEnd {
        if let failure = input.problem {
            return InputEnd(input: input.path, exit: failure.exitReason, error: failure.description, outcome: nil)
        }
        let name = PathBytes.shown(PathBytes.lastComponent(input.path) ?? input.path)
        do throws(PipelineError) {
            let work = try workFolder(input)
            defer { work?.lock.release() }
            let job = AnalysisJob(
                path: input.path, relative: input.relative, outputRoot: ArgumentBytes.bytes(of: arguments.out),
                program: RunReport.Program(version: ProgramVersion.number, commit: ProgramVersion.commit),
                work: work?.settings)
            let outcome = try job.run(installation, cancellation: cancellation, logger: logger) { line.show(name, $0) }
            return InputEnd(input: input.path, exit: outcome.exit, error: nil, outcome: outcome)
        } catch {
            return InputEnd(input: input.path, exit: error.exit, error: error.description, outcome: nil)
        }
    }

    private func workFolder(_ input: InputJob) throws(PipelineError) -> (settings: WorkSettings, lock: WorkLock)? {
        guard let root = arguments.work.map(ArgumentBytes.bytes) else { return nil }
        let result = PathBytes.join(ArgumentBytes.bytes(of: arguments.out), input.relative)
        let folder = WorkSettings.folder(below: root, input: input.path, result: result)
        let lock: WorkLock?
        do throws(ResultsError) {
            lock = try WorkLock(folder: folder)
        } catch {
            throw PipelineError(error.exitReason, error.description)
        }
        guard let lock else {
            throw PipelineError(.tryLater, "\(PathBytes.shown(input.path)): another process is working on it")
        }
        return (WorkSettings(folder: folder, interval: .seconds(arguments.checkpointEvery)), lock)
    }

    /// One line an input, on standard output unless that is kept for JSON.
    private func report(_ end: InputEnd) {
        if let error = end.error {
            logger.error("\(error)")
        } else if let outcome = end.outcome {
            let text = end.sentence(outcome)
            if arguments.json { logger.info("\(text)") } else { print(text) }
        }
    }
}

/// How one input ended.
struct InputEnd {
    let input: [UInt8]
    let exit: ExitReason
    let error: String?
    let outcome: AnalysisJob.Outcome?

    func sentence(_ outcome: AnalysisJob.Outcome) -> String {
        let folder = PathBytes.shown(outcome.folder)
        if outcome.skipped { return "\(PathBytes.shown(input)): already done, see \(folder)" }
        let what = "\(outcome.frames) frames, \(outcome.faces) face ids"
        let time = String(format: "%.1f s", outcome.seconds)
        let status = outcome.status == .complete ? "" : ", \(outcome.status.rawValue)"
        return "\(PathBytes.shown(input)): \(what) in \(time)\(status), see \(folder)"
    }

    /// `{"exit": …, "results": [{input, status, folder, frames, faces, seconds, exit, error}]}`
    static func json(_ ends: [InputEnd]) throws -> String {
        struct Result: Encodable {
            let input: String
            let inputBase64: String?
            let exit: Int32
            let status: String
            let folder: String?
            let frames: Int?
            let faces: Int?
            let seconds: Double?
            let error: String?
        }
        struct Whole: Encodable {
            let exit: Int32
            let results: [Result]
        }
        let results = ends.map { end in
            let status = end.outcome.map { $0.skipped ? "skipped" : $0.status.rawValue } ?? "failed"
            return Result(
                input: PathBytes.lossy(end.input), inputBase64: PathBytes.base64IfNeeded(end.input),
                exit: end.exit.rawValue, status: status, folder: end.outcome.map { PathBytes.lossy($0.folder) },
                frames: end.outcome?.frames, faces: end.outcome?.faces, seconds: end.outcome?.seconds, error: end.error)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let whole = Whole(exit: ExitReason.combined(ends.map(\.exit)).rawValue, results: results)
        return String(decoding: try encoder.encode(whole), as: UTF8.self)
    }
}
