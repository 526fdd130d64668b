// The service's worker as it is built: orders in, reports out, and nothing published that is not wanted any more.

import Foundation
import Logging
import Results
import Testing
import Workers

@Suite(.serialized, .timeLimit(.minutes(30))) struct WorkerTests {
    private let out: TemporaryFolder
    init() throws { out = try TemporaryFolder() }

    private var work: [UInt8] { Array(out.url.appending(path: "work").path.utf8) }
    private var results: String { out.url.appending(path: "results").path }

    private func job(_ sample: String, _ change: (inout InputWork) -> Void = { _ in }) -> JobDescription {
        job(Command.samples.appending(path: sample), change)
    }

    private func job(_ file: URL, _ change: (inout InputWork) -> Void = { _ in }) -> JobDescription {
        var input = InputWork(
            path: Array(file.path.utf8), outputRoot: Array(results.utf8), relative: Array(file.lastPathComponent.utf8),
            workFolder: work)
        change(&input)
        var options = JobOptions()
        options.cpuLevel = ProcessInfo.processInfo.environment["EMOTIOND_CPU_LEVEL"]
        // What is tested with the video is not what comes out of it.
        if file.pathExtension == "mp4" {
            options.video = .none
            options.detectSize = 128
        }
        return JobDescription(work: .input(input), options: options)
    }

    private static var models: [String: String] {
        ["EMOTIOND_MODELS": Command.root.appending(path: "Sources/emotiond/Models").path]
    }

    private func withPool<Value: Sendable>(_ body: @Sendable (WorkerPool) async throws -> Value) async throws -> Value {
        var settings = WorkerPool.Settings(executable: Command.binary.path, count: 1)
        settings.environment = Self.models
        // Debug builds on a busy machine are slow; no test here meets a limit of the pool.
        settings.arguments += WorkerProcess.patience
        settings.startLimit = .seconds(1000)
        settings.stall = .seconds(1000)
        settings.grace = .seconds(1000)
        let pool = WorkerPool(settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            let result: Result<Value, any Error>
            do { result = .success(try await body(pool)) } catch { result = .failure(error) }
            await pool.stop(within: .seconds(1000))
            try await group.waitForAll()
            return try result.get()
        }
    }

    /// What stands below the results, hidden names too.
    private var published: [String] {
        (try? FileManager.default.subpathsOfDirectory(atPath: results).sorted()) ?? []
    }

    @Test func `a worker's results are the command's`() async throws {
        let arguments = [
            "--file", Command.samples.appending(path: "two_people.png").path, "--out", out.url.path + "/command",
        ]
        let command = try await onThread { try Command.run(arguments) }
        #expect(command.status == 0, "\(command.errors)")
        let picture = job("two_people.png")
        let again = job("two_people.png") { $0.replacesResult = true }
        let ends = try await withPool { pool in
            [
                await pool.perform(1, attempt: 1, picture), await pool.perform(2, attempt: 1, picture),
                await pool.perform(3, attempt: 1, again),
            ]
        }
        #expect(ends.map(\.end) == [.published, .skipped, .published], "\(ends)")
        #expect(ends.allSatisfy { $0.exit == .done && $0.result?.path == Array((results + "/two_people.png").utf8) })
        #expect(ends.allSatisfy { $0.sha256?.count == 64 && $0.sha256 == ends[0].sha256 })
        #expect(ends[0].result?.faces == 2)
        for name in ["timeline.csv", "summary.csv"] {
            #expect(try out.text("results/two_people.png/\(name)") == out.text("command/two_people.png/\(name)"))
        }
        #expect(!out.names.contains { $0.hasPrefix("work") || $0.contains(".tmp") })
    }

    @Test func `a file that is no media costs the worker nothing`() async throws {
        let text = out.url.appending(path: "notes.mp4")
        try Data("Once upon a time.\n".utf8).write(to: text)
        let jobs = [job(text), job(out.url.appending(path: "none.mp4")), job("astronaut.jpg")]
        let (ends, done) = try await withPool { pool in
            var ends: [JobOutcome] = []
            for (number, job) in jobs.enumerated() {
                ends.append(await pool.perform(Int64(number), attempt: 1, job))
            }
            return (ends, await pool.status().first?.jobsDone)
        }
        #expect(ends.map(\.exit) == [.badInput, .noInput, .done])
        #expect(ends[0].reason?.contains("notes.mp4") == true)
        #expect(ends.map(Retry.classify) == [.failAtOnce, .failAtOnce, .done])
        #expect(done == 3, "one process did all three")
    }

    @Test func `options that this version does not know fail with their name`() async throws {
        var odd = job("astronaut.jpg")
        odd.options.detector = "crystal-ball"
        let end = try await withPool { [odd] in await $0.perform(1, attempt: 1, odd) }
        #expect(end.exit == .configuration && end.reason?.contains("crystal-ball") == true)
    }

    @Test func `a job that uses more processor time than it may is killed`() async throws {
        var long = job("ad.mp4")
        long.limits.cpuSeconds = 1
        // Some thirty seconds of work on any machine.
        long.options.detector = "cascade"
        long.options.detectEvery = "1"
        let picture = job("astronaut.jpg")
        let ends = try await withPool { [long] pool in
            [await pool.perform(1, attempt: 1, long), await pool.perform(2, attempt: 1, picture)]
        }
        #expect(ends[0].end == .crashed(signal: SIGXCPU), "\(ends[0])")
        #expect(ends[0].reason?.contains("processor time") == true)
        #expect(ends[1].end == .published)
        #expect(published.allSatisfy { $0.hasPrefix("astronaut.jpg") || $0.hasPrefix(".ad.mp4") })
    }

    @Test func `work that another process is at is for later`() async throws {
        let lock = try #require(try WorkLock(folder: work))
        let end = try await withPool { [job = job("astronaut.jpg")] in await $0.perform(1, attempt: 1, job) }
        lock.release()
        #expect(end.exit == .tryLater && end.reason?.contains("another process") == true)
        #expect(published.isEmpty)
    }

    /// How a worker can be told to stop in the middle of a job.
    enum Stop: CaseIterable, Sendable { case endOfInput, signal, order }

    @Test(arguments: Stop.allCases)
    func `a worker that is told to stop publishes nothing and says 75`(stop: Stop) async throws {
        let long = job("ad.mp4")
        let (last, status) = try await onThread {
            let worker = try WorkerProcess(Self.models)
            try worker.order(JobOrder(job: 4, attempt: 2, .run(long)))
            try worker.wait(for: "progress")
            switch stop {
            case .endOfInput: worker.endInput()
            case .signal: worker.process.terminate()
            case .order: try worker.order(JobOrder(job: 4, attempt: 2, .stop))
            }
            return (try worker.wait(for: "failed"), worker.status)
        }
        #expect(last.job == 4 && last.attempt == 2 && last.event.exit == .tryLater, "\(last)")
        #expect(status == 75)
        #expect(published.filter { $0 != "ad.mp4" }.isEmpty, "\(published)")
    }

    @Test func `a cancelled job publishes nothing, and the worker goes on`() async throws {
        let long = job("ad.mp4"), picture = job("astronaut.jpg")
        let (cancelled, next, status) = try await onThread {
            let worker = try WorkerProcess(Self.models)
            try worker.order(JobOrder(job: 4, attempt: 1, .run(long)))
            try worker.wait(for: "progress")
            try worker.order(JobOrder(job: 4, attempt: 1, .cancel))
            let cancelled = try worker.wait(for: "failed")
            try worker.order(JobOrder(job: 5, attempt: 1, .run(picture)))
            let next = try worker.wait(for: "published")
            worker.endInput()
            return (cancelled, next, worker.status)
        }
        #expect(cancelled.event.exit == .interrupted, "\(cancelled)")
        #expect(next.job == 5 && status == 0)
        #expect(published.allSatisfy { $0.hasPrefix("astronaut.jpg") }, "\(published)")
    }

    @Test func `help does not mention the worker`() async throws {
        let help = try await onThread { try Command.run(["--help"]) }
        #expect(!help.output.contains("worker"))
    }
}

