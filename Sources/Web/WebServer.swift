// Opens the addresses, runs Hummingbird on each of them, and ends within its grace.

internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import ServiceLifecycle

package struct WebServer: Service {
    private let configuration: WebConfiguration
    private let service: any ServiceState
    private let logger: Logger
    private let onReady: @Sendable ([ListenAddress]) async -> Void

    /// All that is answered, as "GET /healthz"; `openapi.json` describes each of them.
    package static var routes: [String] { Route.all.map { "\($0.method.rawValue) \($0.template)" } }

    /// - Parameter onReady: called once, with the addresses as they are (a free port has its number), when all answer.
    package init(
        _ configuration: WebConfiguration, service: any ServiceState, logger: Logger,
        onReady: @escaping @Sendable ([ListenAddress]) async -> Void = { _ in }
    ) throws(WebError) {
        try configuration.validate()
        self.configuration = configuration
        self.service = service
        self.logger = logger
        self.onReady = onReady
    }

    /// Ends on graceful shutdown or cancellation.
    /// - Throws: `WebError` when it cannot listen.
    package func run() async throws {
        let relay = EventRelay()
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await listenEverywhere(relay)
                    throw Ended()
                }
                group.addTask { await relayEvents(to: relay) }
                group.addTask { try await beat(relay) }
                group.addTask {
                    try await gracefulShutdown()
                    try await Task.sleep(for: configuration.shutdownGrace)
                    throw Ended()
                }
                defer { group.cancelAll() }
                do {
                    while try await group.next() != nil {}
                } catch is Ended {
                } catch is CancellationError {
                }
                relay.close()
            }
        } onGracefulShutdown: {
            relay.close()
        }
    }

    private struct Ended: Error {}

    private func listenEverywhere(_ relay: EventRelay) async throws {
        let ready = Readiness(configuration.listen.count, onReady)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, address) in configuration.listen.enumerated() {
                group.addTask { try await listen(address, relay) { await ready.isUp(index, $0) } }
            }
            // Not waitForAll, which waits for the others too before it tells that one could not listen.
            while try await group.next() != nil {}
        }
    }

    private func relayEvents(to relay: EventRelay) async {
        for await event in await service.events() { relay.tell(event) }
    }

    private func beat(_ relay: EventRelay) async throws {
        while true {
            try await Task.sleep(for: configuration.heartbeat)
            relay.beat()
        }
    }

    private func listen(
        _ address: ListenAddress, _ relay: EventRelay, isUp: @escaping @Sendable (ListenAddress) async -> Void
    ) async throws {
        let rules = AccessRules(
            listener: address, token: configuration.token, hostNames: configuration.hostNames,
            machineName: Self.machineName())
        let context = RouteContext(configuration: configuration, service: service, relay: relay, rules: rules)
        switch address {
        case .tcp(let host, let port):
            try await serve(.hostname(host, port: port), context) { channel in
                await isUp(.tcp(host: host, port: channel.localAddress?.port ?? port))
            }
        case .unix(let path):
            try await listenOnSocket(path, context) { await isUp(address) }
        }
    }

    private func listenOnSocket(
        _ path: [UInt8], _ context: RouteContext, isUp: @escaping @Sendable () async -> Void
    ) async throws {
        let socket: SocketFile
        do {
            socket = try await Blocking.run { try SocketFile(path) }
        } catch let error as FileError {
            throw WebError.cannotListen(address: context.rules.listener.description, reason: error.description)
        }
        defer { socket.remove() }
        do {
            try await serve(.unixDomainSocket(path: socket.bindPath), context) { _ in
                do {
                    try await Blocking.run { try socket.publish() }
                    await isUp()
                } catch {
                    // The only way out of here that Hummingbird offers.
                    socket.fail(error)
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
        } catch {
            try socket.throwFailure()
            throw error
        }
        try socket.throwFailure()
    }

    private func serve(
        _ bind: BindAddress, _ context: RouteContext, isUp: @escaping @Sendable (any Channel) async -> Void
    ) async throws {
        // Hummingbird tells the address it binds to, which is not the final one of a socket; ours is told by the caller.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        let application = Application(
            router: Route.router(context, logger: logger),
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100))),
            configuration: .init(
                address: bind,
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.maximumConnections)),
            onServerRunning: isUp, logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError {
            let address = context.rules.listener.description
            throw error.errnoCode == EADDRINUSE
                ? WebError.addressTaken(address)
                : WebError.cannotListen(address: address, reason: String(cString: strerror(error.errnoCode)))
        }
    }

    private static func machineName() -> String? {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Waits for all addresses before it says so.
private actor Readiness {
    private var addresses: [ListenAddress?]
    private let onReady: @Sendable ([ListenAddress]) async -> Void

    init(_ count: Int, _ onReady: @escaping @Sendable ([ListenAddress]) async -> Void) {
        addresses = Array(repeating: nil, count: count)
        self.onReady = onReady
    }

    func isUp(_ index: Int, _ address: ListenAddress) async {
        addresses[index] = address
        let up = addresses.compactMap { $0 }
        if up.count == addresses.count { await onReady(up) }
    }
}
