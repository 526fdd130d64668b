// A Unix socket at a path: bound where nobody else can reach it, given its mode, then renamed into place. So there is no
// moment at which it has another mode, and one that a dead process left is replaced without a gap.

internal import Glibc
internal import Synchronization

final class SocketFile: Sendable {
    /// For the operator's group, which is what the mode is for.
    private static let mode: mode_t = 0o660

    let path: [UInt8]
    /// Where to bind; `publish` moves it to `path`.
    let bindPath: String
    /// What went wrong after the socket was bound.
    private let failure = Mutex<(any Error)?>(nil)
    private let temporaryFolder: [UInt8]
    /// Device and inode of what was published, so that only that is removed.
    private let published = Mutex<(dev_t, ino_t)?>(nil)

    /// - Throws: `WebError`: a living process listens there, or the path cannot be a socket.
    init(_ path: [UInt8]) throws {
        self.path = path
        let shownPath = ListenAddress.unix(path).description
        func cannot(_ reason: String) -> WebError { .cannotListen(address: shownPath, reason: reason) }

        try Self.refuseIfTaken(path, shownPath)
        let slash = UInt8(ascii: "/")
        let parent = path.lastIndex(of: slash).map { $0 == 0 ? [slash] : Array(path[..<$0]) } ?? [UInt8(ascii: ".")]
        // mkdtemp(3) puts six letters of its own there.
        let name = "/.s" + String(repeating: "X", count: 6)
        var template = (parent + Array(name.utf8)).map { CChar(bitPattern: $0) } + [0]
        guard mkdtemp(&template) != nil else {
            throw cannot("no folder can be made beside it: \(String(cString: strerror(errno)))")
        }
        temporaryFolder = template.dropLast().map { UInt8(bitPattern: $0) }
        let bind = temporaryFolder + Array("/s".utf8)
        var address = sockaddr_un()
        let longest = withUnsafeBytes(of: &address.sun_path) { $0.count }
        guard max(bind.count, path.count) < longest, let text = String(validating: bind, as: UTF8.self) else {
            rmdir(temporaryFolder.map { CChar(bitPattern: $0) } + [0])
            throw cannot("the path is too long for a socket, or no UTF-8: choose a shorter one")
        }
        bindPath = text
    }

    func fail(_ error: any Error) { failure.withLock { $0 = error } }

    func throwFailure() throws(WebError) {
        guard let failure = failure.withLock({ $0 }) else { return }
        throw .cannotListen(address: ListenAddress.unix(path).description, reason: "\(failure)")
    }

    func publish() throws(FileError) {
        let bound = Array(bindPath.utf8)
        guard try withPath(bound, { chmod($0, Self.mode) }) == 0 else {
            throw FileError(code: errno, doing: "set the mode of", path: bound)
        }
        var status = stat()
        guard try withPath(bound, { lstat($0, &status) }) == 0 else {
            throw FileError(code: errno, doing: "examine", path: bound)
        }
        guard try withPaths(bound, path, { rename($0, $1) }) == 0 else {
            throw FileError(code: errno, doing: "rename the socket to", path: path)
        }
        published.withLock { $0 = (status.st_dev, status.st_ino) }
        _ = try withPath(temporaryFolder) { rmdir($0) }
    }

    /// Only what we published: meanwhile another process may have put its own there.
    func remove() {
        _ = try? withPath(Array(bindPath.utf8)) { unlink($0) }
        _ = try? withPath(temporaryFolder) { rmdir($0) }
        guard let (device, inode) = published.withLock({ $0 }) else { return }
        var status = stat()
        guard (try? withPath(path) { lstat($0, &status) }) == 0, status.st_dev == device, status.st_ino == inode
        else { return }
        _ = try? withPath(path) { unlink($0) }
    }

    private static func refuseIfTaken(_ path: [UInt8], _ shownPath: String) throws {
        var status = stat()
        guard try withPath(path, { lstat($0, &status) }) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw WebError.cannotListen(address: shownPath, reason: "there is a file that is no socket; move it away")
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw FileError(code: errno, doing: "examine", path: path) }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.count < room.count else { return false }
            room.copyBytes(from: path)
            return true
        }
        guard fits else { return }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // Refused: its process is gone. Anything else, a full backlog too, is a life sign or not ours to judge.
        if result == 0 || errno != ECONNREFUSED { throw WebError.addressTaken(shownPath) }
    }
}
