// An open folder. All work on results goes through descriptors and single names, so that no path is looked up twice
// while somebody else moves things, no link leads out of the output folder, and names may be any bytes.

import Glibc

/// An errno. `ResultsError` is made from it where it is known what was being done.
struct SystemError: Error, Hashable {
    let code: Int32

    /// Runs a call that returns -1 and sets errno; interrupted calls are made again.
    @discardableResult
    static func check(_ call: () -> Int32) throws(SystemError) -> Int32 {
        while true {
            let value = call()
            if value >= 0 { return value }
            let code = errno
            if code != EINTR { throw SystemError(code: code) }
        }
    }

    /// As above for a call that takes a path; errno is read before anything else can change it.
    @discardableResult
    static func check(_ path: [UInt8], _ call: (UnsafePointer<CChar>) -> Int32) throws(SystemError) -> Int32 {
        guard !path.contains(0) else { throw SystemError(code: EINVAL) }
        let outcome = PathBytes.withCString(path) { chars -> Result<Int32, SystemError> in
            Result { () throws(SystemError) in try check { call(chars) } }
        }
        return try outcome.get()
    }
}

final class Directory: Sendable {
    let path: [UInt8]
    let descriptor: Int32

    private init(path: [UInt8], descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Opens a folder by a path of the user, who may use links.
    convenience init(at path: [UInt8]) throws(SystemError) {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        self.init(
            path: path, descriptor: try SystemError.check(path.isEmpty ? [PathBytes.dot] : path) { open($0, flags) })
    }

    /// Opens a folder in this one; not by a link.
    func folder(_ name: [UInt8]) throws(SystemError) -> Directory {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let opened = try SystemError.check(name) { openat(descriptor, $0, flags) }
        return Directory(path: PathBytes.join(path, name), descriptor: opened)
    }

    func makeFolder(_ name: [UInt8]) throws(SystemError) {
        try SystemError.check(name) { mkdirat(descriptor, $0, 0o777) }
    }

    /// A new file for writing; never one that is there already.
    func makeFile(_ name: [UInt8]) throws(SystemError) -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        return try SystemError.check(name) { openat(descriptor, $0, flags, 0o666) }
    }

    /// What stands at a name, links not followed.
    func status(_ name: [UInt8]) throws(SystemError) -> FileStatus {
        var status = stat()
        try SystemError.check(name) { fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }
        return FileStatus(status)
    }

    func ownStatus() throws(SystemError) -> FileStatus {
        var status = stat()
        try SystemError.check { fstat(descriptor, &status) }
        return FileStatus(status)
    }

    /// All names but `.` and `..`, in byte order.
    func names() throws(SystemError) -> [[UInt8]] {
        // A second descriptor, as closedir closes the one it reads, and a fresh one, as readdir moves its offset.
        let reading = try SystemError.check { openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let stream = fdopendir(reading) else {
            let code = errno
            close(reading)
            throw SystemError(code: code)
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = Self.name(of: entry)
            if name != [PathBytes.dot] && name != [PathBytes.dot, PathBytes.dot] { names.append(name) }
            errno = 0
        }
        if errno != 0 { throw SystemError(code: errno) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The name's bytes lie at the end of the entry and end with NUL; the declared array is only the most they can be.
    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
        let start = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
        return Array(UnsafeRawBufferPointer(start: start, count: strlen(start)))
    }

    /// The content of a regular file, refused with EFBIG beyond `limit`.
    func read(_ name: [UInt8], limit: Int) throws(SystemError) -> [UInt8] {
        // Nonblocking, as opening a pipe of that name would wait for its writer.
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = try SystemError.check(name) { openat(descriptor, $0, flags) }
        defer { close(file) }
        var status = stat()
        try SystemError.check { fstat(file, &status) }
        guard FileStatus(status).kind == .file else { throw SystemError(code: EINVAL) }
        guard status.st_size <= limit else { throw SystemError(code: EFBIG) }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let step = bytes.withUnsafeMutableBytes { buffer in
                buffer.baseAddress.map { Glibc.read(file, $0 + filled, buffer.count - filled) } ?? 0
            }
            let code = errno
            if step < 0, code == EINTR { continue }
            if step < 0 { throw SystemError(code: code) }
            if step == 0 { break }
            filled += step
        }
        return Array(bytes[..<filled])
    }
}

/// What the file system says of a name.
struct FileStatus: Hashable {
    enum Kind { case file, folder, link, other }

    let kind: Kind
    let device: UInt64
    let inode: UInt64

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// As the program sees a path of the user, links followed.
    init(at path: [UInt8]) throws(SystemError) {
        var status = stat()
        try SystemError.check(path) { stat($0, &status) }
        self.init(status)
    }

    func isSame(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}

extension SystemError {
    /// The place was free or taken when looked at, and is not any more.
    static func isRace(_ code: Int32) -> Bool { code == EEXIST || code == ENOTEMPTY || code == ENOENT }
}
