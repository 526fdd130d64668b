// Names of hosts as they stand in Host, Origin and addresses.

/// What a request says about the host it means: the value of `Host`, or the part of `Origin` behind `://`.
struct HostName: Hashable, Sendable {
    /// In lower case, without brackets and without a final dot.
    var name: String
    /// nil: none is named, the scheme's own.
    var port: Int?

    init(name: String, port: Int?) {
        self.name = name
        self.port = port
    }

    /// nil: no such host can exist.
    init?(_ text: some StringProtocol) {
        let text = text.lowercased()
        var rest = Substring(text)
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            name = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            name = String(rest[..<end])
            rest = rest[end...]
            if name.last == "." { name.removeLast() }
        }
        guard !name.isEmpty, name.utf8.allSatisfy(Self.isAllowed) else { return nil }
        if rest.isEmpty {
            port = nil
        } else {
            let digits = rest.dropFirst()
            guard rest.first == ":", digits.allSatisfy({ ("0"..."9").contains($0) }), let number = UInt16(digits)
            else { return nil }
            port = Int(number)
        }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: ".-_:%".utf8.contains(byte)
        }
    }

    static func isAnyAddress(_ host: String) -> Bool { host == "0.0.0.0" || host == "::" }

    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    /// An IPv6 address needs brackets before a port.
    static func inAddress(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}
