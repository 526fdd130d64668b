// The service in the foreground: systemd, or a person, starts it and stops it by a signal.

import ArgumentParser
import Core
import Daemon
import Dispatch
import Foundation
import Glibc
import Logging
import Results
import ServiceConfig
import Synchronization
import Tools

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Watches a folder and cameras; each input becomes one result or one clear error.",
        discussion: """
            EXAMPLES
              emotiond serve --root ~/emotions         all defaults below that folder; prints a link to its dashboard
              emotiond serve --config /etc/emotiond/emotiond.yaml
              emotiond serve --config FILE --check     every value, and where it comes from

            SIGHUP reads the configuration again, SIGTERM stops within ten seconds. See docs/operations.md.
            """)

    @OptionGroup var place: ServicePlace

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Override a value of the configuration: --set watch.quiet=5s. May be repeated.", valueName: "key=value"))
    var overrides: [String] = []

    @Flag(help: "Print every value and where it comes from, and end.")
    var check = false

    mutating func validate() throws {
        if place.config == nil && place.root == nil {
            throw ValidationError("Say where: --root DIR for a folder with all defaults, or --config FILE.")
        }
        for text in overrides where !text.contains("=") {
            throw ValidationError("--set '\(text)' is not KEY=VALUE.")
        }
    }

    func run() throws {
        let level = LevelBox()
        let logger = Logger(label: "emotiond") { label in LeveledHandler(level: level, label: label) }
        let loaded: LoadedConfiguration
        do {
            loaded = try load()
            try check(loaded)
        } catch {
            logger.error("\(error)")
            throw ExitCode(ExitReason.configuration.rawValue)
        }
        if check {
            for line in loaded.explain() { print(line) }
            return
        }
        level.set(loaded.configuration.log.level.rawValue)
        let setup = Service.Setup(
            configuration: loaded.configuration,
            reread: {
                let next = try load()
                try check(next)
                return next.configuration
            },
            executable: Environment.executable, version: "\(ProgramVersion.number) (\(ProgramVersion.commit))",
            environment: ProcessInfo.processInfo.environment, isRoot: place.root != nil, setLogLevel: level.set)
        let orders = ServiceSignals()
        Task {
            var code = ExitReason.done.rawValue
            do throws(ServiceError) {
                try await Service(setup, logger: logger).run(orders.orders)
            } catch {
                logger.error("\(error)")
                code = error.exit
            }
            Foundation.exit(code)
        }
        dispatchMain()
    }

    private func load() throws -> LoadedConfiguration {
        var values: [String: String] = [:]
        for text in overrides {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[String(parts[0])] = String(parts[1])
        }
        return try LoadedConfiguration.load(
            file: place.config, root: place.rootFolder, environment: ProcessInfo.processInfo.environment,
            overrides: values)
    }

    /// What only this program can judge.
    private func check(_ loaded: LoadedConfiguration) throws {
        for (index, stream) in loaded.configuration.streams.enumerated() {
            guard let schedule = stream.schedule else { continue }
            do { _ = try WeeklySchedule(schedule) } catch {
                throw loaded.problem(at: "streams[\(index)].schedule", "\(error)")
            }
        }
    }
}

/// Where a service is, for `serve`, `jobs` and `purge`.
struct ServicePlace: ParsableArguments {
    @Option(help: ArgumentHelp("A folder with all defaults below it.", valueName: "dir"))
    var root: String?

    @Option(help: ArgumentHelp("YAML file; see systemd/emotiond.yaml for every key.", valueName: "file"))
    var config: String?

    mutating func validate() throws {
        if root != nil && config != nil { throw ValidationError("Give --root or --config, not both.") }
    }

    var rootFolder: String? { root.map { URL(filePath: $0).standardizedFileURL.path(percentEncoded: false) } }

    /// Of the service that runs there.
    func configuration() throws -> ServiceConfiguration {
        let installed = "/etc/emotiond/emotiond.yaml"
        let file = config ?? (root == nil && FileManager.default.fileExists(atPath: installed) ? installed : nil)
        return try LoadedConfiguration.load(
            file: file, root: rootFolder, environment: ProcessInfo.processInfo.environment
        ).configuration
    }
}

/// SIGTERM and Ctrl-C stop, SIGHUP reloads; a second SIGTERM ends the process at once.
private final class ServiceSignals {
    let orders: AsyncStream<ServiceOrder>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (orders, continuation) = AsyncStream.makeStream(of: ServiceOrder.self)
        self.orders = orders
        let isStopping = StopFlag()
        sources = [(SIGTERM, ServiceOrder.stop), (SIGINT, .stop), (SIGHUP, .reload)].map { number, order in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if case .stop = order, isStopping.raise() { _exit(ExitReason.interrupted.rawValue) }
                continuation.yield(order)
            }
            source.resume()
            return source
        }
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }

    private final class StopFlag: Sendable {
        private let isRaised = Atomic(false)

        /// Whether it was raised before.
        func raise() -> Bool { isRaised.exchange(true, ordering: .relaxed) }
    }
}

/// The level of what is printed, which a reload may change.
private final class LevelBox: Sendable {
    private let level = Mutex(Logger.Level.notice)

    var value: Logger.Level { level.withLock { $0 } }

    @Sendable func set(_ name: String) { level.withLock { $0 = Logger.Level(rawValue: name) ?? .notice } }
}

private struct LeveledHandler: LogHandler {
    let level: LevelBox
    private var inner: StreamLogHandler

    init(level: LevelBox, label: String) {
        self.level = level
        inner = StreamLogHandler.standardError(label: label)
        inner.logLevel = .trace
    }

    var metadata: Logger.Metadata {
        get { inner.metadata }
        set { inner.metadata = newValue }
    }
    var logLevel: Logger.Level {
        get { level.value }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { inner[metadataKey: key] }
        set { inner[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { inner.log(event: event) }
}
