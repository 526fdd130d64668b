// Rows to values, and the statements that several operations share.

import Foundation
internal import GRDB

extension Ledger {
    static func job(_ row: Row) throws -> Job {
        guard let state = State(rawValue: row["state"]) else {
            throw DatabaseError(
                resultCode: .SQLITE_CORRUPT, message: "a job has the unknown state \(row["state"] as String)")
        }
        return Job(
            id: row["id"], path: Array(row["path"] as Data), fingerprint: fingerprint(row), state: state,
            priority: row["priority"], attempt: row["attempt"], failures: row["failures"], worker: row["worker"],
            replaces: row["replaces"], cancelRequested: row["cancel_requested"], sha256: row["sha256"],
            settingsHash: row["settings_hash"], exitCode: row["exit_code"], reason: row["reason"],
            log: (row["log"] as String?)?.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                ?? [],
            result: (row["result"] as Data?).map { Array($0) },
            resultStatus: (row["result_status"] as String?).flatMap(ResultStatus.init),
            answeredBy: row["answered_by"], placedAt: (row["placed_at"] as Data?).map { Array($0) },
            created: Date(row["created"]), started: date(row["started"]), finished: date(row["finished"]),
            notBefore: date(row["not_before"]))
    }

    static func fingerprint(_ row: Row) -> Fingerprint {
        Fingerprint(
            sizeBytes: row["size"], mtimeNanoseconds: row["mtime_ns"], inode: UInt64(bitPattern: row["inode"] as Int64))
    }

    private static func date(_ stamp: Int64?) -> Date? { stamp.map(Date.init) }

    static func findJob(_ database: Database, _ id: Int64) throws -> Job? {
        try Row.fetchOne(database, sql: "SELECT * FROM jobs WHERE id = ?", arguments: [id]).map(job)
    }

    /// One that this transaction has just touched.
    static func job(_ database: Database, _ id: Int64) throws -> Job {
        guard let job = try findJob(database, id) else {
            throw DatabaseError(resultCode: .SQLITE_NOTFOUND, message: "job \(id) has vanished")
        }
        return job
    }

    static func job(_ database: Database, _ input: Input) throws -> Job? {
        let file = input.fingerprint
        return try Row.fetchOne(
            database, sql: "SELECT * FROM jobs WHERE path = ? AND size = ? AND mtime_ns = ? AND inode = ?",
            arguments: [Data(input.path), file.sizeBytes, file.mtimeNanoseconds, Int64(bitPattern: file.inode)]
        ).map(job)
    }

    /// Oldest first.
    static func jobs(_ database: Database, under path: [UInt8]) throws -> [Job] {
        let (below, beyond) = range(below: path)
        return try Row.fetchAll(
            database, sql: "SELECT * FROM jobs WHERE path = ? OR (path >= ? AND path < ?) ORDER BY id",
            arguments: [Data(path), below, beyond]
        ).map(job)
    }

    /// Every path below P begins with `P/` and sorts before `P0`, as `0` follows `/`. The empty path is the root: all
    /// paths are below it, and none begins with 0xFF twice by being longer than 4096 bytes.
    static func range(below path: [UInt8]) -> (Data, Data) {
        if path.isEmpty { return (Data(), Data(repeating: 0xFF, count: 4097)) }
        return (Data(path + [UInt8(ascii: "/")]), Data(path + [UInt8(ascii: "0")]))
    }

    /// Changes a running job, if its attempt is still this one.
    static func change(
        _ database: Database, _ attempt: Attempt, _ change: String, _ values: [(any DatabaseValueConvertible)?]
    ) throws -> Bool {
        try database.execute(
            sql: "UPDATE jobs SET \(change) WHERE id = ? AND state = 'running' AND attempt = ?",
            arguments: StatementArguments(values) + [attempt.job, attempt.number])
        return database.changesCount == 1
    }

    /// Writes down that a job has come into a state.
    static func note(_ database: Database, _ id: Int64, _ state: State, _ reason: String, at now: Date) throws {
        try database.execute(
            sql: """
                INSERT INTO steps (job, attempt, at, state, reason)
                SELECT id, attempt, ?, ?, ? FROM jobs WHERE id = ?
                """, arguments: [now.stamp, state.rawValue, reason, id])
    }

    static func audit(
        _ database: Database, _ action: String, _ what: String, _ who: String, path: [UInt8]?, at now: Date
    ) throws {
        try database.execute(
            sql: "INSERT INTO audit (at, action, what, who, path) VALUES (?, ?, ?, ?, ?)",
            arguments: [now.stamp, action, what, who, path.map { Data($0) }])
    }

    /// For people: in quotes, control characters escaped.
    static func shown(_ path: [UInt8]) -> String {
        var text = "'"
        for scalar in String(decoding: path, as: UTF8.self).unicodeScalars {
            if scalar.properties.generalCategory == .control {
                text += scalar.escaped(asASCII: true)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text + "'"
    }
}

extension Date {
    /// Microseconds since 1970: what the ledger keeps. Years beyond 290,000 are cut.
    var stamp: Int64 {
        Int64(exactly: (timeIntervalSince1970 * 1e6).rounded()) ?? (timeIntervalSince1970 > 0 ? .max : .min)
    }

    init(_ stamp: Int64) { self.init(timeIntervalSince1970: Double(stamp) / 1e6) }
}
