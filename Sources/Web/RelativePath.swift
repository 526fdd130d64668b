// Paths that come in a request: bytes after percent-decoding, checked component by component.

/// Why a path of a request is refused, as a sentence.
struct PathRefusal: Error, CustomStringConvertible {
    let description: String
}

/// A path that can only lead down.
struct RelativePath: Hashable, Sendable {
    static let longest = 4096
    static let longestName = 255

    let components: [[UInt8]]

    var bytes: [UInt8] { Array(components.joined(separator: [UInt8(ascii: "/")])) }

    /// - Parameter encoded: as it stands in the request's address. An encoded slash would be a name with a slash in it,
    ///   which no file can have.
    init(encoded: some StringProtocol, hiddenAllowed: Bool) throws(PathRefusal) {
        guard encoded.utf8.count <= Self.longest else { throw PathRefusal(description: "the path is too long") }
        var components: [[UInt8]] = []
        for part in encoded.split(separator: "/", omittingEmptySubsequences: false) {
            guard let name = PercentCoding.decode(part) else {
                throw PathRefusal(description: "the path is not percent-encoded as it should be")
            }
            try Self.check(name, hiddenAllowed: hiddenAllowed)
            components.append(name)
        }
        self.components = components
    }

    init(bytes: [UInt8], hiddenAllowed: Bool) throws(PathRefusal) {
        components = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
        for name in components { try Self.check(name, hiddenAllowed: hiddenAllowed) }
    }

    private static func check(_ name: [UInt8], hiddenAllowed: Bool) throws(PathRefusal) {
        guard !name.isEmpty else { throw PathRefusal(description: "the path has an empty part") }
        guard name.count <= longestName else {
            throw PathRefusal(description: "a name in the path is longer than \(longestName) bytes")
        }
        let dot = UInt8(ascii: ".")
        guard name != [dot], name != [dot, dot] else {
            throw PathRefusal(description: "the path must not contain '.' or '..'")
        }
        guard hiddenAllowed || name.first != dot else {
            throw PathRefusal(description: "hidden names are not taken: the intake ignores them")
        }
        guard name.allSatisfy({ $0 != UInt8(ascii: "/") && $0 >= 0x20 && $0 != 0x7F }) else {
            throw PathRefusal(description: "a name in the path has a slash or a control character in it")
        }
    }
}

enum PercentCoding {
    /// The bytes that a text stands for; nil where a % is not followed by two hexadecimal digits.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// Everything but letters, digits and `-._~` is encoded.
    static func encode(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            default:
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
