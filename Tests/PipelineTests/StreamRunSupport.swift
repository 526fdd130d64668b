// A stream that runs on a thread of its own while a test looks at what it reports.

import Core
import Foundation
import Logging
import Pipeline
import Results
import Synchronization
import TestSupport

/// A wall clock that runs as the machine's but is set by the test, and the local time that goes with it.
final class TestWall: Sendable {
    private let offset: Mutex<Int64>
    private let local = Mutex(LocalMoment(weekday: 2, minute: 12 * 60))
    private let system = StreamClock.system

    init(start: Int64) { offset = Mutex(start) }

    func advance(_ seconds: Int64) { offset.withLock { $0 += seconds * 1_000_000 } }
    func set(_ moment: LocalMoment) { local.withLock { $0 = moment } }

    var clock: StreamClock {
        StreamClock(
            monotonic: system.monotonic, wall: { [self] in offset.withLock { $0 } + system.monotonic() },
            local: { [self] _ in local.withLock { $0 } })
    }
}

final class StreamRun: Sendable {
    struct TooLate: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var events: [StreamEvent] = []
        var stats = StreamStats()
        var segments: [StreamSegment] = []
        var outcome: Result<StreamJob.Outcome, any Error>?
    }

    private let condition = NSCondition()
    private let state = Mutex(State())
    private let lines = StreamLogLines()
    private let cancellation = Cancellation()
    private let out: URL
    private let ownsFolder: Bool

    static func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(path: "emotiond-stream-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    init(
        _ url: String?, out: URL? = nil, wall: TestWall? = nil, requiresFirstConnection: Bool = false,
        _ describe: (inout StreamDescription) -> Void = { _ in }
    ) throws {
        let folder = try out ?? Self.folder()
        self.out = folder
        ownsFolder = out == nil
        var description = StreamDescription(name: "door", url: url, outputRoot: Array(folder.path.utf8))
        describe(&description)
        let models = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/emotiond/Models").path
        var logger = Logger(label: "test") { [lines] _ in LineHandler(lines) }
        logger.logLevel = .trace
        let job = StreamJob(
            description, program: RunReport.Program(version: "test", commit: "test"),
            requiresFirstConnection: requiresFirstConnection, clock: wall?.clock ?? .system, seed: 1)
        let started = logger
        Thread.detachNewThread { [self] in
            let result = Result { () throws -> StreamJob.Outcome in
                let installation = try Installation(
                    options: AnalysisOptions(), search: ModelSearch(environment: models, executable: ""),
                    logger: started)
                return try job.run(installation, cancellation: cancellation, logger: started) { [self] in take($0) }
            }
            self.change { $0.outcome = result }
        }
    }

    deinit { if ownsFolder { try? FileManager.default.removeItem(at: out) } }

    private func take(_ report: StreamReport) {
        change { state in
            switch report {
            case .event(let event): state.events.append(event)
            case .stats(let stats): state.stats = stats
            case .published(let segment): state.segments.append(segment)
            }
        }
    }

    private func change(_ body: (inout sending State) -> Void) {
        condition.lock()
        state.withLock { body(&$0) }
        condition.broadcast()
        condition.unlock()
    }

    private func wait(for what: String, _ isThere: (State) -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: 120)
        condition.lock()
        defer { condition.unlock() }
        while true {
            let (there, outcome) = state.withLock { (isThere($0), $0.outcome) }
            if there { return }
            if case .failure(let error) = outcome { throw error }
            guard condition.wait(until: deadline) else {
                throw TooLate(description: "no \(what) within two minutes: \(kinds), \(stats), \(log)")
            }
        }
    }

    func wait(_ what: String, _ isThere: (StreamStats) -> Bool) throws {
        try wait(for: what) { isThere($0.stats) }
    }

    func wait(event kind: StreamEvent.Kind, times: Int = 1) throws {
        try wait(for: "event '\(kind)'") { $0.events.count { $0.kind == kind } >= times }
    }

    func wait(segments: Int) throws { try wait(for: "\(segments) segments") { $0.segments.count >= segments } }

    /// Ends the stream as Ctrl-C does.
    func stop() throws -> StreamJob.Outcome {
        cancellation.raise()
        return try outcome()
    }

    func outcome() throws -> StreamJob.Outcome {
        try wait(for: "end") { $0.outcome != nil }
        guard let outcome = state.withLock({ $0.outcome }) else { throw TooLate(description: "no end") }
        return try outcome.get()
    }

    var stats: StreamStats { state.withLock { $0.stats } }
    var kinds: [StreamEvent.Kind] { state.withLock { $0.events.map(\.kind) } }
    var log: String { lines.text }

    /// Of segments, below the stream's own.
    var folders: [String] {
        state.withLock { $0.segments.map { String(decoding: $0.folder, as: UTF8.self) } }
            .map { $0.split(separator: "/").suffix(2).joined(separator: "/") }
    }

    var names: [String] { (try? FileManager.default.subpathsOfDirectory(atPath: out.path).sorted()) ?? [] }

    /// What Python's own reader of CSV and JSON says of the segments.
    struct Check: Decodable {
        let problems: [String]
        let decoded: Int
        let lastFrame: Int
        let statuses: [String]
        let videoFrames: Int
    }

    func check(realClock: Bool) throws -> Check {
        let process = Process()
        process.executableURL = CameraServer.python
        process.arguments = [
            CameraServer.servers.appending(path: "check_stream.py").path, out.appending(path: "streams/door").path,
        ]
        if realClock { process.arguments?.append("--real-clock") }
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Check.self, from: bytes)
    }
}

private final class StreamLogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var text: String { lines.withLock { $0.joined(separator: "\n") } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// Collects log lines as text.
private struct LineHandler: LogHandler {
    private let lines: StreamLogLines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(_ lines: StreamLogLines) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.add("\(event.level): \(event.message)") }
}
