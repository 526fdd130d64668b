// A process that uses the ledger until somebody ends it. It says what it has done only after the ledger has said so:
// whatever stands in its output must be in the ledger for ever.

import Foundation
import Glibc
import Ledger
import TestSupport

@main
struct LedgerCrash {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 2 else { exit(64) }
        switch arguments[1] {
        case "hold":
            let lock = try StateLock(folder: arguments[2])
            say("held")
            // Until the other end of standard input is closed.
            while readLine() != nil {}
            withExtendedLifetime(lock) {}
        case "write":
            try await write(to: arguments[2], seed: arguments.count > 3 ? UInt64(arguments[3]) ?? 0 : 0)
        default: exit(64)
        }
    }

    static func write(to folder: String, seed: UInt64) async throws {
        var random = SeededGenerator(seed)
        let ledger = try Ledger(StateLock(folder: folder))
        for job in try await ledger.requeueRunning() { say("again \(job.id)") }
        while true {
            let input = Ledger.Input(
                path: Array("clip-\(random.next())".utf8),
                fingerprint: .init(sizeBytes: 1, mtimeNanoseconds: 2, inode: random.next()))
            try await ledger.see([
                .init(path: input.path, fingerprint: input.fingerprint, verdict: "ready", reason: "still")
            ])
            for enqueued in try await ledger.enqueue([input]) { say("queued \(enqueued.job.id)") }
            guard Int.random(in: 0..<3, using: &random) > 0, let job = try await ledger.takeNext(worker: getpid())
            else {
                continue
            }
            say("started \(job.id)")
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                if try await ledger.retryLater(job.token, notBefore: nil, reason: "tried") { say("again \(job.id)") }
            case 1: break  // left running, for the next start
            default:
                let result = Ledger.JobResult(status: .complete, path: job.path, sha256: "s", settingsHash: "h")
                if try await ledger.finish(job.token, result) { say("done \(job.id)") }
            }
        }
    }

    /// Straight to the descriptor: a buffer would die with the process.
    static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        if Glibc.write(1, bytes, bytes.count) != bytes.count { exit(74) }
    }
}
