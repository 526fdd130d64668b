// An upload into a plain folder: under a hidden name until it is whole, then renamed into place.

internal import Glibc

/// The sink for a watched folder: the intake ignores hidden names, so it sees the file whole or not at all.
package actor FolderUpload: UploadSink {
    private let file: File
    private let folder: File
    private let temporary: [UInt8]
    private let name: [UInt8]
    private let path: [UInt8]

    private init(file: File, folder: File, temporary: [UInt8], name: [UInt8], path: [UInt8]) {
        self.file = file
        self.folder = folder
        self.temporary = temporary
        self.name = name
        self.path = path
    }

    /// - Parameters:
    ///   - path: relative; folders on the way are made, links are never followed.
    ///   - root: the watched folder.
    /// - Throws: `ServiceRefusal`: the name is taken or unfit, the disk is full; `unavailable` for the rest.
    package static func open(_ path: [UInt8], below root: [UInt8]) async throws -> FolderUpload {
        let relative: RelativePath
        do {
            relative = try RelativePath(bytes: path, hiddenAllowed: false)
        } catch {
            throw ServiceRefusal.invalid(error.description)
        }
        return try await Blocking.run {
            do {
                return try prepare(relative, below: root)
            } catch let error as FileError {
                throw refusal(error, path: path)
            }
        }
    }

    private static func prepare(_ path: RelativePath, below root: [UInt8]) throws -> FolderUpload {
        var folder = try File(folder: root)
        for component in path.components.dropLast() {
            let made = try withPath(component) { mkdirat(folder.descriptor, $0, 0o770) }
            if made != 0, errno != EEXIST {
                throw FileError(code: errno, doing: "make the folder", path: folder.path + [slash] + component)
            }
            folder = try folder.folder(component)
        }
        guard let name = path.components.last else { throw ServiceRefusal.invalid("the path is empty") }
        // Before the bytes come, not after 20 GB of them; the rename is what decides.
        var status = stat()
        if try withPath(name, { fstatat(folder.descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 {
            throw FileError(code: EEXIST, doing: "create", path: path.bytes)
        }
        let temporary = temporaryName(for: name)
        let file = try folder.open(
            temporary, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o660, doing: "create the upload")
        return FolderUpload(file: file, folder: folder, temporary: temporary, name: name, path: path.bytes)
    }

    package func write(_ bytes: [UInt8]) async throws {
        try await perform { [file] in try file.write(bytes) }
    }

    package func finish() async throws {
        try await perform { [file, folder, temporary, name] in
            try file.synchronise()
            try Renaming.withoutReplacing(temporary, to: name, in: folder)
            try folder.synchronise()
        }
    }

    package func abandon() async {
        let (folder, temporary) = (folder, temporary)
        // A task of its own: a cancelled one does no work on other threads, and this work is to be done above all then.
        // Nothing more can be done about a file that cannot be removed; the next scan ignores it.
        _ = await Task {
            try? await Blocking.run { try withPath(temporary) { unlinkat(folder.descriptor, $0, 0) } }
        }.value
    }

    private func perform(_ body: @escaping @Sendable () throws -> Void) async throws {
        do {
            try await Blocking.run(body)
        } catch let error as FileError {
            throw Self.refusal(error, path: path)
        }
    }

    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")
    /// Ours alone, so that what a killed daemon left can be told from other programs' hidden files.
    private static let ending = Array(".emotiond-upload".utf8)

    /// Cut so that the name fits, whatever the length of the final one.
    private static func temporaryName(for name: [UInt8]) -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        let suffix = Array(("." + String(random.next(), radix: 16)).utf8) + ending
        return [dot] + name.prefix(RelativePath.longestName - suffix.count - 1) + suffix
    }

    private static func refusal(_ error: FileError, path: [UInt8]) -> ServiceRefusal {
        switch error.code {
        case EEXIST:
            .conflict("a file of the name \(shown(path)) is already there; choose another name")
        case ENOSPC, EDQUOT:
            .noSpace("the disk is full: \(error)")
        case ENOTDIR, ELOOP:
            .conflict("a part of \(shown(path)) is a file or a link, not a folder")
        case ENAMETOOLONG:
            .invalid("a name in \(shown(path)) is too long for the file system")
        default:
            .unavailable(error.description)
        }
    }
}

extension FolderUpload {
    private static let deepest = 64

    /// Removes what uploads left that a kill or a power cut ended; only for a time when none can be under way, as before
    /// the server starts. Links are not followed.
    /// - Returns: how many there were.
    package static func removeLeftovers(below root: [UInt8]) async throws -> Int {
        try await Blocking.run {
            do {
                return try removeLeftovers(in: File(folder: root), depth: 0)
            } catch let error as FileError {
                throw refusal(error, path: root)
            }
        }
    }

    private static func removeLeftovers(in folder: File, depth: Int) throws(FileError) -> Int {
        var count = 0
        for name in try folder.names() {
            var status = stat()
            guard try withPath(name, { fstatat(folder.descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
                continue
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG where name.first == dot && name.suffix(ending.count) == ending[...]:
                if try withPath(name, { unlinkat(folder.descriptor, $0, 0) }) == 0 { count += 1 }
            case S_IFDIR where depth < deepest:
                // A folder that is not ours to read has nothing of ours in it.
                guard let child = try? folder.folder(name) else { continue }
                count += try removeLeftovers(in: child, depth: depth + 1)
            default:
                continue
            }
        }
        return count
    }
}

enum Renaming {
    private typealias Function =
        @convention(c) (CInt, UnsafePointer<CChar>, CInt, UnsafePointer<CChar>, CUnsignedInt) -> CInt

    /// glibc declares renameat2 for _GNU_SOURCE only, which Swift's module of it does not define; so it is looked up.
    private static func function() -> Function? {
        dlsym(nil, "renameat2").map { unsafeBitCast($0, to: Function.self) }
    }

    static func withoutReplacing(_ old: [UInt8], to new: [UInt8], in folder: File) throws(FileError) {
        let noReplace: CUnsignedInt = 1
        var result: CInt = -1
        var code = ENOSYS
        if let function = function() {
            result = try withPaths(old, new) { function(folder.descriptor, $0, folder.descriptor, $1, noReplace) }
            code = errno
        }
        // Some file systems know no flags: there a second name is made, which also refuses a taken one.
        if result != 0, code == EINVAL || code == ENOSYS {
            result = try withPaths(old, new) { linkat(folder.descriptor, $0, folder.descriptor, $1, 0) }
            code = errno
            if result == 0 { _ = try withPath(old) { unlinkat(folder.descriptor, $0, 0) } }
        }
        guard result == 0 else { throw FileError(code: code, doing: "rename to", path: folder.path + [47] + new) }
    }
}
