// On which kind of file system a folder lies, by the kernel's list of mounts: Swift's Glibc hides statfs(2), and a name
// says more to people than a magic number.

import Foundation
import Glibc

package enum FileSystemType {
    private static let network: Set = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "smb2", "ncpfs", "9p", "virtiofs", "afs", "coda", "ceph", "lustre",
        "gpfs",
        "beegfs", "panfs", "glusterfs", "vboxsf", "prl_fs", "davfs",
    ]

    /// FUSE counts as one: what is behind it is anybody's guess, mostly another machine.
    package static func isNetwork(_ type: String) -> Bool { network.contains(type) || type.hasPrefix("fuse") }

    /// Nil where it cannot be known.
    package static func system(_ folder: String) -> String? {
        guard let real = realpath(folder, nil) else { return nil }
        defer { free(real) }
        guard let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else { return nil }
        return type(of: String(cString: real), mounts: mounts)
    }

    /// - Parameter mounts: as in /proc/self/mountinfo, see proc(5).
    package static func type(of path: String, mounts: String) -> String? {
        var best: (length: Int, type: String)?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            // Optional fields end with a lone "-"; the type follows.
            guard fields.count > 4, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
            let point = unescaped(fields[4])
            let isAbove = point == "/" || path == point || path.hasPrefix(point + "/")
            // Of two mounts on one point the later one is in front.
            if isAbove, point.utf8.count >= best?.length ?? 0 { best = (point.utf8.count, String(fields[dash + 1])) }
        }
        return best?.type
    }

    /// Blanks and backslashes stand as `\040` and `\134`.
    private static func unescaped(_ text: Substring) -> String {
        ["\\040": " ", "\\011": "\t", "\\012": "\n"].reduce(String(text)) { $0.replacing($1.key, with: $1.value) }
            .replacing("\\134", with: "\\")
    }
}
