// Files by descriptor, with paths as bytes. Every call may block: callers are on a thread of `Blocking`.

internal import Glibc

/// An `errno`, with what was done to which file.
struct FileError: Error, CustomStringConvertible {
    let code: Int32
    let doing: String
    let path: [UInt8]

    var description: String { "cannot \(doing) \(shown(path)): \(String(cString: strerror(code)))" }
}

/// For one line of a message: control characters escaped, bytes that are no UTF-8 as U+FFFD.
func shown(_ path: [UInt8]) -> String {
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

/// A C string of a path. A NUL would silently name another file.
func withPath<Value>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Value) throws(FileError) -> Value {
    guard !path.isEmpty, !path.contains(0) else {
        throw FileError(code: EINVAL, doing: "use the path", path: path)
    }
    let value: Value? = (path + [0]).withUnsafeBufferPointer { bytes in
        bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.map(body) }
    }
    guard let value else { throw FileError(code: EINVAL, doing: "use the path", path: path) }
    return value
}

/// Two paths for one call, as renaming takes them.
func withPaths<Value>(
    _ old: [UInt8], _ new: [UInt8], _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Value
) throws(FileError) -> Value {
    let result: Result<Value, FileError> = try withPath(old) { old in
        Result { () throws(FileError) in try withPath(new) { body(old, $0) } }
    }
    return try result.get()
}

/// Owns a descriptor: the last reference closes it.
final class File: Sendable {
    let descriptor: Int32
    let path: [UInt8]

    private init(descriptor: Int32, path: [UInt8]) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Follows links: for paths that the operator gave.
    convenience init(reading path: [UInt8]) throws(FileError) {
        try self.init(path, flags: O_RDONLY, doing: "read")
    }

    convenience init(folder path: [UInt8]) throws(FileError) {
        try self.init(path, flags: O_RDONLY | O_DIRECTORY, doing: "open the folder")
    }

    private convenience init(_ path: [UInt8], flags: Int32, doing: String) throws(FileError) {
        let descriptor = try withPath(path) { Glibc.open($0, flags | O_CLOEXEC) }
        guard descriptor >= 0 else { throw FileError(code: errno, doing: doing, path: path) }
        self.init(descriptor: descriptor, path: path)
    }

    /// One step down, never over a link; `name` is one component.
    func open(_ name: [UInt8], flags: Int32, mode: mode_t = 0, doing: String) throws(FileError) -> File {
        let below = path + [UInt8(ascii: "/")] + name
        let child = try withPath(name) { openat(descriptor, $0, flags | O_NOFOLLOW | O_CLOEXEC, mode) }
        guard child >= 0 else { throw FileError(code: errno, doing: doing, path: below) }
        return File(descriptor: child, path: below)
    }

    func folder(_ name: [UInt8]) throws(FileError) -> File {
        try open(name, flags: O_RDONLY | O_DIRECTORY, doing: "open the folder")
    }

    static func create(_ path: [UInt8], mode: mode_t, holding bytes: [UInt8]) throws(FileError) {
        let descriptor = try withPath(path) { Glibc.open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) }
        guard descriptor >= 0 else { throw FileError(code: errno, doing: "create", path: path) }
        let file = File(descriptor: descriptor, path: path)
        try file.write(bytes)
        try file.synchronise()
    }

    func status() throws(FileError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError(code: errno, doing: "examine", path: path) }
        return status
    }

    func write(_ bytes: [UInt8]) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(code: errno, doing: "write", path: path)
            }
            written += count
        }
    }

    /// Up to `count` bytes from `offset`; fewer only at the end of the file.
    func read(at offset: Int64, count: Int) throws(FileError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let read = pread(
                    descriptor, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(offset) + filled)
                if read < 0 {
                    if errno == EINTR { continue }
                    failure = errno
                    return
                }
                if read == 0 { return }
                filled += read
            }
        }
        guard failure == 0 else { throw FileError(code: failure, doing: "read", path: path) }
        return bytes
    }

    func prefix(_ count: Int) throws(FileError) -> [UInt8] { try read(at: 0, count: count) }

    func synchronise() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw FileError(code: errno, doing: "make durable", path: path) }
    }

    /// Names in a folder, without `.` and `..`, in no order.
    func names() throws(FileError) -> [[UInt8]] {
        // A description of its own: readdir's position would be shared with a duplicate.
        let own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard own >= 0, let stream = fdopendir(own) else {
            if own >= 0 { close(own) }
            throw FileError(code: errno, doing: "list", path: path)
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != [UInt8(ascii: ".")], name != [UInt8(ascii: "."), UInt8(ascii: ".")] { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw FileError(code: errno, doing: "list", path: path) }
        return names
    }
}
