// Third step of intake: does a process have the file open for writing? Best effort: other users' processes cannot be
// looked into, and writers on other machines cannot be seen at all, so the quiet time stays the main test.

internal import Glibc

package struct WriterProbe: Sendable {
    package struct Writer: Hashable, Sendable {
        /// Nil where only the lease told of it.
        package let pid: Int32?
        package init(pid: Int32?) { self.pid = pid }
    }

    /// Those of the files that are open for writing; asked once a round with all that have become still.
    package let writers: @Sendable (_ root: [UInt8], _ files: [FoundFile]) -> [[UInt8]: Writer]

    package init(writers: @escaping @Sendable (_ root: [UInt8], _ files: [FoundFile]) -> [[UInt8]: Writer]) {
        self.writers = writers
    }

    package static let none = WriterProbe { _, _ in [:] }

    package static let system = WriterProbe { root, files in
        var found: [[UInt8]: Writer] = [:]
        var undecided: [FoundFile] = []
        let top = try? OpenFolder(at: root)
        for file in files {
            switch top.map({ lease(on: file, below: $0) }) ?? .unknown {
            case .free: break
            case .held:
                found[file.path] = Writer(pid: nil)
                undecided.append(file)
            case .unknown: undecided.append(file)
            }
        }
        for (path, pid) in processes(writing: undecided) { found[path] = Writer(pid: pid) }
        return found
    }

    private enum Lease { case free, held, unknown }

    /// The kernel grants a read lease only on a file that nobody has open for writing, and only to its owner (or with
    /// CAP_LEASE). It is given back at once.
    private static func lease(on file: FoundFile, below top: OpenFolder) -> Lease {
        let steps = Paths.components(file.path)
        guard let name = steps.last, let open = try? top.descend(steps.dropLast()).openFile(name),
            let entry = try? open.entry(), entry.kind == .file, entry.fingerprint.inode == file.fingerprint.inode
        else { return .unknown }
        // Who opens the file in the moment of the lease waits for us, and we are told by a signal: SIGIO would end the
        // process, SIGURG is ignored where nobody asks for it.
        guard fcntl(open.descriptor, HiddenCalls.setSignal, SIGURG) == 0 else { return .unknown }
        if fcntl(open.descriptor, HiddenCalls.setLease, F_RDLCK) == 0 {
            _ = fcntl(open.descriptor, HiddenCalls.setLease, F_UNLCK)
            return .free
        }
        return errno == EAGAIN ? .held : .unknown
    }

    private struct FileKey: Hashable { let device: UInt64, inode: UInt64 }

    /// One pass over the descriptors of all processes that may be looked into.
    private static func processes(writing files: [FoundFile]) -> [[UInt8]: Int32] {
        guard !files.isEmpty, let proc = try? OpenFolder(at: Array("/proc".utf8)) else { return [:] }
        let paths = Dictionary(
            files.map { (FileKey(device: $0.device, inode: $0.fingerprint.inode), $0.path) },
            uniquingKeysWith: { first, _ in first })
        var found: [[UInt8]: Int32] = [:]
        for name in (try? proc.names()) ?? [] {
            guard let pid = Int32(String(decoding: name, as: UTF8.self)), let process = try? proc.folder(name),
                let open = try? process.folder(Array("fd".utf8)), let numbers = try? open.names()
            else { continue }
            for number in numbers {
                guard let key = target(of: number, in: open), let path = paths[key], found[path] == nil,
                    isWriting(number, in: process)
                else { continue }
                found[path] = pid
            }
        }
        return found
    }

    /// What a link in /proc/PID/fd leads to.
    private static func target(of number: [UInt8], in folder: OpenFolder) -> FileKey? {
        var status = stat()
        let outcome = Result { () throws(SystemError) in
            try SystemError.check(number) { fstatat(folder.descriptor, $0, &status, 0) }
        }
        guard case .success = outcome, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return FileKey(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// `flags:` in /proc/PID/fdinfo/N is octal; its last two bits are the access mode.
    private static func isWriting(_ number: [UInt8], in process: OpenFolder) -> Bool {
        guard let folder = try? process.folder(Array("fdinfo".utf8)), let file = try? folder.openFile(number) else {
            return false
        }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let outcome = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in try file.read(into: buffer) }
        }
        guard case .success(let count) = outcome else { return false }
        for line in String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n") {
            guard line.hasPrefix("flags:") else { continue }
            let flags = Int32(line.dropFirst(6).drop { $0 == "\t" || $0 == " " }, radix: 8) ?? 0
            return flags & O_ACCMODE != O_RDONLY
        }
        return false
    }
}
