// `emotiond jobs`: what an operator asks the running service, over its Unix socket.

import ArgumentParser
import Daemon
import Dispatch
import Foundation
import Logging
import Results
import ServiceConfig
import Synchronization
import Tools

struct JobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Asks a running service about its jobs, and gives it orders.",
        subcommands: [List.self, Show.self, Why.self, Retry.self, Cancel.self, Verify.self],
        defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Newest jobs first.")
        @OptionGroup var place: ServicePlace
        @Option(help: "queued, running, done, failed or cancelled; several by commas.") var state: String?
        @Option(help: ArgumentHelp("Only paths with this text in them.", valueName: "text")) var find: String?
        @Option(help: "How many.") var limit = 50
        @Flag(help: "One JSON array.") var json = false

        func run() throws {
            let control = try Control(place)
            var jobs: [JobLine] = []
            var before: Int64?
            repeat {
                let page: JobLines = try control.ask(
                    .list(states: state, text: find, limit: min(500, limit - jobs.count), before: before))
                jobs += page.jobs
                before = page.next
            } while jobs.count < limit && before != nil
            if json { return try Control.printJSON(jobs) }
            for job in jobs { print(job.line) }
            if jobs.isEmpty { print("no jobs") }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All about one job.")
        @OptionGroup var place: ServicePlace
        @Argument(help: "Number of the job.") var id: Int64

        func run() throws { try Control(place).show(.show(id)) }
    }

    struct Why: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Why is this file not processed? Every sighting and decision, in order of time.")
        @OptionGroup var place: ServicePlace
        @Argument(help: "Path below the watched folder, or the whole path of a file in it.") var path: String
        @Flag(help: "One JSON object.") var json = false

        func run() throws {
            let control = try Control(place)
            let answer: WhyLines = try control.ask(.why(path: control.relative(path)))
            if json { return try Control.printJSON(answer) }
            for event in answer.events { print("\(Control.time(event.at))  \(event.text)") }
            print(answer.now)
        }
    }

    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Does a job that ended once more; its new result replaces the old one.")
        @OptionGroup var place: ServicePlace
        @Argument(help: "Number of the job.") var id: Int64

        func run() throws {
            let job: JobLine = try Control(place).ask(.retry(id))
            print(job.line)
        }
    }

    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a job that waits or runs; its input stays where it is.")
        @OptionGroup var place: ServicePlace
        @Argument(help: "Number of the job.") var id: Int64

        func run() throws {
            let job: JobLine = try Control(place).ask(.cancel(id))
            print(job.line)
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Do the ledger, the folders and the results agree?")
        @OptionGroup var place: ServicePlace
        @Flag(help: "One JSON object.") var json = false

        func run() throws {
            let report: VerifyLines = try Control(place).ask(.verify)
            if json {
                try Control.printJSON(report)
            } else {
                for problem in report.problems { print(problem) }
                let verdict = report.problems.isEmpty ? "all agrees" : "\(report.problems.count) problems"
                print("\(report.jobs) jobs, \(report.results) results: \(verdict)")
            }
            if !report.problems.isEmpty { throw ExitCode(ExitReason.internalError.rawValue) }
        }
    }
}

struct PurgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Removes all that belongs to one input: file, result, checkpoint and rows; keeps a line in the audit."
    )

    @OptionGroup var place: ServicePlace
    @Argument(help: "Path below the watched folder, of a file or folder; or streams/NAME.") var path: String
    @Flag(help: "Do not ask.") var yes = false

    func run() throws {
        let control = try Control(place)
        let relative = control.relative(path)
        if !yes {
            print("Remove everything that belongs to '\(relative)'? This cannot be undone. Type yes: ", terminator: "")
            guard readLine() == "yes" else { throw CleanExit.message("Nothing was removed.") }
        }
        let report: PurgeLines = try control.ask(.purge(path: relative))
        for line in report.removed { print("removed \(line)") }
        if report.removed.isEmpty { print("there was nothing of '\(relative)'") }
    }
}

// MARK: What the daemon says

struct JobLine: Codable {
    struct Failure: Codable { var reason: String }
    var id: Int64
    var path: String
    var pathBase64: String?
    var state: String
    var outcome: String?
    var attempts: Int
    var waitingFor: String?
    var failure: Failure?
    var sameAs: Int64?

    var line: String {
        var text = "\(id)\t\(state)\t\(path)"
        if let outcome { text += "\t\(outcome)" }
        if let sameAs { text += " as job \(sameAs)" }
        if let failure { text += "\t\(failure.reason)" }
        if state == "queued", let waitingFor { text += "\t\(waitingFor)" }
        return text
    }
}

private struct JobLines: Codable {
    var jobs: [JobLine]
    var next: Int64?
}

private struct WhyLines: Codable {
    struct Event: Codable {
        var at: Double
        var kind: String
        var job: Int64?
        var text: String
    }
    var path: String
    var now: String
    var events: [Event]
}

private struct VerifyLines: Codable {
    var jobs: Int
    var results: Int
    var problems: [String]
}

private struct PurgeLines: Codable {
    var path: String
    var removed: [String]
}

// MARK: Asking

private struct Control {
    private let control: ServiceControl
    private let incoming: String

    init(_ place: ServicePlace) throws {
        do {
            let configuration = try place.configuration()
            control = ServiceControl(
                configuration, version: ProgramVersion.number, logger: LogLevel.warning.logger())
            incoming = configuration.state.incomingFolder
        } catch {
            throw Self.end(error, .configuration)
        }
    }

    func ask<Answer: Decodable>(_ request: ServiceRequest) throws -> Answer {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Answer.self, from: Data(try send(request)))
    }

    func show(_ request: ServiceRequest) throws {
        let value = try JSONSerialization.jsonObject(with: Data(try send(request)))
        let pretty = try JSONSerialization.data(
            withJSONObject: value, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        print(String(decoding: pretty, as: UTF8.self))
    }

    private func send(_ request: ServiceRequest) throws -> [UInt8] {
        do {
            return try Waiting.run { try await control.ask(request) }
        } catch let error as ServiceError {
            throw Self.end(error, ExitReason(rawValue: error.exit) ?? .internalError)
        } catch let error as ControlError {
            switch error {
            case .unreachable, .malformed: throw Self.end(error, .unavailable)
            case .answer(let status, _):
                throw Self.end(error, status == 404 ? .noInput : status == 409 ? .tryLater : .usage)
            }
        } catch {
            throw Self.end(error, .internalError)
        }
    }

    private static func end(_ error: any Error, _ reason: ExitReason) -> ExitCode {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        return ExitCode(reason.rawValue)
    }

    /// Below the watched folder, however it was given.
    func relative(_ path: String) -> String {
        path.hasPrefix(incoming + "/") ? String(path.dropFirst(incoming.count + 1)) : path
    }

    static func time(_ seconds: Double) -> String { Date(timeIntervalSince1970: seconds).ISO8601Format() }

    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

/// A command's own thread waits for work that is asynchronous.
private enum Waiting {
    private final class Box<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }

    static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let box = Box<Value>()
        let done = DispatchSemaphore(value: 0)
        Task {
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            box.result.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard let result = box.result.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }
}
