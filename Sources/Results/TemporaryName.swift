// Names of folders in work, `.ad.mp4.emotiond-k3v9x2ab.tmp`, and names of results that need a suffix.

enum TemporaryName {
    /// The longest name that Linux file systems take, in bytes.
    static let longest = 255
    private static let mark = Array(".emotiond-".utf8)
    private static let end = Array(".tmp".utf8)
    private static let randomCount = 8
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)

    static func make(for name: [UInt8], using generator: inout some RandomNumberGenerator) -> [UInt8] {
        let room = longest - 1 - mark.count - randomCount - end.count
        let random = (0..<randomCount).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] }
        return [PathBytes.dot] + PathBytes.cut(name, to: room) + mark + random + end
    }

    static func matches(_ name: [UInt8]) -> Bool {
        let tail = mark.count + randomCount + end.count
        guard name.first == PathBytes.dot, name.count > tail + 1, name.suffix(end.count) == end[...] else {
            return false
        }
        let marked = name.suffix(tail)
        return marked.prefix(mark.count) == mark[...]
            && marked.dropFirst(mark.count).prefix(randomCount).allSatisfy(alphabet.contains)
    }

    /// The name of a second input of the same path and other content.
    static func suffixed(_ name: [UInt8], sha256: String) -> [UInt8] {
        let suffix = [UInt8(ascii: "~")] + sha256.utf8.prefix(8)
        return PathBytes.cut(name, to: longest - suffix.count) + suffix
    }

    /// Removes folders of a process that was killed: those whose lock is free.
    static func removeLeftovers(in parent: Directory) {
        guard let names = try? parent.names() else { return }
        for name in names where matches(name) {
            guard let folder = try? parent.folder(name) else { continue }
            // The lock must last until the folder is gone, or its name could be claimed in between.
            withExtendedLifetime(folder) {
                guard (try? folder.lock()) == true else { return }
                // Its owner may have published it between our open and our lock: then the name leads elsewhere now.
                guard let there = try? parent.status(name), let held = try? folder.ownStatus(),
                    there.isSame(as: held)
                else { return }
                // What cannot be removed now is tried again by the next run.
                try? parent.removeTree(name)
            }
        }
    }
}
