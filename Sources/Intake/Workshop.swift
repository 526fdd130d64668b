// A hidden folder at the root of a place, on the place's file system, where files grow before they get their names.

internal import Glibc

struct Workshop {
    private static let name = IgnoreRules.own + Array("moving".utf8)

    let folder: OpenFolder
    /// A name in it that nobody else uses.
    let name: [UInt8]
    private let top: OpenFolder

    init(in top: OpenFolder) throws(SystemError) {
        self.top = top
        folder = try top.descendMaking([Self.name])
        name = Array(String(UInt64.random(in: .min ... .max), radix: 36).utf8)
    }

    /// Removes what is still in work, and the folder if nothing else is.
    func close() {
        try? folder.remove(name)
        try? top.remove(Self.name, folder: true)
    }

    static func removeLeftovers(in root: [UInt8]) throws(IntakeError) {
        do throws(SystemError) {
            try OpenFolder(at: root).removeTree(name)
        } catch  where error.code == ENOENT {
            return
        } catch {
            throw .failed("remove what was left in", Paths.join(root, name), error)
        }
    }
}

extension OpenFolder {
    /// A folder by path, made if it is missing; the folder above it must be there.
    static func making(_ path: [UInt8]) throws(SystemError) -> OpenFolder {
        do throws(SystemError) {
            return try OpenFolder(at: path)
        } catch  where error.code == ENOENT {
            do throws(SystemError) {
                try SystemError.check(path) { mkdir($0, 0o777) }
            } catch  where error.code == EEXIST {
                return try OpenFolder(at: path)
            }
            return try OpenFolder(at: path)
        }
    }
}
