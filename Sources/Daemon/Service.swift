// `emotiond serve`: joins configuration, ledger, intake, queue, workers, streams, HTTP and the service manager.
//
//     incoming/ ─▶ IntakeDriver ─▶ Ledger ─▶ Dispatcher ─▶ WorkerPool ─▶ results/
//                                    ▲            └─▶ Inputs ─▶ done/, failed/
//     cameras ──▶ StreamSupervisor ──┘     Housekeeping, HookRunner, Web beside them

internal import Foundation
internal import Intake
internal import Ledger
package import Logging
internal import Results
package import ServiceConfig
internal import Synchronization
internal import Web
internal import Workers

/// What ends the service before its time; `exit` is the code.
package struct ServiceError: Error, CustomStringConvertible {
    package let exit: Int32
    package let description: String
}

/// What signals ask for.
package enum ServiceOrder: Sendable { case stop, reload }

package struct Service: Sendable {
    package struct Setup: Sendable {
        package var configuration: ServiceConfiguration
        /// Reads the configuration again, for a reload.
        package var reread: @Sendable () throws -> ServiceConfiguration
        /// Path of the program that is run as worker.
        package var executable: String
        package var workerArguments = ["worker"]
        package var version: String
        package var environment: [String: String]
        /// `serve --root`: folders are made, and the link to the dashboard is printed.
        package var isRoot: Bool
        /// Sets the level of messages that are printed.
        package var setLogLevel: @Sendable (String) -> Void

        package init(
            configuration: ServiceConfiguration, reread: @escaping @Sendable () throws -> ServiceConfiguration,
            executable: String, version: String, environment: [String: String], isRoot: Bool,
            setLogLevel: @escaping @Sendable (String) -> Void
        ) {
            self.configuration = configuration
            self.reread = reread
            self.executable = executable
            self.version = version
            self.environment = environment
            self.isRoot = isRoot
            self.setLogLevel = setLogLevel
        }
    }

    /// From SIGTERM until everything has ended; systemd and people wait ten seconds.
    static let stopLimit = Duration.seconds(8)

    let setup: Setup
    let logger: Logger
    let manager: ServiceManager

    package init(_ setup: Setup, logger: Logger) {
        self.setup = setup
        self.logger = logger
        manager = ServiceManager(environment: setup.environment)
    }

    /// Until an order to stop, or until something fails that nothing can go on without.
    package func run(_ orders: AsyncStream<ServiceOrder>) async throws(ServiceError) {
        let configuration = setup.configuration
        try makeFolders(configuration.state)
        let lock: StateLock
        let ledger: Ledger
        do throws(LedgerError) {
            lock = try StateLock(folder: configuration.state.folder)
            ledger = try Ledger(lock)
        } catch {
            throw ServiceError(exit: error.exit, description: error.description)
        }
        logger.notice(
            "do not use it to infer emotions of employees or students (EU AI Act, Art. 5(1)(f)); what is measured is expression, not feeling"
        )
        // The lock is held until the ledger is closed, whatever happens in between.
        do throws(ServiceError) {
            try await run(configuration, ledger, orders)
        } catch {
            await ledger.close()
            withExtendedLifetime(lock) {}
            throw error
        }
        await ledger.close()
        withExtendedLifetime(lock) {}
    }

    private func run(
        _ configuration: ServiceConfiguration, _ ledger: Ledger, _ orders: AsyncStream<ServiceOrder>
    ) async throws(ServiceError) {
        let rooms: Rooms
        do { rooms = try await build(configuration, ledger) } catch let error as ServiceError { throw error } catch {
            throw ServiceError(exit: 70, description: "\(error)")
        }
        try await rooms.run(orders, self)
    }

    // MARK: Building

    /// Everything that runs side by side.
    struct Rooms: Sendable {
        let ledger: Ledger
        let board: Board
        let pulse: Pulse
        let hooks: HookRunner
        let inputs: Inputs
        let intake: IntakeDriver
        let pool: WorkerPool
        let dispatcher: Dispatcher
        let housekeeping: Housekeeping
        let streams: StreamSupervisor
        let events: EventHub<ServiceEvent>
        let view: StateView
        let web: WebServer
        let webReady: AsyncStream<[ListenAddress]>
        let token: AccessToken?
    }

    private func makeFolders(_ state: ServiceConfiguration.State) throws(ServiceError) {
        let ours = [state.folder, state.resultsFolder, state.doneFolder, state.failedFolder, state.workFolder]
        // A watched folder that is missing may be a mount that is late: only `--root` makes it.
        for folder in setup.isRoot ? ours + [state.incomingFolder] : ours {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw ServiceError(exit: 73, description: "\(folder): cannot be made: \(error.localizedDescription)")
            }
        }
    }

    private func build(_ configuration: ServiceConfiguration, _ ledger: Ledger) async throws -> Rooms {
        let board = Board(), pulse = Pulse()
        let events = EventHub<ServiceEvent>()
        let later = Later()
        let hooks = HookRunner(configuration.hooks.map(Hook.init), logger: logger)
        let capacity = Capacity.read(cores: ProcessInfo.processInfo.activeProcessorCount)
        let workers =
            switch configuration.workers.count {
            case .auto: capacity.workers(memoryEach: min(configuration.workers.memory, 512 << 20))
            case .fixed(let count): count
            }
        let inputs = Inputs(configuration, ledger: ledger, version: setup.version, logger: logger) { path in
            later.value?.intake.tookAway(path)
        }
        for job in try await ledger.requeueRunning() {
            logger.notice("job \(job.id), \(shown(job.path)): was interrupted and waits again")
        }
        try await inputs.settle()
        _ = try? await FolderUpload.removeLeftovers(below: Array(configuration.state.incomingFolder.utf8))
        let expecting = try await expectedInputs(ledger)
        let intake = try IntakeDriver(
            configuration, ledger: ledger, expecting: expecting, board: board, pulse: pulse, logger: logger
        ) { jobs in
            await later.value?.view.tell(jobs)
            await later.value?.dispatcher.look()
        }
        var poolSettings = WorkerPool.Settings(executable: setup.executable, count: workers)
        poolSettings.arguments = setup.workerArguments
        poolSettings.jobsPerWorker = configuration.workers.reuse
        poolSettings.stall = configuration.workers.stall
        poolSettings.memoryBytes = configuration.workers.memory
        let pool = WorkerPool(poolSettings, logger: logger)
        let resultsFolder = Array(configuration.state.resultsFolder.utf8)
        let dispatcher = Dispatcher(
            Dispatcher.Rooms(
                ledger: ledger, pool: pool, inputs: inputs, hooks: hooks, board: board, pulse: pulse,
                changed: { job in await later.value?.view.tell([job]) },
                progressed: { id, progress in
                    events.tell(.progress(JobProgressEvent(id: id, progress: StateView.view(progress))))
                },
                known: { job in
                    guard let result = job.result else { return nil }
                    let folder = PathBytes.join(resultsFolder, result)
                    guard FileManager.default.fileExists(atPath: shown(folder) + "/run.json") else { return nil }
                    return KnownResult(folder: folder, isPartial: job.resultStatus == .partial)
                },
                measureSpace: { await later.value?.housekeeping.measure() },
                diskIsFull: { await later.value?.housekeeping.diskIsFull() }),
            terms: Dispatcher.Terms(configuration), workers: workers, logger: logger)
        let housekeeping = Housekeeping(
            configuration, ledger: ledger, board: board, pulse: pulse, logger: logger
        ) { await later.value?.dispatcher.look() }
        let streams = StreamSupervisor(
            configuration, ledger: ledger, hooks: hooks, worker: (setup.executable, setup.workerArguments),
            environment: setup.environment, logger: logger,
            changed: { figures in
                if let view = later.value?.view.view(figures) { events.tell(.stream(view)) }
            }, removed: { events.tell(.streamRemoved($0)) })
        let view = StateView(
            StateView.Rooms(
                ledger: ledger, board: board, inputs: inputs, events: events,
                running: StateView.Running(intake: intake, dispatcher: dispatcher, pool: pool, streams: streams)),
            configuration: configuration, version: setup.version, workers: workers)
        let (ready, readyContinuation) = AsyncStream.makeStream(of: [ListenAddress].self)
        let (web, token) = try server(configuration, view) { readyContinuation.yield($0) }
        let rooms = Rooms(
            ledger: ledger, board: board, pulse: pulse, hooks: hooks, inputs: inputs, intake: intake, pool: pool,
            dispatcher: dispatcher, housekeeping: housekeeping, streams: streams, events: events, view: view, web: web,
            webReady: ready, token: token)
        later.value = rooms
        logger.info("\(workers) workers, results in \(configuration.state.resultsFolder)")
        return rooms
    }

    /// Inputs that ought to lie in the watched folder: a mount that is not there must not look like an empty folder.
    private func expectedInputs(_ ledger: Ledger) async throws -> Set<[UInt8]> {
        var paths: Set<[UInt8]> = []
        var before: Int64?
        repeat {
            let page = try await ledger.jobs(Ledger.Filter(states: [.queued, .running], before: before, limit: 500))
            for job in page.jobs { paths.insert(job.path) }
            before = page.next
        } while before != nil
        return paths
    }

    private func server(
        _ configuration: ServiceConfiguration, _ view: StateView,
        onReady: @escaping @Sendable ([ListenAddress]) -> Void
    ) throws(ServiceError) -> (WebServer, AccessToken?) {
        let http = configuration.http
        var listen: [ListenAddress] = [.unix(Array(configuration.state.controlSocket.utf8))]
        if let socket = http.socket { listen.append(.unix(Array(configuration.state.resolved(socket).utf8))) }
        var token: AccessToken?
        do throws(WebError) {
            if let address = http.address {
                listen.append(.tcp(host: address.host, port: address.port))
                token = try self.token(configuration)
            }
            var web = WebConfiguration(listen: listen, token: token)
            web.hostNames = http.hosts
            web.maximumUploadBytes = http.uploadLimit
            return (try WebServer(web, service: view, logger: logger) { addresses in onReady(addresses) }, token)
        } catch {
            throw ServiceError(exit: 78, description: "\(error)")
        }
    }

    /// From the file that the configuration names, systemd's credential, or one that is made below the state folder.
    private func token(_ configuration: ServiceConfiguration) throws(WebError) -> AccessToken {
        if let file = configuration.http.tokenFile {
            // A credential that is named but not given is an error of its file, not a reason to make another token.
            let path = ServiceConfiguration.credentialPath(file, environment: setup.environment) ?? file
            return try AccessToken.read(file: Array(path.utf8))
        }
        if let folder = setup.environment["CREDENTIALS_DIRECTORY"],
            FileManager.default.fileExists(atPath: folder + "/token")
        {
            return try AccessToken.read(file: Array((folder + "/token").utf8))
        }
        return try AccessToken.readOrCreate(file: Array(configuration.state.resolved("token").utf8))
    }
}

/// Filled once everything is built: the rooms call each other.
private final class Later: Sendable {
    private let rooms = Mutex<Service.Rooms?>(nil)

    var value: Service.Rooms? {
        get { rooms.withLock { $0 } }
        set { rooms.withLock { $0 = newValue } }
    }
}
