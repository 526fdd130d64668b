// A published result as a list of files, and one of them to read. Nothing outside its folder can be reached: every
// component is opened below the one before, and none may be a link.

internal import Glibc

struct ResultFolder: Sendable {
    static let mostFiles = 10_000

    let path: [UInt8]

    /// All files, with those of sub-folders (`frames/`), by name. Hidden ones are no part of a result.
    func files() throws(FileError) -> [ResultFileView] {
        var found: [ResultFileView] = []
        try collect(File(folder: path), prefix: [], depth: 0, into: &found)
        return found.sorted { $0.path < $1.path }
    }

    private func collect(
        _ folder: File, prefix: [UInt8], depth: Int, into found: inout [ResultFileView]
    ) throws(FileError) {
        for name in try folder.names() where name.first != UInt8(ascii: ".") && found.count < Self.mostFiles {
            var status = stat()
            guard try withPath(name, { fstatat(folder.descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0 else {
                continue
            }
            let relative = prefix + name
            switch status.st_mode & S_IFMT {
            case S_IFREG:
                found.append(
                    ResultFileView(
                        path: String(decoding: relative, as: UTF8.self), bytes: Int64(status.st_size),
                        type: MediaTypes.of(relative), modifiedAt: Double(status.st_mtim.tv_sec)))
            case S_IFDIR where depth == 0:
                try collect(folder.folder(name), prefix: relative + [UInt8(ascii: "/")], depth: depth + 1, into: &found)
            default:
                continue
            }
        }
    }

    /// nil: there is no such file, or it is no plain one.
    func open(_ relative: RelativePath) throws(FileError) -> OpenedFile? {
        do {
            var folder = try File(folder: path)
            for component in relative.components.dropLast() { folder = try folder.folder(component) }
            guard let name = relative.components.last else { return nil }
            // Without O_NONBLOCK a FIFO would hold the thread until somebody writes.
            let file = try folder.open(name, flags: O_RDONLY | O_NONBLOCK, doing: "read")
            let status = try file.status()
            guard status.st_mode & S_IFMT == S_IFREG else { return nil }
            return OpenedFile(
                file: file, size: Int64(status.st_size), modified: Int64(status.st_mtim.tv_sec),
                tag: "\"\(status.st_ino)-\(status.st_size)-\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)\"")
        } catch  where [ENOENT, ENOTDIR, ELOOP, ENXIO].contains(error.code) {
            return nil
        }
    }
}

/// A plain file ready to be sent; it stays this file even if its name goes to another one.
struct OpenedFile: Sendable {
    let file: File
    let size: Int64
    /// Seconds since 1970.
    let modified: Int64
    /// Changes with the content.
    let tag: String
}

enum MediaTypes {
    private static let known: [String: String] = [
        "csv": "text/csv; charset=utf-8", "json": "application/json", "jsonl": "application/x-ndjson",
        "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "mp4": "video/mp4",
        "txt": "text/plain; charset=utf-8",
    ]

    /// By the name's ending; what is not known is only offered for download.
    static func of(_ path: [UInt8]) -> String {
        let ending = path.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).last.map {
            String(decoding: $0, as: UTF8.self).lowercased()
        }
        return ending.flatMap { known[$0] } ?? "application/octet-stream"
    }
}
