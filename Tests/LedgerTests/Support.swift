// What the tests of the ledger share: a folder, a clock that is set by hand, and the helper process.

import Foundation
import Glibc
import Ledger
import Synchronization

final class StateFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var database: String { path + "/emotiond.sqlite" }

    /// Keeps the folder for as long as it lives itself.
    func ledger(_ clock: HandClock = HandClock()) throws -> Ledger {
        try Ledger(StateLock(folder: path), now: { withExtendedLifetime(self) { clock.now } })
    }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}

final class HandClock: Sendable {
    private let seconds = Mutex(1_790_000_000.0)
    var now: Date { Date(timeIntervalSince1970: seconds.withLock { $0 }) }
    func advance(_ by: Double) { seconds.withLock { $0 += by } }
}

func input(_ path: String, inode: UInt64 = 1, priority: Int = 0) -> Ledger.Input {
    Ledger.Input(
        path: Array(path.utf8), fingerprint: .init(sizeBytes: 10, mtimeNanoseconds: 20, inode: inode),
        priority: priority)
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

extension Ledger.JobResult {
    static func complete(_ path: String, sha256: String = "abc", settings: String = "def") -> Ledger.JobResult {
        Ledger.JobResult(status: .complete, path: bytes(path), sha256: sha256, settingsHash: settings)
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
}

/// The helper that was built with the tests, with its lines of output.
final class Helper {
    private let process = Process()
    private let output = Pipe()
    private let input = Pipe()
    private var rest = Data()

    init(_ arguments: [String]) throws {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        process.executableURL = URL(filePath: bundle.components(separatedBy: ".xctest")[0])
            .deletingLastPathComponent().appending(path: "LedgerCrash")
        process.arguments = arguments
        process.standardOutput = output
        process.standardInput = input
        try process.run()
        try output.fileHandleForWriting.close()
    }

    var pid: Int32 { process.processIdentifier }

    /// Nil at the end of the output. Gives up after a minute without a line.
    func line() throws -> String? {
        while true {
            if let end = rest.firstIndex(of: 10) {
                defer { rest = Data(rest[(end + 1)...]) }
                return String(decoding: rest[..<end], as: UTF8.self)
            }
            let descriptor = output.fileHandleForReading.fileDescriptor
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 60_000) > 0 else { throw TestFailure(description: "the helper says nothing") }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(descriptor, &buffer, buffer.count)
            if count <= 0 { return nil }
            rest += buffer.prefix(count)
        }
    }

    func kill() {
        Glibc.kill(pid, SIGKILL)
        process.waitUntilExit()
    }

    func end() throws {
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
