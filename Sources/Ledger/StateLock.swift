// One daemon for each state folder: a lock on a file in it (flock(2)) for as long as the process lives. The kernel
// lets go when the process ends, however it ends, so there is no stale lock.

package import Foundation
import Glibc

package final class StateLock: Sendable {
    package let folder: String
    private let descriptor: Int32

    /// - Parameters:
    ///   - fileSystem: the type of file system of a folder, as `nfs4`; injectable, as tests have no NFS.
    ///   - now: for the note that others read in their error message.
    package init(
        folder: String, now: Date = .now, fileSystem: (String) -> String? = FileSystemType.system
    ) throws(LedgerError) {
        self.folder = folder
        if let type = fileSystem(folder), FileSystemType.isNetwork(type) {
            throw .networkFileSystem(folder: folder, name: type)
        }
        let path = folder + "/emotiond.lock"
        descriptor = try Self.locked(path, folder)
        let note = Array("pid \(getpid()), since \(now.ISO8601Format())\n".utf8)
        // The lock holds without the note too.
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, note, note.count, 0)
    }

    deinit { close(descriptor) }

    private static func locked(_ path: String, _ folder: String) throws(LedgerError) -> Int32 {
        // Somebody may remove the file between open and flock; a lock on a file without a name excludes nobody.
        for _ in 0..<100 {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
            guard descriptor >= 0 else { throw .lock(path: path, reason: String(cString: strerror(errno))) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                defer { close(descriptor) }
                guard code == EWOULDBLOCK else { throw .lock(path: path, reason: String(cString: strerror(code))) }
                throw .held(folder: folder, holder: holder(descriptor))
            }
            var held = stat(), named = stat()
            if fstat(descriptor, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino {
                return descriptor
            }
            close(descriptor)
        }
        throw .lock(path: path, reason: "the file is being replaced all the time")
    }

    private static func holder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let note = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        let line = note.trimmingCharacters(in: .whitespacesAndNewlines)
        return line.isEmpty ? "starting just now" : line
    }
}
