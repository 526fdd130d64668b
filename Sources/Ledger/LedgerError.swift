// What can go wrong with the service's memory, each with the way out.

package enum LedgerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process has the state folder.
    case held(folder: String, holder: String)
    case networkFileSystem(folder: String, name: String)
    case lock(path: String, reason: String)
    /// The file was no sound database; it lies under the other name now, and a new one will be made.
    case damaged(path: String, keptAs: String, reason: String)
    /// Damaged, and it could not be renamed: nothing was changed.
    case damagedInPlace(path: String, reason: String)
    /// Written by a later version of the program.
    case newer(path: String)
    case diskFull(path: String)
    case database(path: String, reason: String)

    package var description: String {
        switch self {
        case .held(let folder, let holder):
            "\(folder) is in use by another emotiond (\(holder)); stop that one, or give this one another folder"
        case .networkFileSystem(let folder, let name):
            "\(folder) lies on a network file system (\(name)), where locks and SQLite cannot be relied on; "
                + "put the state folder on a local disk (incoming and results may stay where they are)"
        case .lock(let path, let reason):
            "\(path) cannot be locked: \(reason); the folder must exist and belong to the service's user"
        case .damaged(let path, let keptAs, let reason):
            "\(path) is damaged (\(reason)); it was kept as \(keptAs). Put a backup in its place, or start again: "
                + "a new ledger is made, and the inputs that still lie in incoming are taken in anew"
        case .damagedInPlace(let path, let reason):
            "\(path) is damaged (\(reason)) and could not be put aside; move it away together with its -wal and -shm"
        case .newer(let path):
            "\(path) was written by a later version of emotiond; use that version, or a backup from before"
        case .diskFull(let path):
            "\(path) cannot grow: the disk is full; make room, and the service goes on by itself"
        case .database(let path, let reason):
            "\(path): \(reason)"
        }
    }
}
