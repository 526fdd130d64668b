// The folder of one job in which its unfinished result survives the process: rows, pieces of video, and the
// checkpoint that says how much of them counts.

import Glibc

/// Locks nothing: whoever gives out jobs sees to it that one process at a time works in it.
package final class WorkFolder: ResultFiles {
    package let path: [UInt8]
    let directory: Directory

    /// Opens the folder; makes it, and what is missing above it.
    package init(path: [UInt8]) throws(ResultsError) {
        do throws(SystemError) {
            directory = try Self.openMaking(path)
        } catch {
            throw .creating(path, error.code)
        }
        self.path = path
    }

    private static func openMaking(_ path: [UInt8]) throws(SystemError) -> Directory {
        var made: [[UInt8]] = []
        return try ResultFolder.openMaking(path, made: &made)
    }

    package func path(of file: String) -> [UInt8] { PathBytes.join(path, Array(file.utf8)) }

    /// A new file; one that an earlier run left under this name is replaced.
    package func createFile(_ file: String) throws(ResultsError) -> FileSink {
        try remove([file])
        do throws(SystemError) {
            return FileSink(adopting: try directory.makeFile(Array(file.utf8)), path: path(of: file))
        } catch {
            throw .creating(path(of: file), error.code)
        }
    }

    package func write(_ file: String, _ bytes: [UInt8]) throws(ResultsError) {
        let sink = try createFile(file)
        try sink.write(bytes)
        try sink.close()
    }

    package func makeFolder(_ name: String) throws(ResultsError) {
        do throws(SystemError) {
            try directory.makeFolder(Array(name.utf8))
        } catch  where error.code == EEXIST {
            return
        } catch {
            throw .creating(path(of: name), error.code)
        }
    }

    /// Opens a file of an earlier run to write on behind its first `count` bytes. Nil where it is shorter or absent.
    package func reopenFile(_ file: String, keeping count: Int64) throws(ResultsError) -> FileSink? {
        do throws(SystemError) {
            let flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC
            let descriptor = try SystemError.check(Array(file.utf8)) { openat(directory.descriptor, $0, flags) }
            let sink = FileSink(adopting: descriptor, path: path(of: file), count: count)
            var status = stat()
            try SystemError.check { fstat(descriptor, &status) }
            guard FileStatus(status).kind == .file, status.st_size >= count else { return nil }
            try SystemError.check { ftruncate(descriptor, off_t(count)) }
            guard lseek(descriptor, 0, SEEK_END) == off_t(count) else { throw SystemError(code: errno) }
            return sink
        } catch  where error.code == ENOENT {
            return nil
        } catch {
            throw .writing("go on writing", path(of: file), error.code)
        }
    }

    /// Nil where it is absent.
    package func read(_ file: String, limit: Int) throws(ResultsError) -> [UInt8]? {
        do throws(SystemError) {
            return try directory.read(Array(file.utf8), limit: limit)
        } catch  where error.code == ENOENT {
            return nil
        } catch {
            throw .io(action: "read", path: path(of: file), code: error.code)
        }
    }

    /// Whether a file is there, of so many bytes at least.
    package func holds(_ file: String, bytes: Int64 = 0) -> Bool {
        var status = stat()
        let found = try? SystemError.check(Array(file.utf8)) {
            fstatat(directory.descriptor, $0, &status, AT_SYMLINK_NOFOLLOW)
        }
        return found != nil && FileStatus(status).kind == .file && status.st_size >= bytes
    }

    /// The file is on the disk when this returns.
    package func sync(_ file: String) throws(ResultsError) {
        do throws(SystemError) {
            let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC
            let descriptor = try SystemError.check(Array(file.utf8)) { openat(directory.descriptor, $0, flags) }
            defer { close(descriptor) }
            try SystemError.check { fsync(descriptor) }
        } catch {
            throw .writing("write to the disk", path(of: file), error.code)
        }
    }

    /// The names in a folder below, or in this one, are on the disk when this returns.
    package func syncNames(in folder: String? = nil) throws(ResultsError) {
        do throws(SystemError) {
            try (folder.map { name throws(SystemError) in try directory.folder(Array(name.utf8)) } ?? directory).sync()
        } catch {
            throw .writing("write to the disk", folder.map(path(of:)) ?? path, error.code)
        }
    }

    /// A reader sees the old content or the new one, after a power failure too.
    package func replace(_ file: String, _ bytes: [UInt8]) throws(ResultsError) {
        let new = file + ".new"
        let sink = try createFile(new)
        try sink.write(bytes)
        try sink.sync()
        try sink.close()
        do throws(SystemError) {
            try SystemError.check(Array(new.utf8)) { from in
                file.withCString { renameat(directory.descriptor, from, directory.descriptor, $0) }
            }
            try directory.sync()
        } catch {
            throw .writing("replace", path(of: file), error.code)
        }
    }

    /// Files or whole folders; absent ones are fine.
    package func remove(_ names: [String]) throws(ResultsError) {
        for name in names {
            do throws(SystemError) {
                try directory.removeTree(Array(name.utf8))
            } catch {
                throw .io(action: "remove", path: path(of: name), code: error.code)
            }
        }
    }

    /// Whether files can be moved from here to below `root`, as far as can be known before that is there.
    package func sharesFileSystem(with root: [UInt8]) -> Bool {
        var place = root.isEmpty ? [PathBytes.dot] : root
        while true {
            if let there = try? FileStatus(at: place), let here = try? directory.ownStatus() {
                return there.device == here.device
            }
            let above = ResultFolder.parentPath(place)
            if above == place { return true }
            place = above
        }
    }
}

extension Staging {
    /// Brings finished files of a job into the result, folders with all below them. They stay where they were too (as
    /// hard links), so that a crash before the publish costs nothing; where the file system has no links they move.
    package func take(_ names: [String], from work: WorkFolder) throws(ResultsError) {
        for name in names {
            do throws(SystemError) {
                try directory.link(Array(name.utf8), from: work.directory)
            } catch  where error.code == ENOENT {
                continue
            } catch {
                throw .writing("move into the result", work.path(of: name), error.code)
            }
        }
    }
}

extension Directory {
    fileprivate func link(_ name: [UInt8], from source: Directory) throws(SystemError) {
        if try source.status(name).kind == .folder {
            let from = try source.folder(name)
            try makeFolder(name)
            let to = try folder(name)
            for child in try from.names() { try to.link(child, from: from) }
            return
        }
        do throws(SystemError) {
            try SystemError.check(name) { linkat(source.descriptor, $0, descriptor, $0, 0) }
        } catch  where [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(error.code) {
            try SystemError.check(name) { renameat(source.descriptor, $0, descriptor, $0) }
        }
    }
}
