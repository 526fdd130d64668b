// Whole trees: removing, syncing, and the renames that make a result visible.

import Glibc

extension Directory {
    /// Removes what stands at a name with all below it; links are removed, not followed. Gone already is fine.
    func removeTree(_ name: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            if try status(name).kind == .folder {
                let inner = try folder(name)
                for child in try inner.names() { try inner.removeTree(child) }
                try SystemError.check(name) { unlinkat(descriptor, $0, Int32(AT_REMOVEDIR)) }
            } else {
                try SystemError.check(name) { unlinkat(descriptor, $0, 0) }
            }
        } catch  where error.code == ENOENT {
            return
        }
    }

    /// Every file and folder below, then this folder itself, is on the disk when this returns.
    func syncTree() throws(SystemError) {
        for name in try names() {
            switch try status(name).kind {
            case .folder: try folder(name).syncTree()
            case .file:
                let file = try SystemError.check(name) { openat(descriptor, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
                defer { close(file) }
                try SystemError.check { fsync(file) }
            case .link, .other: break
            }
        }
        try sync()
    }

    func sync() throws(SystemError) {
        do throws(SystemError) {
            try SystemError.check { fsync(descriptor) }
        } catch  where error.code == EINVAL {
            return  // some network and FUSE file systems know no fsync of folders
        }
    }

    /// Takes the folder's lock if nobody has it. It goes with the descriptor, so also when the process is killed.
    func lock() throws(SystemError) -> Bool {
        do throws(SystemError) {
            try SystemError.check { flock(descriptor, LOCK_EX | LOCK_NB) }
            return true
        } catch  where error.code == EWOULDBLOCK {
            return false
        }
    }

    /// Renames a folder unless the new name is taken (EEXIST or ENOTEMPTY then).
    func renameFolder(_ old: [UInt8], toFree new: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            try rename(old, new, flags: RenameAt.noReplace)
        } catch  where RenameAt.isMissing(error.code) {
            // A plain rename of a folder replaces at most an empty folder, so nothing can be lost.
            try SystemError.check(old) { from in
                PathBytes.withCString(new) { renameat(descriptor, from, descriptor, $0) }
            }
        }
    }

    /// Swaps two folders, so that no moment sees neither.
    func swapFolders(_ a: [UInt8], _ b: [UInt8], aside: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            try rename(a, b, flags: RenameAt.exchange)
        } catch  where RenameAt.isMissing(error.code) {
            try swapInSteps(a, b, aside: aside)
        }
    }

    /// For file systems that cannot swap: for a moment `b` is absent. If the second step fails the first is undone.
    func swapInSteps(_ a: [UInt8], _ b: [UInt8], aside: [UInt8]) throws(SystemError) {
        try renameFolder(b, toFree: aside)
        do throws(SystemError) {
            try renameFolder(a, toFree: b)
        } catch {
            try renameFolder(aside, toFree: b)
            throw error
        }
        try renameFolder(aside, toFree: a)
    }

    private func rename(_ old: [UInt8], _ new: [UInt8], flags: UInt32) throws(SystemError) {
        guard let call = RenameAt.function else { throw SystemError(code: ENOSYS) }
        guard !new.contains(0) else { throw SystemError(code: EINVAL) }
        try SystemError.check(old) { from in
            PathBytes.withCString(new) { call(descriptor, from, descriptor, $0, flags) }
        }
    }
}

/// renameat2 of glibc 2.28. Its declaration hides behind _GNU_SOURCE, which Swift's Glibc module does not define, and
/// syscall(2) has variable arguments, which Swift cannot call; so it is looked up by name.
private enum RenameAt {
    typealias Function =
        @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

    static let noReplace: UInt32 = 1
    static let exchange: UInt32 = 2

    static var function: Function? {
        guard let symbol = dlsym(nil, "renameat2") else { return nil }
        return unsafeBitCast(symbol, to: Function.self)
    }

    /// The kernel or the file system does not know the flag.
    static func isMissing(_ code: Int32) -> Bool { code == EINVAL || code == ENOSYS || code == EOPNOTSUPP }
}
