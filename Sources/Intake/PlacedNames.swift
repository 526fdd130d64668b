// Names in `done/` and `failed/`: the input's own where it is free, else with a suffix that says which content it is.

enum PlacedNames {
    private static let errorEnd = Array(".error.json".utf8)
    /// More files of one name and one content than anybody keeps.
    private static let mostTurns = 1_000

    /// What is tried for a file, in order: `ad.mp4`, `ad.mp4~1b2c3d4e`, `ad.mp4~1b2c3d4e.2`, and so on.
    ///
    /// - Parameter reservingErrors: names that end like those of error records get the suffix at once, so that a
    ///   record never meets a file of a user.
    static func candidates(
        for name: [UInt8], _ fingerprint: Fingerprint, sha256: String?, reservingErrors: Bool
    ) -> some Sequence<[UInt8]> {
        let mark = [UInt8(ascii: "~")] + (digest(sha256) ?? digest(fingerprint))
        let isReserved = reservingErrors && name.suffix(errorEnd.count) == errorEnd[...]
        return ((isReserved ? 1 : 0)..<mostTurns).lazy.map { turn in
            switch turn {
            case 0: name
            case 1: suffixed(name, mark)
            default: suffixed(name, mark + Array(".\(turn)".utf8))
            }
        }
    }

    /// `ad.mp4.error.json`; a name too long for that is cut, and told apart by a digest of all of it.
    static func errorRecord(for name: [UInt8]) -> [UInt8] {
        if name.count + errorEnd.count <= Paths.longestName { return name + errorEnd }
        return suffixed(name, [UInt8(ascii: "~")] + Paths.digest(name) + errorEnd)
    }

    private static func suffixed(_ name: [UInt8], _ suffix: [UInt8]) -> [UInt8] {
        Paths.cut(name, to: Paths.longestName - suffix.count) + suffix
    }

    private static func digest(_ sha256: String?) -> [UInt8]? {
        guard let digits = sha256?.utf8.prefix(8), digits.count == 8 else { return nil }
        let hex = Array("0123456789abcdefABCDEF".utf8)
        return digits.allSatisfy(hex.contains) ? Array(digits) : nil
    }

    private static func digest(_ fingerprint: Fingerprint) -> [UInt8] {
        let text = "\(fingerprint.inode) \(fingerprint.sizeBytes) \(fingerprint.mtimeNanoseconds)"
        return Paths.digest(text.utf8)
    }
}
