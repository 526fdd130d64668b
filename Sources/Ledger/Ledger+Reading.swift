// What may be asked about jobs.

import Foundation
internal import GRDB

extension Ledger {
    package func job(_ id: Int64) async throws(LedgerError) -> Job? {
        try await read { try Self.findJob($0, id) }
    }

    /// The job of just this file.
    package func job(of path: [UInt8], _ file: Fingerprint) async throws(LedgerError) -> Job? {
        try await read { try Self.job($0, Input(path: path, fingerprint: file)) }
    }

    /// A job with its whole history.
    package func show(_ id: Int64) async throws(LedgerError) -> Detail? {
        try await read { database in
            try Self.findJob(database, id).map { Detail(job: $0, steps: try Self.steps(database, $0.id)) }
        }
    }

    package func jobs(_ filter: Filter = Filter()) async throws(LedgerError) -> Page {
        try await read { database in
            var conditions = ["1"]
            var values: StatementArguments = []
            if !filter.states.isEmpty {
                conditions.append("state IN (\(databaseQuestionMarks(count: filter.states.count)))")
                values += StatementArguments(filter.states.map(\.rawValue).sorted())
            }
            if let path = filter.under {
                let (below, beyond) = Self.range(below: path)
                conditions.append("(path = ? OR (path >= ? AND path < ?))")
                values += [Data(path), below, beyond]
            }
            if let before = filter.before {
                conditions.append("id < ?")
                values += [before]
            }
            let limit = max(1, filter.limit)
            // One more than asked for tells whether there is another page.
            let jobs = try Row.fetchAll(
                database,
                sql: "SELECT * FROM jobs WHERE \(conditions.joined(separator: " AND ")) ORDER BY id DESC LIMIT ?",
                arguments: values + [limit + 1]
            ).map(Self.job)
            let shown = Array(jobs.prefix(limit))
            return Page(jobs: shown, next: jobs.count > limit ? shown.last?.id : nil)
        }
    }

    package func counts() async throws(LedgerError) -> Counts {
        try await read { database in
            var states = Dictionary(uniqueKeysWithValues: State.allCases.map { ($0, 0) })
            var results = Dictionary(uniqueKeysWithValues: ResultStatus.allCases.map { ($0, 0) })
            let rows = try Row.fetchAll(
                database, sql: "SELECT state, result_status, count(*) AS number FROM jobs GROUP BY state, result_status"
            )
            for row in rows {
                guard let state = State(rawValue: row["state"]) else { continue }
                states[state, default: 0] += row["number"] as Int
                if state == .done, let status = (row["result_status"] as String?).flatMap(ResultStatus.init) {
                    results[status, default: 0] += row["number"] as Int
                }
            }
            return Counts(states: states, results: results)
        }
    }

    /// Files that a scan need not report: by path, those that the ledger believes to lie in incoming/, or, with
    /// `everything`, all that it has ever had.
    package func knownInputs(everything: Bool = false) async throws(LedgerError) -> [[UInt8]: [Known]] {
        try await read { database in
            var known: [[UInt8]: [Known]] = [:]
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT id, path, size, mtime_ns, inode, state FROM jobs WHERE ? OR placed_at IS NULL ORDER BY id
                    """, arguments: [everything])
            while let row = try rows.next() {
                guard let state = State(rawValue: row["state"]) else { continue }
                known[Array(row["path"] as Data), default: []].append(
                    Known(fingerprint: Self.fingerprint(row), job: row["id"], state: state))
            }
            return known
        }
    }

    /// The done job whose result answers for this content and these settings; never `except`, and never one that
    /// itself only points to another.
    package func done(
        sha256: String, settingsHash: String, except id: Int64
    ) async throws(LedgerError) -> Job? {
        try await read { database in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT * FROM jobs WHERE sha256 = ? AND settings_hash = ? AND state = 'done' AND id != ?
                    AND result IS NOT NULL AND result_status != 'skipped' ORDER BY id DESC LIMIT 1
                    """, arguments: [sha256, settingsHash, id]
            ).map(Self.job)
        }
    }

    /// What the ledger says, to be compared with the folders, and where it contradicts itself.
    package func verify() async throws(LedgerError) -> Verification {
        try await read { database in
            let jobs = try Row.fetchAll(database, sql: "SELECT * FROM jobs ORDER BY id").map(Self.job)
            var problems = try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
            problems += try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map {
                "a row without its job: \($0)"
            }
            problems += try Self.contradictions(database)
            return Verification(jobs: jobs, problems: problems)
        }
    }

    private static func contradictions(_ database: Database) throws -> [String] {
        let checks = [
            "is done without a result's status": "state = 'done' AND result_status IS NULL",
            "has ended without a time": "state IN ('done', 'failed', 'cancelled') AND finished IS NULL",
            "has a worker though it does not run": "state != 'running' AND worker IS NOT NULL",
            "failed without a reason": "state = 'failed' AND reason IS NULL",
            "points to a job that is not there":
                "answered_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM jobs AS other WHERE other.id = jobs.answered_by)",
            "runs beside another of the same path": """
            state = 'running' AND EXISTS (SELECT 1 FROM jobs AS other
            WHERE other.state = 'running' AND other.path = jobs.path AND other.id != jobs.id)
            """,
            "ended the same attempt twice": """
            EXISTS (SELECT 1 FROM steps WHERE job = jobs.id AND state IN ('done', 'failed')
            AND reason NOT LIKE 'result removed%' GROUP BY attempt HAVING count(*) > 1)
            """,
            "is in another state than its last step": """
            state != (SELECT steps.state FROM steps WHERE job = jobs.id ORDER BY steps.id DESC LIMIT 1)
            """,
        ]
        return try checks.sorted { $0.key < $1.key }.flatMap { text, condition in
            try Int64.fetchAll(database, sql: "SELECT id FROM jobs WHERE \(condition) ORDER BY id")
                .map { "job \($0) \(text)" }
        }
    }

    static func steps(_ database: Database, _ id: Int64) throws -> [Step] {
        try Row.fetchAll(database, sql: "SELECT * FROM steps WHERE job = ? ORDER BY id", arguments: [id]).compactMap {
            row in
            State(rawValue: row["state"]).map {
                Step(at: Date(row["at"]), attempt: row["attempt"], state: $0, reason: row["reason"])
            }
        }
    }
}
