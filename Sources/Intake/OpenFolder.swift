// An open folder. Work goes through descriptors and single names, so that no link leads out of the watched folder,
// no path is looked up twice while somebody moves things, and names may be any bytes.

internal import Glibc

final class OpenFolder {
    let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Opens a folder by a path of the operator, who may use links.
    convenience init(at path: [UInt8]) throws(SystemError) {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        self.init(descriptor: try SystemError.check(path.isEmpty ? [Paths.dot] : path) { open($0, flags) })
    }

    /// Opens a folder in this one; not by a link.
    func folder(_ name: [UInt8]) throws(SystemError) -> OpenFolder {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        return OpenFolder(descriptor: try SystemError.check(name) { openat(descriptor, $0, flags) })
    }

    /// Goes down by single names; no links.
    func descend(_ steps: some Sequence<[UInt8]>) throws(SystemError) -> OpenFolder {
        var folder = self
        for step in steps { folder = try folder.folder(step) }
        return folder
    }

    /// As `descend`, and makes durably what is missing.
    func descendMaking(_ steps: some Sequence<[UInt8]>) throws(SystemError) -> OpenFolder {
        var folder = self
        for step in steps { folder = try folder.folderMaking(step) }
        return folder
    }

    private func folderMaking(_ name: [UInt8]) throws(SystemError) -> OpenFolder {
        do throws(SystemError) {
            return try folder(name)
        } catch  where error.code == ENOENT {
            do throws(SystemError) {
                try SystemError.check(name) { mkdirat(descriptor, $0, 0o777) }
                try sync()
            } catch  where error.code == EEXIST {
                return try folder(name)  // made by another process at the same moment
            }
            return try folder(name)
        }
    }

    /// What stands at a name, links not followed.
    func entry(_ name: [UInt8]) throws(SystemError) -> FileEntry {
        var status = stat()
        try SystemError.check(name) { fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }
        return FileEntry(status)
    }

    /// As `entry`; nil where nothing has the name.
    func entryIfAny(_ name: [UInt8]) throws(SystemError) -> FileEntry? {
        do throws(SystemError) {
            return try entry(name)
        } catch  where error.code == ENOENT {
            return nil
        }
    }

    func ownEntry() throws(SystemError) -> FileEntry { try FileEntry(descriptor: descriptor) }

    /// All names but `.` and `..`, in the file system's order.
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
            if name != [Paths.dot] && name != [Paths.dot, Paths.dot] { names.append(name) }
            errno = 0
        }
        let code = errno
        if code != 0 { throw SystemError(code: code) }
        return names
    }

    /// The name ends with NUL; the array that the header declares is only the most it can be.
    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
        let start = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
        return Array(UnsafeRawBufferPointer(start: start, count: strlen(start)))
    }

    /// A file for reading. Nonblocking, as opening a pipe of that name would wait for its writer.
    func openFile(_ name: [UInt8]) throws(SystemError) -> OpenFile {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        return OpenFile(descriptor: try SystemError.check(name) { openat(descriptor, $0, flags) })
    }

    /// A new file for writing; never one that is there already.
    func makeFile(_ name: [UInt8]) throws(SystemError) -> OpenFile {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        return OpenFile(descriptor: try SystemError.check(name) { openat(descriptor, $0, flags, 0o666) })
    }

    /// Gives a name in this folder to a file or folder, there or in another one on the same file system. Throws
    /// EEXIST where the new name is taken, EXDEV between file systems.
    func rename(_ old: [UInt8], toFree new: [UInt8], in other: OpenFolder) throws(SystemError) {
        guard !new.contains(0) else { throw SystemError(code: EINVAL) }
        do throws(SystemError) {
            try SystemError.check(old) { from in
                SystemError.withCString(new) {
                    HiddenCalls.renameToFree(from, in: descriptor, $0, in: other.descriptor)
                }
            }
        } catch  where error.code == EINVAL || error.code == ENOSYS || error.code == EOPNOTSUPP {
            try renameOverPlaceholder(old, to: new, in: other)
        }
    }

    /// For file systems without RENAME_NOREPLACE (NFS, some of FUSE): an empty entry of our own takes the name first,
    /// which fails if anybody has it, and the rename replaces that.
    func renameOverPlaceholder(_ old: [UInt8], to new: [UInt8], in other: OpenFolder) throws(SystemError) {
        let isFolder = try entry(old).kind == .folder
        if isFolder {
            try SystemError.check(new) { mkdirat(other.descriptor, $0, 0o700) }
        } else {
            _ = try other.makeFile(new)
        }
        do throws(SystemError) {
            try rename(old, over: new, in: other)
        } catch {
            _ = try? other.remove(new, folder: isFolder)
            throw error
        }
    }

    /// Replaces what has the name.
    func rename(_ old: [UInt8], over new: [UInt8], in other: OpenFolder) throws(SystemError) {
        guard !new.contains(0) else { throw SystemError(code: EINVAL) }
        try SystemError.check(old) { from in
            SystemError.withCString(new) { renameat(descriptor, from, other.descriptor, $0) }
        }
    }

    func remove(_ name: [UInt8], folder: Bool = false) throws(SystemError) {
        try SystemError.check(name) { unlinkat(descriptor, $0, folder ? Int32(AT_REMOVEDIR) : 0) }
    }

    /// Removes what stands at a name with all below it; links are removed, not followed. Gone already is fine.
    func removeTree(_ name: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            guard try entry(name).kind == .folder else { return try remove(name) }
            let inner = try folder(name)
            for child in try inner.names() { try inner.removeTree(child) }
            try remove(name, folder: true)
        } catch  where error.code == ENOENT {
            return
        }
    }

    func sync() throws(SystemError) {
        do throws(SystemError) {
            try SystemError.check { fsync(descriptor) }
        } catch  where error.code == EINVAL {
            return  // some network and FUSE file systems know no fsync of folders
        }
    }
}
