// The way of a job: queued, running, and then done, failed, cancelled or queued again.

package import Foundation
internal import GRDB

extension Ledger {
    /// Queues what a scan found ready, all in one transaction. A file that was here before, by path and fingerprint, is
    /// not queued again, whatever became of it.
    package func enqueue(_ inputs: [Input]) async throws(LedgerError) -> [Enqueued] {
        if inputs.isEmpty { return [] }
        let now = now()
        return try await write { database in
            try inputs.map { input in
                if let job = try Self.job(database, input) { return .known(job) }
                let file = input.fingerprint
                try database.execute(
                    sql: """
                        INSERT INTO jobs (path, size, mtime_ns, inode, state, priority, created)
                        VALUES (?, ?, ?, ?, 'queued', ?, ?)
                        """,
                    arguments: [
                        Data(input.path), file.sizeBytes, file.mtimeNanoseconds, Int64(bitPattern: file.inode),
                        input.priority, now.stamp,
                    ])
                let id = database.lastInsertedRowID
                try Self.note(database, id, .queued, "taken in", at: now)
                return .queued(try Self.job(database, id))
            }
        }
    }

    /// The next job, now running under a new attempt; nil if none may start. By priority, then order; after its pause;
    /// never two of one path at once, since they would have one result folder.
    package func takeNext(worker: Int32? = nil) async throws(LedgerError) -> Job? {
        let now = now()
        return try await write { database in
            // A clock that was set back must not hold a job for ever: before its pause began counts as after it.
            let id = try Int64.fetchOne(
                database,
                sql: """
                    SELECT id FROM jobs AS next
                    WHERE state = 'queued' AND (not_before IS NULL OR not_before <= ?1 OR paused > ?1)
                    AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND path = next.path)
                    ORDER BY priority DESC, id LIMIT 1
                    """, arguments: [now.stamp])
            guard let id else { return nil }
            try database.execute(
                sql: """
                    UPDATE jobs SET state = 'running', attempt = attempt + 1, started = ?, worker = ?, finished = NULL,
                    not_before = NULL, paused = NULL WHERE id = ?
                    """, arguments: [now.stamp, worker, id])
            try Self.note(database, id, .running, "started", at: now)
            return try Self.job(database, id)
        }
    }

    /// When the first of the pausing jobs may run; nil if none pauses.
    package func nextDue() async throws(LedgerError) -> Date? {
        try await read { database in
            try Int64.fetchOne(database, sql: "SELECT min(not_before) FROM jobs WHERE state = 'queued'").map(Date.init)
        }
    }

    // Each of the following returns false, and changes nothing, if the attempt is no longer the running one.

    package func setWorker(_ attempt: Attempt, pid: Int32) async throws(LedgerError) -> Bool {
        try await write { try Self.change($0, attempt, "worker = ?", [pid]) }
    }

    /// What the worker found out first: which content it is.
    package func identify(
        _ attempt: Attempt, sha256: String, settingsHash: String?
    ) async throws(LedgerError) -> Bool {
        try await write {
            try Self.change($0, attempt, "sha256 = ?, settings_hash = ?", [sha256, settingsHash])
        }
    }

    /// Also for a job whose cancelling came too late: what is published counts.
    package func finish(_ attempt: Attempt, _ result: JobResult) async throws(LedgerError) -> Bool {
        let now = now()
        return try await write { database in
            let isCurrent = try Self.change(
                database, attempt,
                """
                state = 'done', result_status = ?, result = ?, exit_code = ?, sha256 = coalesce(?, sha256),
                settings_hash = coalesce(?, settings_hash), answered_by = ?, finished = ?, reason = NULL, log = NULL,
                worker = NULL, replaces = 0, cancel_requested = 0, failures = 0
                """,
                [
                    result.status.rawValue, result.path.map { Data($0) }, result.exitCode, result.sha256,
                    result.settingsHash, result.answeredBy, now.stamp,
                ])
            guard isCurrent else { return false }
            let pointer = result.answeredBy.map { ": job \($0) has this result" } ?? ""
            try Self.note(database, attempt.job, .done, result.status.rawValue + pointer, at: now)
            return true
        }
    }

    package func fail(
        _ attempt: Attempt, exitCode: Int32, reason: String, log: [String] = []
    ) async throws(LedgerError) -> Bool {
        let now = now()
        return try await write { database in
            let isCurrent = try Self.change(
                database, attempt,
                """
                state = 'failed', exit_code = ?, reason = ?, log = ?, finished = ?, worker = NULL, replaces = 0,
                cancel_requested = 0, failures = failures + 1
                """, [exitCode, reason, log.joined(separator: "\n"), now.stamp])
            guard isCurrent else { return false }
            try Self.note(database, attempt.job, .failed, "exit \(exitCode): \(reason)", at: now)
            return true
        }
    }

    /// Back into the queue.
    ///
    /// - Parameter counts: false where the run was ended for reasons that lie outside the job: a full disk, a stop.
    package func retryLater(
        _ attempt: Attempt, notBefore: Date?, exitCode: Int32? = nil, reason: String, log: [String] = [],
        counts: Bool = true
    ) async throws(LedgerError) -> Bool {
        let now = now()
        return try await write { database in
            // A cancel that came while it ran is carried out now.
            let isCurrent = try Self.change(
                database, attempt,
                """
                state = iif(cancel_requested, 'cancelled', 'queued'), finished = iif(cancel_requested, ?, NULL),
                not_before = ?, paused = ?, exit_code = ?, reason = ?, log = ?, worker = NULL, cancel_requested = 0,
                failures = failures + ?
                """,
                [
                    now.stamp, notBefore?.stamp, notBefore == nil ? nil : now.stamp, exitCode, reason,
                    log.joined(separator: "\n"), counts ? 1 : 0,
                ])
            guard isCurrent else { return false }
            let state = try Self.job(database, attempt.job).state
            let pause = notBefore.map { "; not before \($0.ISO8601Format())" } ?? ""
            try Self.note(database, attempt.job, state, reason + (state == .queued ? pause : ""), at: now)
            return true
        }
    }

    /// The worker of a job that somebody cancelled has let go of it.
    package func cancelled(_ attempt: Attempt) async throws(LedgerError) -> Bool {
        let now = now()
        return try await write { database in
            let isCurrent = try Self.change(
                database, attempt,
                """
                state = 'cancelled', finished = ?, reason = 'cancelled', worker = NULL, replaces = 0,
                cancel_requested = 0
                """, [now.stamp])
            if isCurrent { try Self.note(database, attempt.job, .cancelled, "cancelled", at: now) }
            return isCurrent
        }
    }

    /// At start: what ran when the last daemon ended waits again, or is cancelled if that was asked for. It costs no
    /// attempt; `Job.attempt` rises all the same, for a caller who wants to stop a job that takes machines down.
    ///
    /// - Returns: all that ran, in their new states.
    package func requeueRunning() async throws(LedgerError) -> [Job] {
        let now = now()
        return try await write { database in
            let ids = try Int64.fetchAll(database, sql: "SELECT id FROM jobs WHERE state = 'running' ORDER BY id")
            try database.execute(
                sql: """
                    UPDATE jobs SET state = iif(cancel_requested, 'cancelled', 'queued'),
                    finished = iif(cancel_requested, ?, NULL), reason = iif(cancel_requested, 'cancelled', NULL),
                    worker = NULL, cancel_requested = 0 WHERE state = 'running'
                    """, arguments: [now.stamp])
            return try ids.map { id in
                let job = try Self.job(database, id)
                try Self.note(database, id, job.state, "the service ended while it ran", at: now)
                return job
            }
        }
    }
}
