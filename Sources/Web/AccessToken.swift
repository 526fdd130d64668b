// The one secret of the HTTP side. It never appears in a description, so no log line can hold it by accident.

internal import Glibc

/// Whoever shows this over TCP may do everything that the API offers.
package struct AccessToken: Sendable, CustomStringConvertible, CustomReflectable {
    private static let lengths = 16...512

    private let secret: [UInt8]

    /// - Parameter text: fit for a header, a cookie and an address as it is.
    package init(_ text: String) throws(WebError) {
        let bytes = Array(text.utf8)
        guard Self.lengths.contains(bytes.count) else {
            throw .tokenUnusable(
                "it has \(bytes.count) characters, \(Self.lengths.lowerBound) to "
                    + "\(Self.lengths.upperBound) are allowed; `openssl rand -hex 32` makes a good one")
        }
        guard bytes.allSatisfy(Self.isAllowed) else {
            throw .tokenUnusable("only letters, digits and . _ ~ - are allowed in it")
        }
        secret = bytes
    }

    private init(secret: [UInt8]) { self.secret = secret }

    /// 256 bits from the system's generator, as 64 hexadecimal digits.
    package static func generate() -> AccessToken {
        var random = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef".utf8)
        return AccessToken(secret: (0..<64).map { _ in digits[Int(random.next() & 15)] })
    }

    /// The first line of a file, white space around it aside.
    package static func read(file: [UInt8]) throws(WebError) -> AccessToken {
        let path = shown(file)
        let bytes: [UInt8]
        do {
            bytes = try File(reading: file).prefix(4096)
        } catch {
            throw .tokenFile(path: path, reason: error.description)
        }
        let line = String(
            decoding: bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        let spaces: Set<Character> = [" ", "\t"]
        let start = line.drop(while: spaces.contains)
        let end = start.lastIndex { !spaces.contains($0) }.map { start[...$0] } ?? ""
        do {
            return try AccessToken(String(end))
        } catch {
            throw .tokenFile(path: path, reason: error.description)
        }
    }

    /// The token of a file that is made, for its owner alone, where it does not exist.
    package static func readOrCreate(file: [UInt8]) throws(WebError) -> AccessToken {
        let token = generate()
        do {
            try File.create(file, mode: 0o600, holding: token.secret + [UInt8(ascii: "\n")])
            return token
        } catch  where error.code == EEXIST {
            return try read(file: file)
        } catch {
            throw .tokenFile(path: shown(file), reason: error.description)
        }
    }

    /// Takes the same time wherever the first difference is; only the length shows.
    func matches(_ candidate: some Collection<UInt8>) -> Bool {
        guard candidate.count == secret.count else { return false }
        var difference: UInt8 = 0
        for (ours, theirs) in zip(secret, candidate) { difference |= ours ^ theirs }
        return difference == 0
    }

    /// A link that signs a browser in, for the operator's eyes: nil where the address is no TCP one.
    package func signInLink(_ address: ListenAddress) -> String? {
        guard case .tcp(let host, let port) = address else { return nil }
        let name = HostName.isAnyAddress(host) ? "localhost" : HostName.inAddress(host)
        return "http://\(name):\(port)/?token=\(cookieValue)"
    }

    /// For Set-Cookie alone.
    var cookieValue: String { String(decoding: secret, as: UTF8.self) }

    package var description: String { "<token>" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            ".-_~".utf8.contains(byte)
        }
    }
}
