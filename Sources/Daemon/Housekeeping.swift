// What is looked after every few seconds: free space; and every hour: results that have lived long enough.

internal import Foundation
internal import Intake
internal import Ledger
internal import Logging
internal import ServiceConfig

actor Housekeeping {
    private let ledger: Ledger
    private let board: Board
    private let pulse: Pulse
    private let logger: Logger
    private let lane = BlockingLane("housekeeping")
    private let places: [[UInt8]]
    private let store: ResultStore
    private let keptRoots: [[UInt8]]
    private var gate: DiskGate
    private var retention: ServiceConfiguration.Retention
    private var streamAges: [String: Duration?]
    private var lastRetention: ContinuousClock.Instant?
    private let resumed: @Sendable () async -> Void
    private let wake = Wake()

    init(
        _ configuration: ServiceConfiguration, ledger: Ledger, board: Board, pulse: Pulse, logger: Logger,
        resumed: @escaping @Sendable () async -> Void
    ) {
        self.ledger = ledger
        self.board = board
        self.pulse = pulse
        self.logger = logger
        self.resumed = resumed
        let state = configuration.state
        places = [state.folder, state.resultsFolder].map { Array($0.utf8) }
        store = ResultStore(root: Array(state.resultsFolder.utf8))
        keptRoots = [state.doneFolder, state.failedFolder].map { Array($0.utf8) }
        gate = DiskGate(configuration.disk)
        retention = configuration.retention
        streamAges = Self.ages(configuration)
    }

    func use(_ configuration: ServiceConfiguration) async {
        gate = DiskGate(configuration.disk)
        board.set(.disk, nil)
        retention = configuration.retention
        streamAges = Self.ages(configuration)
        lastRetention = nil
        await wake.ring()
    }

    /// A worker met a full disk, whatever the measurement says.
    func diskIsFull() {
        gate.close()
        tellPaused()
    }

    func run() async {
        do { try await lane.run { [store] in try store.sweep() } } catch { logger.warning("\(error)") }
        while !Task.isCancelled {
            pulse.beat(.housekeeping)
            await measure()
            if lastRetention.map({ .now - $0 > .seconds(3600) }) ?? true {
                lastRetention = .now
                await removeOld()
            }
            await wake.wait(atMost: gate.isOpen ? .seconds(10) : .seconds(1))
        }
    }

    // MARK: Free space

    func measure() async {
        do {
            let free = try await lane.run { [places] in try DiskGate.available(at: places) }
            board.setFree(Int64(clamping: free))
            switch gate.update(available: free) {
            case .paused: tellPaused()
            case .resumed:
                board.set(.disk, nil)
                logger.notice("intake goes on: \(Amount.text(bytes: rounded(free))) free")
                await resumed()
            case nil: break
            }
        } catch {
            logger.warning("the free space cannot be measured: \(error)")
        }
    }

    private func tellPaused() {
        let free = board.freeBytes.map { Amount.text(bytes: rounded(UInt64(clamping: $0))) } ?? "little"
        let wanted = Amount.text(bytes: rounded(gate.resumeAbove))
        if board.set(.disk, "intake paused: \(free) free, it goes on above \(wanted)") {
            logger.warning("intake paused: \(free) free; make room, it goes on by itself above \(wanted)")
        }
    }

    private func rounded(_ bytes: UInt64) -> Int64 {
        bytes < 10 << 20 ? Int64(bytes >> 10) << 10 : Int64(clamping: (bytes >> 20) << 20)
    }

    // MARK: Retention

    private static func ages(_ configuration: ServiceConfiguration) -> [String: Duration?] {
        Dictionary(
            configuration.streams.map { ($0.name, $0.retain ?? configuration.retention.streamsAge) },
            uniquingKeysWith: { first, _ in first })
    }

    private func removeOld() async {
        do {
            let all = try await lane.run { [store] in try store.list() }
            let prefix = Array("streams/".utf8)
            let files = all.filter { !$0.path.starts(with: prefix) }
            let streams = Dictionary(grouping: all.filter { $0.path.starts(with: prefix) }) { result in
                shown(Array(result.path.dropFirst(prefix.count).prefix { $0 != UInt8(ascii: "/") }))
            }
            let now = Int64(Date.now.timeIntervalSince1970 * 1e9)
            var victims = Retention(
                maxAge: retention.resultsAge, maxTotalBytes: retention.resultsTotal.map { UInt64($0) }
            ).victims(of: files, nowNanoseconds: now)
            for (name, results) in streams {
                let age = streamAges[name] ?? retention.streamsAge
                victims += Retention(maxAge: age, maxTotalBytes: nil).victims(of: results, nowNanoseconds: now)
            }
            try await remove(victims)
            if let age = retention.inputsAge { try await removeInputs(olderThan: age) }
        } catch {
            logger.warning("old results: \(error)")
        }
    }

    private func remove(_ results: [StoredResult]) async throws {
        var removed: Set<[UInt8]> = []
        for result in results where try await lane.run({ [store] in try store.remove(result.path) }) {
            removed.insert(result.path)
            try await ledger.audit("retention", "result \(shown(result.path))", who: "retention")
            logger.notice("removed the old result \(shown(result.path))")
        }
        guard !removed.isEmpty else { return }
        var before: Int64?
        repeat {
            let page = try await ledger.jobs(Ledger.Filter(states: [.done], before: before, limit: 500))
            for job in page.jobs where job.result.map(removed.contains) ?? false {
                try await ledger.forgetResult(job.id, who: "retention")
            }
            before = page.next
        } while before != nil
    }

    /// Inputs in done/ and failed/ whose job ended that long ago.
    private func removeInputs(olderThan age: Duration) async throws {
        let limit = Date.now.addingTimeInterval(-Double(age.microseconds) / 1e6)
        var before: Int64?
        repeat {
            let page = try await ledger.jobs(Ledger.Filter(states: [.done, .failed], before: before, limit: 500))
            for job in page.jobs {
                guard let placed = job.placedAt, let finished = job.finished, finished < limit,
                    let slash = placed.firstIndex(of: UInt8(ascii: "/"))
                else { continue }
                let root = placed[..<slash] == Array("done".utf8)[...] ? keptRoots[0] : keptRoots[1]
                let file = shown(root + placed[slash...])
                guard (try? FileManager.default.removeItem(atPath: file)) != nil else { continue }
                try? FileManager.default.removeItem(atPath: file + ".error.json")
                try await ledger.setPlaced(job.id, Array("removed".utf8))
                try await ledger.audit("retention", "input \(shown(job.path))", who: "retention")
            }
            before = page.next
        } while before != nil
    }
}

extension DiskGate {
    init(_ disk: ServiceConfiguration.Disk) {
        self.init(pauseBelow: UInt64(clamping: disk.pauseBelow), resumeAbove: UInt64(clamping: disk.resumeAbove))
    }
}
