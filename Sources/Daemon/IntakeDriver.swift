// Files in the watched folder become jobs: rounds of `IntakeLoop`, compared with the ledger and written into it.

internal import Intake
internal import Ledger
internal import Logging
internal import ServiceConfig
internal import Synchronization

actor IntakeDriver {
    private let ledger: Ledger
    private let logger: Logger
    private let lane = BlockingLane("intake")
    private let loop: Mutex<IntakeLoop>
    private let root: [UInt8]
    private let wake = Wake()
    private let board: Board
    private let pulse: Pulse
    private let isNetwork: Bool
    private var watch: Watch?
    private var limitTold = false
    private var rounds = 0
    /// Told when there is something to do.
    private let queued: @Sendable ([Ledger.Job]) async -> Void
    private var rootState = RootState.present

    init(
        _ configuration: ServiceConfiguration, ledger: Ledger, expecting: Set<[UInt8]>, board: Board, pulse: Pulse,
        logger: Logger,
        queued: @escaping @Sendable ([Ledger.Job]) async -> Void
    ) throws(IntakeError) {
        self.ledger = ledger
        self.board = board
        self.pulse = pulse
        self.logger = logger
        self.queued = queued
        root = Array(configuration.state.incomingFolder.utf8)
        let kind = FileSystemKind.of(root)
        isNetwork = kind?.isNetwork ?? false
        if let kind, kind.isNetwork {
            let interval = Amount.text(configuration.watch.networkScanInterval)
            logger.notice(
                "\(configuration.state.incomingFolder) lies on \(kind.name), which tells of no changes: it is scanned every \(interval)"
            )
        }
        let options = try IntakeOptions(configuration.watch, isNetwork: isNetwork)
        loop = Mutex(IntakeLoop(root: root, options: options, expecting: expecting))
    }

    /// Takes other settings over with the next round, which looks at everything.
    func use(_ watch: ServiceConfiguration.Watch) async throws(IntakeError) {
        let options = try IntakeOptions(watch, isNetwork: isNetwork)
        loop.withLock { $0.options = options }
        await wake.ring()
    }

    /// An input of ours was moved away or brought back: no news for the scan.
    nonisolated func tookAway(_ path: [UInt8]) { loop.withLock { $0.tookAway(path) } }

    nonisolated func look() async { await wake.ring() }

    /// Until the task is cancelled.
    func run() async {
        startWatching()
        var scope = IntakeScope.everything
        while !Task.isCancelled {
            pulse.beat(.intake)
            var pause = Duration.seconds(5)
            do {
                pause = try await round(scope)
            } catch {
                logger.error("intake: \(error)")
            }
            // Never so long that the watchdog would wonder.
            await wake.wait(atMost: min(max(pause, .milliseconds(5)), .seconds(30)))
            scope = watch?.take() ?? .pending
        }
        watch?.stop()
    }

    private func startWatching() {
        guard !isNetwork else { return }
        let watch = Watch(root: root, ignore: loop.withLock { $0.options.ignore })
        do throws(IntakeError) {
            try watch.start()
        } catch {
            logger.warning("the watched folder is scanned only: \(error)")
            return
        }
        self.watch = watch
        Task { [wake] in
            for await _ in watch.ticks { await wake.ring() }
        }
    }

    /// - Returns: how long nothing needs to be looked at.
    private func round(_ scope: IntakeScope) async throws -> Duration {
        let known = try await ledger.knownInputs()
        let round = await lane.run { [self] in
            loop.withLock { loop in
                loop.round(scope, now: .now) { file in
                    let fingerprint = Ledger.Fingerprint(file.fingerprint)
                    guard let job = known[file.path]?.last(where: { $0.fingerprint == fingerprint }) else {
                        return .new
                    }
                    return .known(reason: "job \(job.job) is \(job.state.rawValue)")
                }
            }
        }
        let wasAway = !rootState.isPresent
        tell(round)
        try await ledger.see(round.sightings.map(Ledger.Sighting.init))
        if !round.ready.isEmpty {
            let answers = try await ledger.enqueue(round.ready.map(Ledger.Input.init))
            await queued(answers.compactMap { if case .queued(let job) = $0 { job } else { nil } })
        } else if wasAway, rootState.isPresent {
            await queued([])
        }
        rounds += 1
        if rounds == 1 { logger.info("first scan: \(round.fileCount) files, \(round.ready.count) to do") }
        return ContinuousClock.now.duration(to: round.nextRound)
    }

    private func tell(_ round: IntakeRound) {
        if round.root != rootState {
            switch round.root {
            case .present:
                board.set(.folder, nil)
                logger.notice("the watched folder is there again")
            case .mountVanished(let reason):
                // Their inputs may come back with it: begun now they would fail for ever.
                board.set(.folder, reason)
                logger.warning("incoming: \(reason); jobs whose files lie there wait, and nothing is taken for deleted")
            }
            rootState = round.root
        }
        if case .limited(let error, _) = watch?.state {
            if !limitTold { logger.warning("\(error); what is not watched is scanned") }
            limitTold = true
        }
    }
}

extension IntakeOptions {
    init(_ watch: ServiceConfiguration.Watch, isNetwork: Bool) throws(IntakeError) {
        self.init(
            quiet: watch.quiet, scanInterval: isNetwork ? watch.networkScanInterval : watch.scanInterval,
            ignore: try IgnoreRules(patterns: watch.ignore),
            priorities: try PriorityRules(watch.priorities.map { (pattern: $0.folder, priority: $0.priority) }),
            maxFileBytes: watch.maximumBytes)
    }
}

extension Ledger.Fingerprint {
    init(_ fingerprint: Intake.Fingerprint) {
        self.init(
            sizeBytes: fingerprint.sizeBytes, mtimeNanoseconds: fingerprint.mtimeNanoseconds, inode: fingerprint.inode)
    }
}

extension Intake.Fingerprint {
    init(_ fingerprint: Ledger.Fingerprint) {
        self.init(
            sizeBytes: fingerprint.sizeBytes, mtimeNanoseconds: fingerprint.mtimeNanoseconds, inode: fingerprint.inode)
    }
}

extension Ledger.Sighting {
    init(_ sighting: Intake.Sighting) {
        self.init(
            path: sighting.path, fingerprint: sighting.fingerprint.map(Ledger.Fingerprint.init),
            verdict: sighting.verdict.code, reason: sighting.verdict.reason)
    }
}

extension Ledger.Input {
    init(_ input: ReadyInput) {
        self.init(path: input.path, fingerprint: Ledger.Fingerprint(input.fingerprint), priority: input.priority)
    }
}
