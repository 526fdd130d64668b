// Calls that wait for a disk run on NIO's pool of threads, never on Swift's.

internal import NIOPosix

enum Blocking {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(body)
    }
}
