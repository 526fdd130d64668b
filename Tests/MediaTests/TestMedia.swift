// Where the test clips are, and temporary files for these tests.

import Core
import Foundation
import Glibc
import Media

enum TestMedia {
    static let root = ProcessInfo.processInfo.environment["EMOTIOND_TEST_DATA"] ?? "../shared"
    static let isPresent = FileManager.default.fileExists(atPath: "\(root)/media/odd/BASELINE.tsv")
    static let absence = "the clips are not here: set EMOTIOND_TEST_DATA"
    static let hasFFprobe = FileManager.default.isExecutableFile(atPath: "/usr/bin/ffprobe")

    static func odd(_ name: String) -> String { "\(root)/media/odd/\(name)" }

    static func reader(_ path: String, _ options: MediaOptions = MediaOptions()) throws(MediaError) -> MediaReader {
        try MediaReader(path: Array(path.utf8), options: options)
    }

    static func allFrames(_ path: String, _ options: MediaOptions = MediaOptions()) throws(MediaError) -> [Frame] {
        let reader = try reader(path, options)
        var frames: [Frame] = []
        while let frame = try reader.next() { frames.append(frame) }
        return frames
    }

    /// Runs with a new folder, which is removed afterwards.
    static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = NSTemporaryDirectory() + "media-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }

    static func write(_ bytes: [UInt8], to path: [UInt8]) -> Bool {
        let descriptor = open(path.map { CChar(bitPattern: $0) } + [0], O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } == bytes.count
    }

    static func bytes(of path: String) -> [UInt8] { FileManager.default.contents(atPath: path).map { Array($0) } ?? [] }

    /// Standard output of ffprobe, by lines.
    static func ffprobe(_ arguments: [String]) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/ffprobe")
        process.arguments = ["-v", "quiet"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Luma rows without the padding between them.
    static func luma(_ frame: Frame) -> [UInt8] {
        frame.withLuma { view in
            (0..<view.height).flatMap { y in
                UnsafeBufferPointer(start: view.base + y * view.strideBytes, count: view.width)
            }
        }
    }

    static func meanDifference(_ a: [UInt8], _ b: [UInt8]) -> Double {
        guard a.count == b.count, !a.isEmpty else { return .infinity }
        return Double(zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(a.count)
    }
}
