// Every file that was seen and what was decided about it, so that "why is this file not processed" has an answer.

package import Foundation
internal import GRDB

extension Ledger {
    /// Older ones of a path are of no use to anybody.
    private static let sightingsKept = 50

    /// What a scan saw, the whole of it in one transaction. The same sight of a path again is only counted.
    package func see(_ sightings: [Sighting]) async throws(LedgerError) {
        if sightings.isEmpty { return }
        let now = now()
        try await write { database in
            let last = try database.cachedStatement(
                sql:
                    "SELECT id, verdict, reason, size, mtime_ns, inode FROM sightings WHERE path = ? ORDER BY id DESC LIMIT 1"
            )
            for sighting in sightings {
                let row = try Row.fetchOne(last, arguments: [Data(sighting.path)])
                if let row, Self.isSame(row, sighting) {
                    try Self.count(database, row["id"], now)
                } else {
                    try Self.insert(database, sighting, now, isFirst: row == nil)
                }
            }
        }
    }

    private static func isSame(_ row: Row, _ sighting: Sighting) -> Bool {
        let file = (row["size"] as Int64?).map { _ in fingerprint(row) }
        return row["verdict"] == sighting.verdict && row["reason"] == sighting.reason
            && (file == sighting.fingerprint || sighting.verdict == "waiting")
    }

    private static func count(_ database: Database, _ id: Int64, _ now: Date) throws {
        try database.cachedStatement(sql: "UPDATE sightings SET last = ?, count = count + 1 WHERE id = ?")
            .execute(arguments: [now.stamp, id])
    }

    private static func insert(_ database: Database, _ sighting: Sighting, _ now: Date, isFirst: Bool) throws {
        let file = sighting.fingerprint
        try database.cachedStatement(
            sql: """
                INSERT INTO sightings (path, size, mtime_ns, inode, verdict, reason, first, last, count)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
                """
        ).execute(arguments: [
            Data(sighting.path), file?.sizeBytes, file?.mtimeNanoseconds, file.map { Int64(bitPattern: $0.inode) },
            sighting.verdict, sighting.reason, now.stamp, now.stamp,
        ])
        if isFirst { return }
        try database.cachedStatement(
            sql: """
                DELETE FROM sightings WHERE path = ?1 AND id <=
                (SELECT id FROM sightings WHERE path = ?1 ORDER BY id DESC LIMIT 1 OFFSET \(sightingsKept))
                """
        ).execute(arguments: [Data(sighting.path)])
    }

    /// Forgets what was last seen before a moment, so that years of files that came and went do not stay.
    ///
    /// - Returns: how many sightings went.
    package func forgetSightings(before moment: Date) async throws(LedgerError) -> Int {
        try await write { database in
            try database.execute(sql: "DELETE FROM sightings WHERE last < ?", arguments: [moment.stamp])
            return database.changesCount
        }
    }

    /// All that is known of a path, and of what lies below it.
    package func why(_ path: [UInt8]) async throws(LedgerError) -> Why {
        let now = now()
        return try await read { database in
            let jobs = try Self.jobs(database, under: path)
            var events = try Self.sightings(database, path)
            for job in jobs {
                events += try Self.steps(database, job.id).map { step in
                    let attempt = step.attempt > 0 ? ", attempt \(step.attempt)" : ""
                    return Event(
                        at: step.at, kind: .step, path: job.path, job: job.id,
                        text: "job \(job.id)\(attempt): \(step.state.rawValue) (\(step.reason))")
                }
            }
            events += try Self.audits(database, path)
            // The sort is stable: of one moment, a sighting comes before the step that it led to.
            events.sort { $0.at < $1.at }
            return Why(events: events, now: Self.standing(jobs, events, now))
        }
    }

    private static func sightings(_ database: Database, _ path: [UInt8]) throws -> [Event] {
        let (below, beyond) = range(below: path)
        return try Row.fetchAll(
            database, sql: "SELECT * FROM sightings WHERE path = ? OR (path >= ? AND path < ?) ORDER BY id",
            arguments: [Data(path), below, beyond]
        ).map { row in
            let seen: Data = row["path"], count: Int = row["count"]
            let again = count > 1 ? " (\(count) times until \(Date(row["last"]).ISO8601Format()))" : ""
            let name = Array(seen) == path ? "" : shown(Array(seen)) + " "
            let text = "\(name)seen\(again): \(row["verdict"] as String): \(row["reason"] as String)"
            return Event(at: Date(row["first"]), kind: .sighting, path: Array(seen), job: nil, text: text)
        }
    }

    private static func audits(_ database: Database, _ path: [UInt8]) throws -> [Event] {
        try Row.fetchAll(database, sql: "SELECT * FROM audit WHERE path = ? ORDER BY id", arguments: [Data(path)]).map {
            Event(
                at: Date($0["at"]), kind: .audit, path: path, job: nil,
                text: "\($0["action"] as String) of \($0["what"] as String) by \($0["who"] as String)")
        }
    }

    private static func standing(_ jobs: [Job], _ events: [Event], _ now: Date) -> String {
        guard let job = jobs.last else {
            guard let last = events.last(where: { $0.kind == .sighting }) else {
                return "never seen: it does not lie in the watched folder, or no scan has come by since"
            }
            return "not taken in: " + last.text
        }
        let name = "job \(job.id)"
        switch job.state {
        case .queued:
            guard let notBefore = job.notBefore, notBefore > now else { return "\(name) is queued" }
            return "\(name) is queued and pauses until \(notBefore.ISO8601Format()): \(job.reason ?? "failed before")"
        case .running:
            return "\(name) is running" + (job.worker.map { " in process \($0)" } ?? "")
        case .done:
            let place = job.result.map { ": results/" + shown($0).dropFirst().dropLast() } ?? ""
            let pointer = job.answeredBy.map { ", the same content as job \($0)" } ?? ""
            return "\(name) is done, \(job.resultStatus?.rawValue ?? "complete")\(pointer)\(place)"
        case .failed:
            return "\(name) failed with exit \(job.exitCode ?? 70): \(job.reason ?? "no reason given")"
        case .cancelled:
            return "\(name) was cancelled"
        }
    }
}
