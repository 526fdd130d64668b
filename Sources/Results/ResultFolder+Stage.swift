// From a place to a folder to work in.

import Glibc

extension ResultFolder {
    /// Makes the hidden folder, on the file system of the place, in which the result grows. What killed processes
    /// left beside it is removed.
    ///
    /// - Throws: `.refused` where `place()` says so, and where the result is there already.
    package func stage() throws(ResultsError) -> Staging {
        let target: [UInt8]
        switch place() {
        case .new(let path), .replaceInterrupted(let path), .overwrite(let path, _): target = path
        case .refused(let path, let reason): throw .refused(path: path, reason: reason)
        case .skip(let path, _): throw .refused(path: path, reason: "the same result is there already")
        }
        guard case .success(let steps) = checkedSteps(), let name = steps.last else {
            throw .refused(path: target, reason: "the input has no name")
        }
        var generator = SystemRandomNumberGenerator()
        var made: [[UInt8]] = []
        // Each turn after the first follows a race: a parent removed as empty, a name taken, a folder cleaned away.
        for _ in 0..<16 {
            do throws(SystemError) {
                let parent = try openMaking(steps.dropLast(), made: &made)
                TemporaryName.removeLeftovers(in: parent)
                let temporary = TemporaryName.make(for: name, using: &generator)
                try parent.makeFolder(temporary)
                guard let folder = try claim(temporary, in: parent) else { continue }
                return Staging(folder: self, parent: parent, directory: folder, name: temporary, made: made)
            } catch  where error.code == ENOENT || error.code == EEXIST {
                continue
            } catch {
                Self.removeEmpty(made)
                throw .creating(target, error.code)
            }
        }
        Self.removeEmpty(made)
        throw .creating(target, EBUSY)
    }

    /// Locks the new folder. Nil if another process took it for a leftover in the moment before.
    private func claim(_ name: [UInt8], in parent: Directory) throws(SystemError) -> Directory? {
        let folder = try parent.folder(name)
        do throws(SystemError) {
            guard try folder.lock() else { return nil }
        } catch  where error.code == EBADF || error.code == ENOLCK || error.code == EOPNOTSUPP {
            return folder  // no locks of folders here (NFS): nobody else can take them for leftovers either
        }
        guard let there = try? parent.status(name), there.isSame(as: try folder.ownStatus()) else { return nil }
        return folder
    }

    /// Opens the way below the root and makes what is missing of it, durably; `made` collects what was made.
    private func openMaking(_ steps: some Sequence<[UInt8]>, made: inout [[UInt8]]) throws(SystemError) -> Directory {
        var folder = try Self.openMaking(root, made: &made)
        for step in steps { folder = try Self.openMaking(step, in: folder, made: &made) }
        return folder
    }

    static func openMaking(_ path: [UInt8], made: inout [[UInt8]]) throws(SystemError) -> Directory {
        do throws(SystemError) {
            return try Directory(at: path)
        } catch  where error.code == ENOENT {
            guard let name = PathBytes.lastComponent(path) else { throw error }
            let above = try openMaking(parentPath(path), made: &made)
            // Then again by the whole path, so that its last step may be a link or `..`, as the user wrote it.
            try make(name, in: above, path: path, made: &made)
            return try Directory(at: path)
        }
    }

    private static func openMaking(
        _ name: [UInt8], in folder: Directory, made: inout [[UInt8]]
    ) throws(SystemError) -> Directory {
        do throws(SystemError) {
            return try folder.folder(name)
        } catch  where error.code == ENOENT {
            try make(name, in: folder, path: PathBytes.join(folder.path, name), made: &made)
            return try folder.folder(name)
        }
    }

    private static func make(
        _ name: [UInt8], in folder: Directory, path: [UInt8], made: inout [[UInt8]]
    ) throws(SystemError) {
        do throws(SystemError) {
            try folder.makeFolder(name)
            if !made.contains(path) { made.append(path) }
            try folder.sync()
        } catch  where error.code == EEXIST {
            return  // another process, at the same moment
        }
    }

    /// What stands before the last name; `.` or `/` where nothing does.
    static func parentPath(_ path: [UInt8]) -> [UInt8] {
        var rest = path[...]
        while rest.last == PathBytes.slash { rest.removeLast() }
        while let last = rest.last, last != PathBytes.slash { rest.removeLast() }
        while rest.count > 1, rest.last == PathBytes.slash { rest.removeLast() }
        return rest.isEmpty ? [PathBytes.dot] : Array(rest)
    }

    /// Takes back folders that were made for nothing; those that others use by now are not empty and stay.
    static func removeEmpty(_ made: [[UInt8]]) {
        for path in made.reversed() { _ = try? SystemError.check(path) { rmdir($0) } }
    }
}
