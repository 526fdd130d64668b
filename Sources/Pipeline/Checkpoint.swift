// What a run that ends before its input needs to go on later as if it had not: the state of every stage behind one
// frame, and how much of the files in the work folder counts.

package import Core
import Faces
import Foundation
import Inference
import Logging
import Media
import Overlay
import Results
import Timeline

/// Where a job keeps its unfinished result, and how often it is made safe.
package struct WorkSettings: Hashable, Sendable {
    /// For this job alone, on the file system of the results; made where it is missing.
    package var folder: [UInt8]
    /// Of media: so much of it is analysed again after a crash.
    package var interval: Duration

    package init(folder: [UInt8], interval: Duration = .seconds(10)) {
        self.folder = folder
        self.interval = interval
    }

    /// A folder below `root` for one input and the place of its result.
    package static func folder(below root: [UInt8], input: [UInt8], result: [UInt8]) -> [UInt8] {
        PathBytes.join(root, Array(Checksum.hex(input + [0] + result).prefix(16).utf8))
    }
}

/// What a supervisor is told.
package struct CheckpointNote: Hashable, Sendable {
    /// Analysed so far.
    package let frames: Int
    package let time: Timestamp
    /// An earlier run's, taken up now.
    package let resumed: Bool
}

struct Checkpoint: Codable {
    /// All on which the same frames give the same rows, bit for bit. Where any of it differs the job starts over.
    struct Key: Hashable, Codable {
        let program: String
        let commit: String
        let libraries: [String: String]
        let cpu: String
        let kernelLevel: String
        let inputSHA256: String
        let settingsHash: String
        /// Of the states' coded forms, by room.
        let states: [String: Int]
    }

    let key: Key
    let point: ResumePoint
    let writer: RunWriter.State
    /// Seconds spent so far, in all runs.
    let wall: Double
}

extension Checkpoint.Key {
    init(program: RunReport.Program, level: KernelLevel, identity: Identity) {
        self.program = program.version
        commit = program.commit
        var libraries = Dictionary(
            libraryVersions().map { ($0.name, $0.version) }, uniquingKeysWith: { first, _ in first })
        libraries["OpenCV"] = OpenCV.version
        self.libraries = libraries
        cpu = KernelLevel.cpuName
        kernelLevel = level.name
        inputSHA256 = identity.inputSHA256
        settingsHash = identity.settingsHash
        states = [
            "faces": FaceFinderState.version, "timeline": SummaryAccumulator.stateVersion,
            "overlay": PainterState.version, "media": SegmentedVideoState.version,
            "pipeline": RunWriter.State.version,
        ]
    }

    /// The first thing in which the two differ, for the log.
    fileprivate func difference(from other: Checkpoint.Key) -> String? {
        if (program, commit) != (other.program, other.commit) {
            return "it was made by version \(other.program) of commit \(other.commit)"
        }
        if libraries != other.libraries { return "it was made with other versions of FFmpeg or OpenCV" }
        if cpu != other.cpu { return "it was made on another CPU (\(other.cpu))" }
        if kernelLevel != other.kernelLevel { return "it was made at kernel level \(other.kernelLevel)" }
        if inputSHA256 != other.inputSHA256 { return "the input has changed" }
        if settingsHash != other.settingsHash { return "the settings have changed" }
        return states == other.states ? nil : "its form is of another version"
    }
}

/// The checkpoint's file. Its first line vouches for the second.
struct CheckpointFile {
    static let name = "checkpoint.json"
    /// All that a job leaves in its work folder.
    static let everything = [
        name, name + ".new", RunWriter.timelineName, RunWriter.summaryName, RunWriter.videoName,
        RunWriter.pictureName, RunWriter.stillsName, RunWriter.segmentsName,
    ]
    private static let limit = 1 << 30

    let work: WorkFolder
    let key: Checkpoint.Key

    private struct Head: Codable {
        var format = 1
        let sha256: String
    }

    func save(_ checkpoint: Checkpoint) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let body = Array(try encoder.encode(checkpoint))
        let head = Array(try encoder.encode(Head(sha256: Checksum.hex(body))))
        let end = [UInt8(ascii: "\n")]
        try work.replace(Self.name, head + end + body + end)
    }

    /// Nil where there is none that holds; why one that is there does not is said in the log.
    func load(_ logger: Logger) throws -> Checkpoint? {
        guard let bytes = try work.read(Self.name, limit: Self.limit) else { return nil }
        func startOver(_ reason: String) -> Checkpoint? {
            logger.notice("\(PathBytes.shown(work.path)): its checkpoint does not hold, the job starts over: \(reason)")
            return nil
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 2)
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard lines.count == 2, let head = try? decoder.decode(Head.self, from: Data(lines[0])), head.format == 1,
            head.sha256 == Checksum.hex(Array(lines[1]))
        else { return startOver("the file is damaged") }
        struct Keyed: Decodable { let key: Checkpoint.Key }
        guard let found = try? decoder.decode(Keyed.self, from: Data(lines[1])).key else {
            return startOver("its form is of another version")
        }
        if let difference = key.difference(from: found) { return startOver(difference) }
        do {
            return try decoder.decode(Checkpoint.self, from: Data(lines[1]))
        } catch {
            return startOver("\(error)")
        }
    }
}
