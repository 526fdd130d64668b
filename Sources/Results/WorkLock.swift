// One process at a time in a work folder: for whoever gives out jobs.

import Glibc

/// Held until it is released or forgotten, and given back when the process is killed.
package final class WorkLock {
    private let path: [UInt8]
    private let directory: Directory

    /// Nil where another process holds it. Makes the folder where it is missing.
    package init?(folder path: [UInt8]) throws(ResultsError) {
        self.path = path
        do throws(SystemError) {
            _ = PathBytes.withCString(path) { mkdir($0, 0o777) }
            directory = try Directory(at: path)
            guard try directory.lock() else { return nil }
        } catch {
            throw .io(action: "lock", path: path, code: error.code)
        }
    }

    /// Takes the folder away too, where nothing is left in it.
    package func release() {
        _ = try? SystemError.check(path) { rmdir($0) }
        _ = try? SystemError.check { flock(directory.descriptor, LOCK_UN) }
    }
}
