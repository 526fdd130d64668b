// Where each stream's numbers go on, and the copy for a backup.

import Foundation
internal import GRDB

extension Ledger {
    package func stream(_ name: String) async throws(LedgerError) -> Stream? {
        try await read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM streams WHERE name = ?", arguments: [name]).map(Self.stream)
        }
    }

    package func streams() async throws(LedgerError) -> [Stream] {
        try await read { try Row.fetchAll($0, sql: "SELECT * FROM streams ORDER BY name").map(Self.stream) }
    }

    /// Numbers never go back, in whatever order reports come: a frame or face id that was used is not used again.
    package func save(_ stream: Stream) async throws(LedgerError) {
        let now = now()
        try await write { database in
            try database.execute(
                sql: """
                    INSERT INTO streams (name, origin, next_frame, last_face_id, last_timestamp, state, changed)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (name) DO UPDATE SET state = excluded.state, changed = excluded.changed,
                    next_frame = max(next_frame, excluded.next_frame),
                    last_face_id = max(last_face_id, excluded.last_face_id),
                    last_timestamp = max(last_timestamp, excluded.last_timestamp)
                    """,
                arguments: [
                    stream.name, stream.originMicroseconds, stream.nextFrame, stream.lastFaceID,
                    stream.lastTimestampMicroseconds, stream.state, now.stamp,
                ])
        }
    }

    /// For a purge of all that a stream left: its numbers begin anew. False if there was none.
    package func forgetStream(_ name: String, who: String) async throws(LedgerError) -> Bool {
        let now = now()
        return try await write { database in
            try database.execute(sql: "DELETE FROM streams WHERE name = ?", arguments: [name])
            guard database.changesCount == 1 else { return false }
            try Self.audit(database, "purge", "stream \(name)", who, path: nil, at: now)
            return true
        }
    }

    /// A whole, consistent copy while the service runs.
    ///
    /// - Parameter path: a file that does not exist.
    package func backup(to path: String) async throws(LedgerError) {
        if FileManager.default.fileExists(atPath: path) {
            throw .database(path: self.path, reason: "a backup does not overwrite \(path); name a new file")
        }
        // SQLite refuses this inside of a transaction.
        let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
            database.asyncWriteWithoutTransaction { database in
                continuation.resume(
                    returning: Result { try database.execute(sql: "VACUUM INTO ?", arguments: [path]) })
            }
        }
        do { try result.get() } catch { throw Self.wrapped(error, self.path) }
    }

    private static func stream(_ row: Row) -> Stream {
        Stream(
            name: row["name"], originMicroseconds: row["origin"], nextFrame: row["next_frame"],
            lastFaceID: row["last_face_id"], lastTimestampMicroseconds: row["last_timestamp"], state: row["state"])
    }
}
