// Where an input lies and goes: to done/ or failed/ after its job, back for another attempt. Each step may be cut off
// by a kill; `settle` at the next start does what is left.

internal import Foundation
internal import Intake
internal import Ledger
internal import Logging
internal import ServiceConfig

actor Inputs {
    private let placement: Placement
    private let ledger: Ledger
    private let logger: Logger
    private let lane = BlockingLane("moves")
    private let version: String
    private var afterDone: ServiceConfiguration.AfterDone
    /// Told of each file that we took away.
    private let took: @Sendable ([UInt8]) -> Void

    init(
        _ configuration: ServiceConfiguration, ledger: Ledger, version: String, logger: Logger,
        took: @escaping @Sendable ([UInt8]) -> Void
    ) {
        let state = configuration.state
        placement = Placement(
            incoming: Array(state.incomingFolder.utf8), done: Array(state.doneFolder.utf8),
            failed: Array(state.failedFolder.utf8))
        afterDone = configuration.watch.afterDone
        self.ledger = ledger
        self.version = version
        self.logger = logger
        self.took = took
    }

    func use(_ watch: ServiceConfiguration.Watch) { afterDone = watch.afterDone }

    /// After a start: leftovers of moves, and inputs whose job ended but which were not moved any more.
    func settle() async throws {
        try await lane.run { [placement] in try placement.recover() }
        var before: Int64?
        repeat {
            let page = try await ledger.jobs(
                Ledger.Filter(states: [.done, .failed], under: nil, before: before, limit: 500))
            for job in page.jobs where job.placedAt == nil { await take(job) }
            before = page.next
        } while before != nil
    }

    /// Takes the input of a job that is done or failed to where it belongs. What cannot be moved stays and is said.
    func take(_ job: Ledger.Job) async {
        do {
            let outcome: PlacementOutcome
            let place: Place = job.state == .done ? .done : .failed
            let fingerprint = Intake.Fingerprint(job.fingerprint)
            switch (job.state, afterDone) {
            case (.done, .keep): return
            case (.done, .delete):
                outcome = try await lane.run { [placement] in try placement.delete(job.path, analysed: fingerprint) }
            case (.done, .move), (.failed, _):
                outcome = try await lane.run { [placement] in
                    try placement.move(job.path, analysed: fingerprint, to: place, sha256: job.sha256)
                }
            default: return
            }
            switch outcome {
            case .moved(let to):
                took(job.path)
                if job.state == .failed { try await writeError(job, placed: to) }
                _ = try await ledger.setPlaced(job.id, Array("\(place.rawValue)/".utf8) + to)
            case .deleted:
                took(job.path)
                _ = try await ledger.setPlaced(job.id, Array("deleted".utf8))
            case .replaced: logger.notice("\(shown(job.path)): another file lies there now; it is a new input")
            case .gone: break
            }
        } catch {
            logger.error("job \(job.id): \(error)")
        }
    }

    /// Brings the input of a job back for another attempt.
    ///
    /// - Throws: an error that says why it cannot be.
    func bringBack(_ job: Ledger.Job) async throws {
        guard let placed = job.placedAt else { return }
        for place in [Place.done, .failed] {
            let prefix = Array("\(place.rawValue)/".utf8)
            guard placed.starts(with: prefix) else { continue }
            let outcome = try await lane.run { [placement] in
                try placement.bringBack(Array(placed.dropFirst(prefix.count)), from: place, to: job.path)
            }
            switch outcome {
            case .moved: _ = try await ledger.setPlaced(job.id, nil)
            case .deleted, .gone:
                throw InputError(
                    "\(shown(placed)): the input is no longer there; drop it into the watched folder again")
            case .replaced:
                throw InputError(
                    "\(shown(job.path)): another file lies in the watched folder under this name; move it away first")
            }
            return
        }
        throw InputError(
            "\(shown(job.path)): the input was deleted after its job; drop it into the watched folder again")
    }

    private func writeError(_ job: Ledger.Job, placed: [UInt8]) async throws {
        struct Record: Encodable {
            let path: String
            let pathBase64: String?
            let sha256: String?
            let exit: Int32?
            let reason: String
            let attempts: Int
            let at: Date
            let log: [String]
            let program: String
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        let record = Record(
            path: shown(job.path), pathBase64: base64IfNeeded(job.path), sha256: job.sha256, exit: job.exitCode,
            reason: job.reason ?? "unknown", attempts: job.failures, at: job.finished ?? Date.now, log: job.log,
            program: version)
        let json = [UInt8](try encoder.encode(record)) + [0x0A]
        _ = try await lane.run { [placement] in try placement.writeError(json, besides: placed) }
    }
}

struct InputError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func shown(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }

func base64IfNeeded(_ path: [UInt8]) -> String? {
    String(validating: path, as: UTF8.self) == nil ? Data(path).base64EncodedString() : nil
}
