// Runs of the pipeline on the samples, in a folder that goes with the test.

import Core
import Faces
import Foundation
import Logging
import Media
import Pipeline
import Results
import Synchronization
import Testing

enum Sample {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let ad = root.appending(path: "samples/ad.mp4").path
    static let pictures = ["astronaut.jpg", "grace_hopper.jpg", "two_people.png"].map {
        root.appending(path: "samples/\($0)").path
    }
    static let models = ModelSearch(
        environment: root.appending(path: "Sources/emotiond/Models").path, executable: "/nowhere/emotiond")

    private static let data = ProcessInfo.processInfo.environment["EMOTIOND_TEST_DATA"] ?? "../shared"
    static let yunet = data + "/models/yunet/face_detection_yunet_2023mar.onnx"
    static var hasYuNet: Bool { FileManager.default.fileExists(atPath: yunet) }
    static let noYuNet = Comment("no YuNet file here: set EMOTIOND_TEST_DATA")
}

/// A folder that goes with its last reference.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "pipeline-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func names(_ below: String) -> [String] {
        (try? FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(below)").sorted()) ?? []
    }

    func bytes(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(path)/\(name)") }
}

/// What was logged.
final class LogLines: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .info }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.message)") } }

    func contain(_ text: String) -> Bool { lines.withLock { $0.contains { $0.contains(text) } } }
    var all: [String] { lines.withLock { $0 } }
}

struct SampleJob {
    let folder: Folder
    var input = Sample.ad
    var options = AnalysisOptions()
    /// Of media, between checkpoints.
    var interval = Duration.milliseconds(100)
    let log = LogLines()
    private(set) var notes: [CheckpointNote] = []

    init(_ folder: Folder) {
        self.folder = folder
        options.every = 2
        options.to = Timestamp(microseconds: 6_400_000)
    }

    /// - Parameters:
    ///   - work: its name in the folder; nil for a run without one.
    ///   - onFrame: gets the frames written so far, on the writer's thread.
    mutating func run(
        out: String, work: String? = nil, commit: String = "a", cancellation: Cancellation = Cancellation(),
        onFrame: @escaping (Int) -> Void = { _ in }
    ) throws -> AnalysisJob.Outcome {
        let log = log
        let logger = Logger(label: "test") { _ in log }
        let settings = work.map {
            WorkSettings(folder: Array("\(folder.path)/\($0)".utf8), interval: interval)
        }
        let job = AnalysisJob(
            path: Array(input.utf8), relative: Array("clip".utf8), outputRoot: Array("\(folder.path)/\(out)".utf8),
            program: RunReport.Program(version: "1", commit: commit), work: settings)
        let installation = try Installation(options: options, search: Sample.models, logger: logger)
        var seen: [CheckpointNote] = []
        defer { notes += seen }
        return try job.run(
            installation, cancellation: cancellation, logger: logger, onCheckpoint: { seen.append($0) },
            progress: { if !$0.isCatchingUp { onFrame($0.frames) } })
    }

    /// Runs until `frames` are written, then stops; true where it did stop.
    mutating func stop(after frames: Int, out: String, work: String, commit: String = "a") throws -> Bool {
        let cancellation = Cancellation()
        do {
            _ = try run(out: out, work: work, commit: commit, cancellation: cancellation) {
                if $0 >= frames { cancellation.raise(.stop) }
            }
            return false
        } catch let error as PipelineError where error.exit == .tryLater {
            return true
        }
    }

    /// That two results say and show the same.
    func expectSame(_ a: String, _ b: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(folder.names("\(a)/clip") == folder.names("\(b)/clip"), sourceLocation: sourceLocation)
        for name in folder.names("\(a)/clip") where name.hasSuffix(".csv") || name.hasPrefix("frames/") {
            let (x, y) = (folder.bytes("\(a)/clip/\(name)"), folder.bytes("\(b)/clip/\(name)"))
            #expect(x == y, "\(name)", sourceLocation: sourceLocation)
        }
        #expect(try report(a).counts == report(b).counts, sourceLocation: sourceLocation)
        #expect(try report(a).status == report(b).status, sourceLocation: sourceLocation)
        #expect(try report(a).video == report(b).video, sourceLocation: sourceLocation)
        guard folder.names("\(a)/clip").contains("annotated.mp4") else { return }
        #expect(try times(a) == times(b), sourceLocation: sourceLocation)
    }

    func report(_ out: String) throws -> RunReport {
        try RunReport.decode(Array(folder.bytes("\(out)/clip/run.json") ?? Data()))
    }

    private func times(_ out: String) throws -> [Timestamp] {
        let reader = try MediaReader(path: Array("\(folder.path)/\(out)/clip/annotated.mp4".utf8))
        var times: [Timestamp] = []
        while let frame = try reader.next() { times.append(frame.time) }
        return times
    }
}
