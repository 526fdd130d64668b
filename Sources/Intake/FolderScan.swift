// First step of intake: what lies in the watched folder now. A walk by descriptors that follows no link.

internal import Glibc

/// Why a name in the watched folder is no input.
package enum IgnoreReason: Hashable, Sendable {
    case pattern(String)
    case symbolicLink
    case notAFile
    case tooLarge(limitBytes: Int64)
    case tooDeep
    case pathTooLong
}

extension IgnoreReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .pattern(let text): "its name matches the ignore pattern '\(text)'"
        case .symbolicLink: "it is a symbolic link, and links are not followed"
        case .notAFile: "it is no regular file"
        case .tooLarge(let limit): "it is larger than watch.max_file_bytes, \(limit) bytes"
        case .tooDeep: "it lies more than \(FolderScan.deepest) folders deep"
        case .pathTooLong: "its path is too long to be opened"
        }
    }
}

package struct ScanResult: Sendable {
    package struct Ignored: Hashable, Sendable {
        package let path: [UInt8]
        package let reason: IgnoreReason

        package init(path: [UInt8], reason: IgnoreReason) {
            self.path = path
            self.reason = reason
        }
    }

    package struct Unreadable: Hashable, Sendable {
        package let path: [UInt8]
        package let reason: String
    }

    package internal(set) var files: [FoundFile] = []
    package internal(set) var ignored: [Ignored] = []
    /// Folders, or names in them, of which nothing could be learned; what lies below them is unknown, not gone.
    package internal(set) var unreadable: [Unreadable] = []
    /// Folders that were listed, with the device that each lies on.
    package internal(set) var folders: [[UInt8]: UInt64] = [:]
    package let rootDevice: UInt64
    package let rootInode: UInt64

    /// Neither a file nor a folder; ignored names do not count.
    package var isEmpty: Bool { files.isEmpty && unreadable.isEmpty && folders.count <= 1 }
}

package struct FolderScan: Sendable {
    /// Folders below the root.
    static let deepest = 64
    /// Room for the root of a mirrored place, a suffix and a temporary name.
    private static let longestPath = Int(PATH_MAX) - 300

    package let root: [UInt8]
    package let ignore: IgnoreRules

    package init(root: [UInt8], ignore: IgnoreRules = .standard) {
        self.root = root
        self.ignore = ignore
    }

    /// All that lies below the root. Sub-folders that vanish meanwhile are no errors.
    ///
    /// - Throws: where the root itself cannot be opened or listed.
    package func everything() throws(IntakeError) -> ScanResult { try parts(folders: [], trees: [[]]) }

    /// `folders` without their sub-folders, `trees` with them; those that are not there any more are passed over.
    package func parts(folders: Set<[UInt8]>, trees: Set<[UInt8]>) throws(IntakeError) -> ScanResult {
        do throws(SystemError) {
            let top = try OpenFolder(at: root)
            let own = try top.ownEntry()
            var result = ScanResult(rootDevice: own.device, rootInode: own.fingerprint.inode)
            for tree in trees { try visit(tree, from: top, deep: true, into: &result) }
            for folder in folders where result.folders[folder] == nil {
                try visit(folder, from: top, deep: false, into: &result)
            }
            return result
        } catch {
            throw .failed("read the watched folder", root, error)
        }
    }

    /// Single files, as far as they are there; nil in their place where they are not.
    func files(_ paths: [[UInt8]]) throws(IntakeError) -> (root: FileEntry, files: [FoundFile?]) {
        do throws(SystemError) {
            let top = try OpenFolder(at: root)
            var open: (path: [UInt8], folder: OpenFolder?) = ([], top)
            var files: [FoundFile?] = []
            for path in paths {
                let parent = Paths.parent(path)
                if parent != open.path { open = (parent, try? top.descend(Paths.components(parent))) }
                let entry = try? Paths.components(path).last.flatMap { name throws(SystemError) in
                    try open.folder?.entry(name)
                }
                files.append(
                    entry.flatMap { entry in
                        guard entry.kind == .file else { return nil }
                        return FoundFile(path: path, fingerprint: entry.fingerprint, device: entry.device)
                    })
            }
            return (try top.ownEntry(), files)
        } catch {
            throw .failed("read the watched folder", root, error)
        }
    }

    private func visit(
        _ path: [UInt8], from top: OpenFolder, deep: Bool, into result: inout ScanResult
    ) throws(SystemError) {
        let steps = Paths.components(path)
        // A folder that is ignored stays so when it is named by an event.
        guard !steps.contains(where: { ignore.match($0) != nil }) else { return }
        do throws(SystemError) {
            let folder = try top.descend(steps)
            try list(folder, path: path, depth: steps.count, deep: deep, into: &result)
        } catch  where !path.isEmpty {
            note(error, at: path, into: &result)
        }
    }

    private func list(
        _ folder: OpenFolder, path: [UInt8], depth: Int, deep: Bool, into result: inout ScanResult
    ) throws(SystemError) {
        let names = try folder.names()
        result.folders[path] = try folder.ownEntry().device
        for name in names {
            let child = Paths.join(path, name)
            if let pattern = ignore.match(name) {
                result.ignored.append(.init(path: child, reason: .pattern(pattern)))
                continue
            }
            do throws(SystemError) {
                let entry = try folder.entry(name)
                switch entry.kind {
                case .file where root.count + child.count > Self.longestPath:
                    result.ignored.append(.init(path: child, reason: .pathTooLong))
                case .file:
                    result.files.append(
                        FoundFile(path: child, fingerprint: entry.fingerprint, device: entry.device))
                case .folder where depth >= Self.deepest:
                    result.ignored.append(.init(path: child, reason: .tooDeep))
                case .folder where deep:
                    try list(try folder.folder(name), path: child, depth: depth + 1, deep: true, into: &result)
                case .folder: break
                case .link: result.ignored.append(.init(path: child, reason: .symbolicLink))
                case .other: result.ignored.append(.init(path: child, reason: .notAFile))
                }
            } catch {
                note(error, at: child, into: &result)
            }
        }
    }

    /// What vanished between two calls, or became something else, is no error: the next scan sees what is there then.
    private func note(_ error: SystemError, at path: [UInt8], into result: inout ScanResult) {
        if [ENOENT, ENOTDIR, ELOOP].contains(error.code) { return }
        result.unreadable.append(.init(path: path, reason: error.text))
    }
}
