// The service at work: what runs side by side, what it is told, and how it ends.

internal import Foundation
internal import Ledger
internal import Logging
internal import ServiceConfig
internal import Web
internal import Workers

extension Service.Rooms {
    private enum Event: Sendable {
        /// Every address answers.
        case listening([ListenAddress])
        case order(ServiceOrder)
        /// With the reason, where it did not end because it was told to.
        case webEnded(String?)
        /// Of what ends only when it is cancelled.
        case roomEnded
    }

    func run(_ orders: AsyncStream<ServiceOrder>, _ service: Service) async throws(ServiceError) {
        // Not in the group below: they end in good order when they are told, and must not be cancelled before.
        let jobs = Task { await dispatcher.run() }
        let workers = Task { await pool.run() }
        let failure: ServiceError? = await withTaskGroup(of: Event.self) { group in
            group.addTask {
                do { try await web.run() } catch { return .webEnded("\(error)") }
                return .webEnded(nil)
            }
            group.addTask {
                for await addresses in webReady { return .listening(addresses) }
                return .roomEnded
            }
            group.addTask { await Self.next(orders) }
            var configuration = service.setup.configuration
            var failure: ServiceError?
            loop: while let event = await group.next() {
                switch event {
                case .listening(let addresses):
                    // Nothing is begun before: a taken port must not cost work.
                    start(configuration, service, &group)
                    service.tellReady(self, addresses)
                case .order(.reload):
                    await service.reload(self, &configuration)
                    group.addTask { await Self.next(orders) }
                case .order(.stop): break loop
                case .webEnded(let problem):
                    failure = ServiceError(exit: 69, description: problem ?? "the HTTP server ended")
                    break loop
                case .roomEnded: continue
                }
            }
            await stop(service)
            // Every job that ran has its end in the ledger then.
            await jobs.value
            await workers.value
            events.close()
            group.cancelAll()
            return failure
        }
        if let failure { throw failure }
    }

    private static func next(_ orders: AsyncStream<ServiceOrder>) async -> Event {
        for await order in orders { return .order(order) }
        return .roomEnded
    }

    private func start(
        _ configuration: ServiceConfiguration, _ service: Service, _ group: inout TaskGroup<Event>
    ) {
        let rooms: [@Sendable () async -> Void] = [
            { await hooks.run() }, { await intake.run() }, { await housekeeping.run() },
            { await watchdog(service.manager) },
        ]
        for room in rooms {
            group.addTask {
                await room()
                return .roomEnded
            }
        }
        group.addTask {
            // Free space is known before the first job begins.
            await housekeeping.measure()
            board.set(.starting, nil)
            await dispatcher.look()
            await streams.use(
                ServiceConfiguration.streamChanges(from: ServiceConfiguration(), to: configuration))
            return .roomEnded
        }
    }

    private func watchdog(_ manager: ServiceManager) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: manager.watchdogPeriod ?? .seconds(10))
            guard pulse.silent().isEmpty, let counts = try? await ledger.counts() else { continue }
            manager.watchdog()
            let running = counts.states[.running] ?? 0, queued = counts.states[.queued] ?? 0
            let work = running + queued == 0 ? "waiting for files" : "\(running) running, \(queued) queued"
            manager.status(board.obstacles.first ?? work)
        }
    }

    private func stop(_ service: Service) async {
        service.manager.stopping()
        service.logger.notice("stopping: running jobs write their checkpoints")
        board.set(.stopping, "stopping")
        await dispatcher.stop()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await pool.stop(within: Service.stopLimit) }
            group.addTask { await streams.stopAll() }
        }
    }
}

extension Service {
    func tellReady(_ rooms: Rooms, _ addresses: [ListenAddress]) {
        let places = addresses.map(\.description).joined(separator: ", ")
        manager.ready("ready, listening on \(places)")
        logger.notice("ready, listening on \(places)")
        guard setup.isRoot, let token = rooms.token else { return }
        for address in addresses {
            // On standard output: the link is for the person at the terminal, not for logs.
            if let link = token.signInLink(address) {
                FileHandle.standardOutput.write(Data("Dashboard: \(link)\n".utf8))
            }
        }
    }

    /// A bad file changes nothing; of a good one only what changed is taken over.
    func reload(_ rooms: Rooms, _ current: inout ServiceConfiguration) async {
        manager.reloading()
        defer { manager.ready("ready") }
        let next: ServiceConfiguration
        do { next = try setup.reread() } catch {
            return logger.error("reload: the configuration stays as it was: \(error)")
        }
        let changed = ServiceConfiguration.changes(from: current, to: next)
        let names = changed.map(\.rawValue).sorted().joined(separator: ", ")
        logger.notice("reload: \(changed.isEmpty ? "nothing changed" : "changed: \(names)")")
        for part in [ServiceConfiguration.Part.state, .http] where changed.contains(part) {
            logger.warning("reload: \(part.rawValue) is taken over by the next restart")
        }
        do {
            if changed.contains(.watch) {
                try await rooms.intake.use(next.watch)
                await rooms.inputs.use(next.watch)
            }
        } catch {
            return logger.error("reload: the configuration stays as it was: \(error)")
        }
        if changed.contains(.hooks) { await rooms.hooks.replace(next.hooks.map(Hook.init)) }
        if changed.contains(.analysis) || changed.contains(.workers) {
            await rooms.dispatcher.use(Dispatcher.Terms(next))
        }
        if changed.contains(.disk) || changed.contains(.retention) { await rooms.housekeeping.use(next) }
        if changed.contains(.streams) {
            await rooms.streams.use(ServiceConfiguration.streamChanges(from: current, to: next))
        }
        if changed.contains(.log) { setup.setLogLevel(next.log.level.rawValue) }
        rooms.view.use(next)
        current = next
    }
}

extension Hook {
    init(_ hook: ServiceConfiguration.Hook) {
        self.init(
            events: Set(hook.on.map(\.rawValue)), command: hook.command, timeout: hook.timeout, attempts: hook.attempts)
    }
}

extension LedgerError {
    /// As `emotiond` ends.
    var exit: Int32 {
        switch self {
        case .held: 75
        case .networkFileSystem, .newer: 78
        default: 74
        }
    }
}
