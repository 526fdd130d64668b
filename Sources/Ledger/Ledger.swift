// The truth about jobs: SQLite in WAL mode in the state folder, one writer (who holds the lock), and every change of
// state is one transaction that is on the disk when the call returns.

package import Foundation
internal import GRDB

package actor Ledger {
    package nonisolated let path: String
    nonisolated let database: DatabasePool
    nonisolated let now: @Sendable () -> Date
    /// Nobody else opens the ledger for as long as this one lives.
    private nonisolated let lock: StateLock

    /// Opens or makes `emotiond.sqlite` and brings it to the present schema. Blocks: seconds for a very large ledger.
    ///
    /// - Parameter now: wall time, for the records and for pauses after a failure.
    /// - Throws: `.damaged` after the file was put aside (the next try makes a new one), `.newer`, `.diskFull`,
    ///   `.database`.
    package init(_ lock: StateLock, now: @escaping @Sendable () -> Date = { Date.now }) throws(LedgerError) {
        self.lock = lock
        self.now = now
        path = lock.folder + "/emotiond.sqlite"
        do {
            database = try Self.opened(path)
        } catch {
            throw Self.isDamage(error) ? Self.putAside(path, error) : Self.wrapped(error, path)
        }
    }

    private static func opened(_ path: String) throws -> DatabasePool {
        try check(path)
        var configuration = Configuration()
        configuration.label = "ledger"
        // A backup or an operator's sqlite3 may hold it for a moment.
        configuration.busyMode = .timeout(10)
        let database = try DatabasePool(path: path, configuration: configuration)
        // After opening, as GRDB itself sets NORMAL when it turns WAL on: a power cut could then take back what the
        // folders already show.
        try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        let migrator = Schema.migrator
        if try database.read(migrator.hasBeenSuperseded) { throw LedgerError.newer(path: path) }
        try migrator.migrate(database)
        return database
    }

    /// By a connection that cannot write, so that a damaged file is kept as it was found.
    private static func check(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        var configuration = Configuration()
        configuration.readonly = true
        let database = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? database.close() }
        let verdict = try database.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
        guard verdict == "ok" else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: verdict) }
    }

    /// Moves what the journal holds into the file. Calls after it fail.
    package func close() {
        // What cannot be moved now stays in the journal and is read from there.
        _ = try? database.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try? database.close()
    }

    /// How safe a transaction is once it is told to be done: `wal` and 2 (FULL), or something has changed it.
    package nonisolated func durability() throws(LedgerError) -> (journal: String, synchronous: Int) {
        do {
            return try database.writeWithoutTransaction { database in
                let journal = try String.fetchOne(database, sql: "PRAGMA journal_mode")
                let synchronous = try Int.fetchOne(database, sql: "PRAGMA synchronous")
                return (journal ?? "", synchronous ?? 0)
            }
        } catch {
            throw Self.wrapped(error, path)
        }
    }

    // MARK: Transactions

    /// One transaction. It is not given up when the calling task is cancelled, unlike GRDB's own async calls: what a
    /// worker has published must be written down, above all while the service stops.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(LedgerError) -> Value {
        let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
            database.asyncWrite(body) { _, result in continuation.resume(returning: result) }
        }
        do { return try result.get() } catch { throw Self.wrapped(error, path) }
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(LedgerError) -> Value {
        let result: Result<Value, any Error> = await withCheckedContinuation { continuation in
            database.asyncRead { database in
                continuation.resume(returning: Result { try body(database.get()) })
            }
        }
        do { return try result.get() } catch { throw Self.wrapped(error, path) }
    }

    // MARK: Faults

    private static func isDamage(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        return code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB
    }

    static func wrapped(_ error: any Error, _ path: String) -> LedgerError {
        if let error = error as? LedgerError { return error }
        guard let error = error as? DatabaseError else { return .database(path: path, reason: "\(error)") }
        if error.resultCode == .SQLITE_FULL { return .diskFull(path: path) }
        let advice = isDamage(error) ? "; stop the service and start it again: a damaged ledger is kept aside then" : ""
        return .database(
            path: path, reason: "\(error.message ?? "SQLite error")\(advice) (\(error.extendedResultCode))")
    }

    /// Under another name with its companions, which belong to it: nobody works on with it, nothing is lost.
    private static func putAside(_ path: String, _ error: any Error) -> LedgerError {
        let reason = (error as? DatabaseError)?.message ?? "\(error)"
        let files = FileManager.default
        var number = 1
        while files.fileExists(atPath: "\(path).damaged-\(number)") { number += 1 }
        let kept = "\(path).damaged-\(number)"
        do {
            // The journal first: left behind, it would be played into the new file.
            for tail in ["-wal", "-shm"] where files.fileExists(atPath: path + tail) {
                try files.moveItem(atPath: path + tail, toPath: kept + tail)
            }
            try files.moveItem(atPath: path, toPath: kept)
        } catch {
            return .damagedInPlace(path: path, reason: reason)
        }
        return .damaged(path: path, keptAs: kept, reason: reason)
    }
}
