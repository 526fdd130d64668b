// Runs the built `emotiond` as a user would.

import Foundation

struct Command {
    let status: Int32
    let output: String
    let errors: String

    /// The binary that was built with the tests: it lies beside the test bundle.
    static let binary: URL = {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        let path = bundle.components(separatedBy: ".xctest")[0]
        return URL(filePath: path).deletingLastPathComponent().appending(path: "emotiond")
    }()

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let samples = root.appending(path: "samples")

    /// `make test-levels` holds all runs at one level of kernels that does not say another.
    private static func levelOption(_ arguments: [String]) -> [String] {
        guard let level = ProcessInfo.processInfo.environment["EMOTIOND_CPU_LEVEL"], arguments.contains("--out"),
            !arguments.contains("--cpu-level")
        else { return [] }
        return ["--cpu-level", level]
    }

    static func run(_ arguments: [String], input: Data? = nil, in folder: URL? = nil) throws -> Command {
        let process = Process()
        process.executableURL = binary
        process.arguments = arguments + levelOption(arguments)
        if let folder { process.currentDirectoryURL = folder }
        // The models of the sources, not those that the machine may have installed.
        var environment = ProcessInfo.processInfo.environment
        environment["EMOTIOND_MODELS"] = root.appending(path: "Sources/emotiond/Models").path
        process.environment = environment
        // Files instead of pipes: a full pipe would stop the child.
        let output = try TemporaryFolder(), errors = output.url.appending(path: "errors")
        let text = output.url.appending(path: "output")
        for file in [errors, text] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: text)
        process.standardError = try FileHandle(forWritingTo: errors)
        if let input {
            let file = output.url.appending(path: "input")
            try input.write(to: file)
            process.standardInput = try FileHandle(forReadingFrom: file)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try process.run()
        process.waitUntilExit()
        return Command(
            status: process.terminationStatus,
            output: String(decoding: try Data(contentsOf: text), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }
}

/// A folder that goes with its last reference.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "emotiond-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var names: [String] { (try? FileManager.default.subpathsOfDirectory(atPath: url.path).sorted()) ?? [] }

    func text(_ name: String) throws -> String { try String(contentsOf: url.appending(path: name), encoding: .utf8) }
}
