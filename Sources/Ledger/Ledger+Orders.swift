// What people and the service's rules order, each with its line in the audit.

import Foundation
internal import GRDB

extension Ledger {
    package func cancel(_ id: Int64, who: String) async throws(LedgerError) -> Cancellation {
        let now = now()
        return try await write { database in
            guard let job = try Self.findJob(database, id) else { return .unknown }
            switch job.state {
            case .queued:
                try database.execute(
                    sql: """
                        UPDATE jobs SET state = 'cancelled', finished = ?, reason = 'cancelled', replaces = 0,
                        not_before = NULL, paused = NULL WHERE id = ?
                        """, arguments: [now.stamp, id])
                try Self.note(database, id, .cancelled, "cancelled by \(who)", at: now)
            case .running:
                try database.execute(sql: "UPDATE jobs SET cancel_requested = 1 WHERE id = ?", arguments: [id])
            case .done, .failed, .cancelled:
                return .tooLate(job.state)
            }
            try Self.audit(database, "cancel", "job \(id)", who, path: job.path, at: now)
            return job.state == .queued ? .cancelled : .asked(job.token, worker: job.worker)
        }
    }

    /// A job that has ended goes into the queue again with all its attempts; nil if it has not, or is unknown.
    ///
    /// - Parameter replacing: the result that is there is to be replaced, not to be skipped for.
    package func retry(_ id: Int64, replacing: Bool = true, who: String) async throws(LedgerError) -> Job? {
        let now = now()
        return try await write { database in
            try database.execute(
                sql: """
                    UPDATE jobs SET state = 'queued', failures = 0, replaces = ?, not_before = NULL, paused = NULL,
                    reason = NULL, exit_code = NULL, log = NULL, finished = NULL
                    WHERE id = ? AND state IN ('done', 'failed', 'cancelled')
                    """, arguments: [replacing, id])
            guard database.changesCount == 1 else { return nil }
            let job = try Self.job(database, id)
            try Self.note(database, id, .queued, "asked for again by \(who)", at: now)
            try Self.audit(database, "retry", "job \(id)", who, path: job.path, at: now)
            return job
        }
    }

    /// Where the input lies now: after its move to done/ or failed/; nil: in incoming/ again.
    package func setPlaced(_ id: Int64, _ place: [UInt8]?) async throws(LedgerError) {
        try await write { database in
            try database.execute(
                sql: "UPDATE jobs SET placed_at = ? WHERE id = ?", arguments: [place.map { Data($0) }, id])
        }
    }

    /// The same input has another inode or time now: it was copied back for a retry.
    ///
    /// - Returns: false if another job has just this file.
    package func setFingerprint(_ id: Int64, _ file: Fingerprint) async throws(LedgerError) -> Bool {
        try await write { database in
            try database.execute(
                sql: "UPDATE OR IGNORE jobs SET size = ?, mtime_ns = ?, inode = ? WHERE id = ?",
                arguments: [file.sizeBytes, file.mtimeNanoseconds, Int64(bitPattern: file.inode), id])
            return database.changesCount == 1
        }
    }

    /// The result was removed, by retention or by hand: it answers for no other input any more.
    package func forgetResult(_ id: Int64, who: String) async throws(LedgerError) {
        let now = now()
        try await write { database in
            guard let job = try Self.findJob(database, id), let result = job.result else { return }
            try database.execute(sql: "UPDATE jobs SET result = NULL WHERE id = ?", arguments: [id])
            try Self.note(database, id, job.state, "result removed by \(who)", at: now)
            try Self.audit(database, "remove result", Self.shown(result), who, path: job.path, at: now)
        }
    }

    /// Forgets an input, or all below a folder: jobs, their steps, sightings. Only the audit says that it was here.
    /// Running jobs stay.
    package func purge(_ path: [UInt8], who: String) async throws(LedgerError) -> Purged {
        let now = now()
        return try await write { database in
            let all = try Self.jobs(database, under: path)
            let purged = all.filter { $0.state != .running }
            let ids = Set(purged.map(\.id))
            var bereft: [Job] = []
            for job in purged {
                bereft += try Row.fetchAll(
                    database, sql: "SELECT * FROM jobs WHERE answered_by = ?", arguments: [job.id]
                ).map(Self.job).filter { !ids.contains($0.id) }
                try database.execute(
                    sql: "UPDATE jobs SET answered_by = NULL WHERE answered_by = ?", arguments: [job.id])
                try database.execute(sql: "DELETE FROM jobs WHERE id = ?", arguments: [job.id])
            }
            let (below, beyond) = Self.range(below: path)
            try database.execute(
                sql: "DELETE FROM sightings WHERE path = ? OR (path >= ? AND path < ?)",
                arguments: [Data(path), below, beyond])
            try Self.audit(database, "purge", "\(Self.shown(path)), \(purged.count) jobs", who, path: path, at: now)
            return Purged(jobs: purged, running: all.filter { $0.state == .running }, bereft: bereft)
        }
    }

    // MARK: Audit

    package func audit(_ action: String, _ what: String, who: String) async throws(LedgerError) {
        let now = now()
        try await write { try Self.audit($0, action, what, who, path: nil, at: now) }
    }

    /// Newest first.
    package func auditEntries(limit: Int = 1000) async throws(LedgerError) -> [AuditEntry] {
        try await read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM audit ORDER BY id DESC LIMIT ?", arguments: [limit]).map {
                AuditEntry(at: Date($0["at"]), action: $0["action"], what: $0["what"], who: $0["who"])
            }
        }
    }
}
