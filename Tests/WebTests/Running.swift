// A server that runs for one test, and a folder that goes with it.

import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Web

let testToken = "0123456789abcdef0123456789abcdef"

/// A folder for one test.
struct TemporaryFolder {
    let path: String
    var bytes: [UInt8] { Array(path.utf8) }

    init() throws {
        path = "/tmp/emotiond-web-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        let file = "\(path)/\(name)"
        let folder = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    }

    func contents(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map(Array.init)
    }

    func read(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map { String(decoding: $0, as: UTF8.self) }
    }

    func names() -> [String] { ((try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// Keeps the text of every log line.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: String { lines.withLock { $0.joined(separator: "\n") } }

    func logger() -> Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:]) \(metadata)") }
        }
    }
}

extension WebConfiguration {
    /// One free port on loopback and the test's token, unless said otherwise.
    static func test(
        listen: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 0)], hostNames: [String] = [],
        maximumUploadBytes: Int64 = 1_000_000, heartbeat: Duration = .seconds(15)
    ) throws -> WebConfiguration {
        WebConfiguration(
            listen: listen, token: try AccessToken(testToken), hostNames: hostNames,
            maximumUploadBytes: maximumUploadBytes, heartbeat: heartbeat)
    }
}

/// Starts a server, gives its addresses to `body`, and stops it after.
func withServer(
    _ service: any ServiceState = FakeService(), _ configuration: WebConfiguration? = nil,
    logger: Logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
    _ body: @Sendable ([ListenAddress]) async throws -> Void
) async throws {
    let (ready, isReady) = AsyncStream.makeStream(of: [ListenAddress].self)
    let server = try WebServer(configuration ?? .test(), service: service, logger: logger) { isReady.yield($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { isReady.finish() }
            try await server.run()
        }
        for await addresses in ready {
            try await body(addresses)
            break
        }
        group.cancelAll()
        try await group.waitForAll()
    }
}

/// The same with one TCP address and a client that has the token.
func withClient(
    _ service: any ServiceState = FakeService(), _ configuration: WebConfiguration? = nil,
    _ body: @Sendable (Client) async throws -> Void
) async throws {
    try await withServer(service, configuration) { try await body(Client($0[0], token: testToken)) }
}
