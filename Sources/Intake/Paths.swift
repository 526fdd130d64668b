// Paths as the kernel knows them: bytes without NUL. Relative ones have no leading slash; the empty one is the root.

enum Paths {
    static let slash = UInt8(ascii: "/")
    static let dot = UInt8(ascii: ".")
    /// The longest name that Linux file systems take, in bytes.
    static let longestName = 255

    static func join(_ folder: [UInt8], _ name: [UInt8]) -> [UInt8] {
        if folder.isEmpty { return name }
        if name.isEmpty { return folder }
        return folder.last == slash ? folder + name : folder + [slash] + name
    }

    static func components(_ path: [UInt8]) -> [[UInt8]] { path.split(separator: slash).map(Array.init) }

    /// What stands before the last slash of a relative path.
    static func parent(_ path: [UInt8]) -> [UInt8] {
        guard let last = path.lastIndex(of: slash) else { return [] }
        return Array(path[..<last])
    }

    static func isSame(_ path: [UInt8], orBelow folder: [UInt8]) -> Bool {
        if folder.isEmpty || path == folder { return true }
        return path.count > folder.count && path[folder.count] == slash && path.starts(with: folder)
    }

    /// For one line of a message: in quotes, bytes that are no UTF-8 as U+FFFD, control characters escaped.
    static func shown(_ path: [UInt8]) -> String {
        var text = "'"
        for scalar in String(decoding: path, as: UTF8.self).unicodeScalars {
            if scalar.properties.generalCategory == .control {
                text += scalar.escaped(asASCII: true)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text + "'"
    }

    /// At most `limit` bytes of `name`, without cutting a UTF-8 character in two.
    static func cut(_ name: [UInt8], to limit: Int) -> [UInt8] {
        guard name.count > limit else { return name }
        var end = max(limit, 0)
        // A character has three continuation bytes at most; more of them in a row are no UTF-8: then any cut is good.
        for _ in 0..<3 where end > 0 && isContinuation(name[end]) { end -= 1 }
        if end > 0, isContinuation(name[end]) { end = max(limit, 0) }
        return Array(name[..<end])
    }

    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    /// Eight hexadecimal digits that tell names and files apart where no content hash is known (FNV-1a, 32 bits).
    static func digest(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var hash: UInt32 = 0x811C_9DC5
        for byte in bytes { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        let digits = Array("0123456789abcdef".utf8)
        return (0..<8).map { digits[Int(hash >> (28 - 4 * UInt32($0)) & 0xF)] }
    }
}
