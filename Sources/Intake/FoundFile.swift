// What the file system says of a name, and the part of it by which a file is known again.

internal import Glibc

/// Two observations with equal fingerprints are of the same file with the same content, as far as a look from
/// outside can tell. The device is no part of it: its number may change with every mount.
package struct Fingerprint: Hashable, Sendable, Codable {
    package let sizeBytes: Int64
    package let mtimeNanoseconds: Int64
    package let inode: UInt64

    package init(sizeBytes: Int64, mtimeNanoseconds: Int64, inode: UInt64) {
        self.sizeBytes = sizeBytes
        self.mtimeNanoseconds = mtimeNanoseconds
        self.inode = inode
    }
}

/// A regular file below the watched folder.
package struct FoundFile: Hashable, Sendable {
    /// Below the watched folder.
    package let path: [UInt8]
    package let fingerprint: Fingerprint
    package let device: UInt64

    package init(path: [UInt8], fingerprint: Fingerprint, device: UInt64) {
        self.path = path
        self.fingerprint = fingerprint
        self.device = device
    }
}

struct FileEntry {
    enum Kind { case file, folder, link, other }

    let kind: Kind
    let fingerprint: Fingerprint
    let device: UInt64
    /// Permission bits.
    let mode: UInt32

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        let time = status.st_mtim
        // Wrapping, as a hostile file system may give any seconds; it only must be the same for the same file.
        let nanoseconds = Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
        fingerprint = Fingerprint(
            sizeBytes: Int64(status.st_size), mtimeNanoseconds: nanoseconds, inode: UInt64(status.st_ino))
        device = UInt64(status.st_dev)
        mode = UInt32(status.st_mode & 0o777)
    }

    init(descriptor: Int32) throws(SystemError) {
        var status = stat()
        try SystemError.check { fstat(descriptor, &status) }
        self.init(status)
    }
}