/// Waits are done on a thread apart, as the pool's own tasks need those of Swift's.
private func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: work)) }
    }
}

extension JobEvent {
    fileprivate var exit: ExitReason? {
        switch self {
        case .failed(let failure): failure.exit
        case .published(let result), .skipped(let result): result.exit
        default: nil
        }
    }
}

/// A worker spoken to by hand.
private final class WorkerProcess {
    static let patience = ["--grace", "1000"]

    let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var splitter = LineSplitter()
    private var lines: [[UInt8]] = []

    init(_ environment: [String: String]) throws {
        process.executableURL = Command.binary
        process.arguments = ["worker"] + Self.patience
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        try wait(for: "ready")
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    func order(_ order: JobOrder) throws {
        try input.fileHandleForWriting.write(contentsOf: Data(try order.encodedLine()))
    }

    /// Waits for its end; 128 and more: by a signal.
    var status: Int32 {
        process.waitUntilExit()
        return process.terminationStatus + (process.terminationReason == .exit ? 0 : 128)
    }

    func endInput() { try? input.fileHandleForWriting.close() }

    @discardableResult
    func wait(for name: String) throws -> JobReport {
        while true {
            while !lines.isEmpty {
                let report = try JobReport(line: lines.removeFirst())
                if report.event.name == name { return report }
                try #require(!report.event.endsJob, "the job ended before \(name): \(report)")
            }
            let data = output.fileHandleForReading.availableData
            try #require(!data.isEmpty, "the worker's output ended before \(name)")
            lines += try splitter.feed(data)
        }
    }
}
