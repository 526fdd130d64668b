// Folders for one test, and files in them that may have any name and time.

import Foundation
import Glibc
import Intake
import Synchronization
import Testing

/// A folder that goes with the value. Paths below it may be any bytes, so it works by system calls.
final class Scratch: Sendable {
    let path: [UInt8]

    init(in parent: String = "/tmp") throws {
        // mkdtemp(3) puts six letters of its own there.
        var template = Array("\(parent)/intake-\(String(repeating: "X", count: 6))".utf8CString)
        let isMade = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) } != nil
        }
        try #require(isMade, "no folder for a test in \(parent)")
        path = template.dropLast().map { UInt8(bitPattern: $0) }
    }

    deinit { removeAll(path) }

    func callAsFunction(_ name: String) -> [UInt8] { self(Array(name.utf8)) }
    func callAsFunction(_ name: [UInt8]) -> [UInt8] { path + [UInt8(ascii: "/")] + name }

    /// Makes a file with the folders above it. `mtime` is in nanoseconds since 1970.
    @discardableResult
    func file(_ name: String, _ text: String = "content", mtime: Int64? = nil) throws -> Fingerprint {
        try file(Array(name.utf8), text, mtime: mtime)
    }

    @discardableResult
    func file(_ name: [UInt8], _ text: String = "content", mtime: Int64? = nil) throws -> Fingerprint {
        if let slash = name.lastIndex(of: UInt8(ascii: "/")) { try folder(Array(name[..<slash])) }
        let descriptor = open(cString(self(name)), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        try #require(descriptor >= 0, "open: \(errno)")
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
        if let mtime {
            let time = timespec(tv_sec: Int(mtime / 1_000_000_000), tv_nsec: Int(mtime % 1_000_000_000))
            try #require(futimens(descriptor, [time, time]) == 0)
        }
        return try fingerprint(name)
    }

    func append(_ text: String, to name: String) throws {
        let descriptor = open(cString(self(name)), O_WRONLY | O_APPEND | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try #require(write(descriptor, bytes, bytes.count) == bytes.count)
    }

    func folder(_ name: String) throws { try folder(Array(name.utf8)) }

    func folder(_ name: [UInt8]) throws {
        var made: [UInt8] = []
        for step in name.split(separator: UInt8(ascii: "/")) {
            made += (made.isEmpty ? [] : [UInt8(ascii: "/")]) + step
            let result = mkdir(cString(self(made)), 0o755)
            try #require(result == 0 || errno == EEXIST, "mkdir: \(errno)")
        }
    }

    func link(_ name: String, to target: String) throws { try #require(symlink(target, cString(self(name))) == 0) }

    func move(_ old: String, to new: String) throws {
        try #require(rename(cString(self(old)), cString(self(new))) == 0, "rename: \(errno)")
    }

    func remove(_ name: String) { removeAll(self(name)) }

    func text(_ name: String) -> String? { text(Array(name.utf8)) }

    func text(_ name: [UInt8]) -> String? {
        let descriptor = open(cString(self(name)), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }

    func fingerprint(_ name: String) throws -> Fingerprint { try fingerprint(Array(name.utf8)) }

    func fingerprint(_ name: [UInt8]) throws -> Fingerprint { try #require(fingerprintIfAny(name)) }

    func fingerprintIfAny(_ name: [UInt8]) -> Fingerprint? {
        var status = stat()
        guard lstat(cString(self(name)), &status) == 0 else { return nil }
        return Fingerprint(
            sizeBytes: Int64(status.st_size),
            mtimeNanoseconds: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            inode: UInt64(status.st_ino))
    }

    /// All names below, folders with a slash at the end, hidden ones too.
    func tree(_ name: String = "") -> Set<String> {
        var found: Set<String> = []
        func collect(_ path: [UInt8], _ shown: String) {
            for child in children(path) {
                let text = shown + String(decoding: child, as: UTF8.self)
                if isFolder(path + [UInt8(ascii: "/")] + child) {
                    found.insert(text + "/")
                    collect(path + [UInt8(ascii: "/")] + child, text + "/")
                } else {
                    found.insert(text)
                }
            }
        }
        collect(name.isEmpty ? path : self(name), "")
        return found
    }
}

/// Work beside a test, on a thread of its own: two tests that wait for each other's tasks could fill the pool.
final class OwnThread: Sendable {
    private let outcome = Mutex<Result<Void, any Error>?>(nil)

    init(_ work: @escaping @Sendable () throws -> Void) {
        Thread.detachNewThread { [self] in
            let result = Result { try work() }
            outcome.withLock { $0 = result }
        }
    }

    var isFinished: Bool { outcome.withLock { $0 != nil } }

    /// After it is finished: what it threw.
    func check() throws { try outcome.withLock(\.self)?.get() }
}

func cString(_ path: [UInt8]) -> [CChar] { path.map { CChar(bitPattern: $0) } + [0] }

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func isFolder(_ path: [UInt8]) -> Bool {
    var status = stat()
    return lstat(cString(path), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

private func children(_ path: [UInt8]) -> [[UInt8]] {
    guard let stream = opendir(cString(path)) else { return [] }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = readdir(stream) {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
        let start = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
        let name = Array(UnsafeRawBufferPointer(start: start, count: strlen(start)))
        if name != bytes(".") && name != bytes("..") { names.append(name) }
    }
    return names
}

private func removeAll(_ path: [UInt8]) {
    if isFolder(path) {
        chmod(cString(path), 0o755)
        for child in children(path) { removeAll(path + [UInt8(ascii: "/")] + child) }
        rmdir(cString(path))
    } else {
        unlink(cString(path))
    }
}

/// Places for tests of moves between file systems: /tmp and /dev/shm, where they are two.
let hasSecondFileSystem: Bool = {
    var first = stat()
    var second = stat()
    return stat("/tmp", &first) == 0 && stat("/dev/shm", &second) == 0 && first.st_dev != second.st_dev
        && access("/dev/shm", W_OK) == 0
}()

/// Names that break programs which take paths for text.
let hostileNames: [[UInt8]] = [
    bytes("new\nline.mp4"), bytes("tab\t and \u{1B}[31m.mp4"), [0x66, 0xFF, 0xFE, 0x80], bytes("-rf"),
    bytes("a'b\"c$d"),
    bytes("*?[x]"), bytes("\u{FC}n\u{EF}\u{1F642}.jpg"), [UInt8](repeating: UInt8(ascii: "n"), count: 255),
    bytes(String(repeating: "\u{E9}", count: 127)), bytes("back\\slash"), bytes(" leading and trailing "),
]
