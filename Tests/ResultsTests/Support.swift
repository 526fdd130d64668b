// What the tests of this module share: an empty folder that goes away, reports, and looks at the disk.

import Foundation
import Results

/// An empty folder, removed with all in it at the end of the test.
final class Scratch {
    let path: [UInt8]
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("results-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = Array(url.path.utf8)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func callAsFunction(_ name: String) -> [UInt8] { PathBytes.join(path, Array(name.utf8)) }

    /// Makes a file with the folders above it.
    func file(_ name: String, _ text: String = "") throws {
        try folder((name as NSString).deletingLastPathComponent)
        try Data(text.utf8).write(to: url.appendingPathComponent(name))
    }

    func folder(_ name: String) throws {
        try FileManager.default.createDirectory(
            at: url.appendingPathComponent(name), withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: url.appendingPathComponent(name).path, withDestinationPath: target)
    }

    /// All names below, hidden ones too; for names that are text.
    func tree(_ below: String = "") -> Set<String> {
        let root = below.isEmpty ? url.path : url.appendingPathComponent(below).path
        return Set((try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? [])
    }

    func text(_ name: String) -> String? { try? String(contentsOf: url.appendingPathComponent(name), encoding: .utf8) }
}

/// What the system says of a path of any bytes.
func exists(_ path: [UInt8]) -> Bool {
    (path + [0]).withUnsafeBufferPointer { bytes in
        bytes.withMemoryRebound(to: CChar.self) { chars in
            chars.baseAddress.map { access($0, F_OK) == 0 } ?? false
        }
    }
}

func hex(_ digit: Character) -> String { String(repeating: digit, count: 64) }

/// Not SHA-256: FNV-1a (Fowler, Noll, Vo), widened to its length; all that these tests ask is that it differs.
func digest(_ bytes: [UInt8]) -> String {
    let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 64 - digits.count) + digits
}

func settings(_ options: [String: SettingValue] = ["every": 1]) -> RunReport.Settings {
    RunReport.Settings(options: options, modelSHA256: hex("c"), detectorSHA256: nil, sha256: digest)
}

func report(
    _ status: RunReport.Status = .complete, input: String = hex("a"), _ options: [String: SettingValue] = ["every": 1],
    name: [UInt8] = Array("ad.mp4".utf8)
) -> RunReport {
    RunReport(
        status: status, program: RunReport.Program(version: "0.1.0", commit: "abc"),
        input: RunReport.Input(name: name, bytes: 12, sha256: input), settings: settings(options),
        model: RunReport.ModelFile(name: "emotion.onnx", sha256: hex("c")),
        detector: RunReport.ModelFile(name: "cascade", sha256: nil),
        host: RunReport.Host(cpu: "x", kernelLevel: "avx2", threads: 2))
}

func folder(
    _ scratch: Scratch, _ relative: String = "ad.mp4", _ report: RunReport = report(), overwrite: Bool = false
) -> ResultFolder {
    ResultFolder(
        root: scratch("out"), relative: Array(relative.utf8), identity: report.identity, overwrite: overwrite)
}

/// Stages, writes one file and publishes.
@discardableResult
func publish(
    _ scratch: Scratch, _ relative: String = "ad.mp4", _ report: RunReport = report(), overwrite: Bool = false,
    text: String = "rows"
) throws -> Publication {
    let staging = try folder(scratch, relative, report, overwrite: overwrite).stage()
    try staging.write("timeline.csv", Array(text.utf8))
    return try staging.publish(report)
}
