// The other end of the service's jobs. Started by `emotiond serve` or by a cluster's scheduler, not by people.

import ArgumentParser
import Dispatch
import Foundation
import Logging
import Pipeline
import Results
import Tools

struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Runs jobs that are ordered on standard input; see docs/operations.md.",
        shouldDisplay: false)

    @Option(help: ArgumentHelp("Emotion model that is loaded before the first job.", valueName: "file"))
    var model: String?

    @Option(help: ArgumentHelp("Highest instruction set to use, unless a job says another.", valueName: "level"))
    var cpuLevel: String?

    @Option(
        help: ArgumentHelp("How long a job may take to stop before the process ends without it.", valueName: "seconds"))
    var grace = 20

    @Option(help: ArgumentHelp("Least important message to print.", valueName: "level"))
    var logLevel = LogLevel.notice

    func run() throws {
        var options = AnalysisOptions()
        options.model = model.map(ArgumentBytes.bytes)
        options.cpuLevel = cpuLevel
        let worker = JobWorker(
            JobWorker.Setup(
                program: RunReport.Program(version: ProgramVersion.number, commit: ProgramVersion.commit),
                search: Environment.modelSearch, options: options, grace: .seconds(grace)),
            logger: logLevel.workerLogger())
        let signals = WorkerSignals(worker)
        defer { signals.end() }
        let exit = worker.run()
        if exit != .done { throw ExitCode(exit.rawValue) }
    }
}

/// SIGTERM and Ctrl-C mean the same to a worker as the end of its orders; twice is no more than once.
private struct WorkerSignals {
    private let sources: [any DispatchSourceSignal]

    init(_ worker: JobWorker) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { worker.stop() }
            source.resume()
            return source
        }
        // A daemon that goes away ends in the end of our input, not in a killed process; a file beyond the user's
        // limit in an error of its write.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }

    func end() {
        for source in sources { source.cancel() }
    }
}

/// One line a message, `level: text`: the daemon reads it and logs it under the job's name.
private struct WorkerLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let text = "\(event.level): \(event.message)".map { $0.isNewline ? " " : $0 }
        FileHandle.standardError.write(Data((String(text) + "\n").utf8))
    }
}

extension LogLevel {
    fileprivate func workerLogger() -> Logger {
        var handler = WorkerLogHandler()
        handler.logLevel = Logger.Level(rawValue: rawValue) ?? .notice
        return Logger(label: "emotiond") { [handler] _ in handler }
    }
}
