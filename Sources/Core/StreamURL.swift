// Where a live stream comes from. Cameras carry their password in the URL, so there is one type that knows what
// must not be shown, and one function that takes it out of any text.

/// A URL, or the path of a camera device. Its `description` is the redacted form, so that a careless print is harmless.
package struct StreamURL: Hashable, Sendable {
    /// With its secrets: for the one who connects, and nobody else.
    package let text: String
    /// In lower case: `rtsp`, `http`; `v4l2` for a device path.
    package let scheme: String

    /// Nil where it is neither `scheme://…` nor a path below /dev.
    package init?(_ text: String) {
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0 == " " }) else { return nil }
        if text.hasPrefix("/dev/"), text.utf8.count > 5 {
            self.text = text
            scheme = "v4l2"
            return
        }
        guard let mark = text.firstRange(of: "://"), mark.upperBound < text.endIndex else { return nil }
        let name = text[..<mark.lowerBound].lowercased()
        guard let first = name.unicodeScalars.first, first.properties.isAlphabetic,
            name.unicodeScalars.allSatisfy({
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789+-.".unicodeScalars.contains($0))
            })
        else { return nil }
        self.text = text
        scheme = name
    }

    package var redacted: String { Redaction.redact(text) }

    /// Whether it must not stand where `ps` shows it.
    package var hasSecret: Bool { redacted != text }

    /// Host, or device name: what a stream is called when nobody names it.
    package var host: String {
        if scheme == "v4l2" { return String(text.split(separator: "/").last ?? "camera") }
        let redacted = redacted
        guard let mark = redacted.firstRange(of: "://") else { return "stream" }
        let authority = redacted[mark.upperBound...].prefix { !"/?#".contains($0) }
        let place = authority.split(separator: "@").last ?? authority
        let host = place.hasPrefix("[") ? place.dropFirst().prefix { $0 != "]" } : place.prefix { $0 != ":" }
        return host.isEmpty ? "stream" : String(host)
    }
}

extension StreamURL: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String { redacted }
    package var debugDescription: String { redacted }
}

package enum Redaction {
    private static let stars = "***"
    /// Names of query items that carry a secret, in part or whole.
    private static let secretNames = ["pass", "pwd", "user", "usr", "login", "token", "key", "secret", "auth", "sig"]
    private static let ends = Set<Character>(" \t\r\n\"'<>`")

    /// A text with the credentials of every URL in it replaced; everything else stays.
    package static func redact(_ text: String) -> String {
        guard text.contains("://") else { return text }
        var result = ""
        var rest = text[...]
        while let mark = rest.firstRange(of: "://") {
            result += rest[..<mark.upperBound]
            let tail = rest[mark.upperBound...]
            let end = tail.firstIndex(where: ends.contains) ?? tail.endIndex
            result += redactTail(tail[..<end])
            rest = tail[end...]
        }
        return result + rest
    }

    /// What stands behind `://`.
    private static func redactTail(_ tail: Substring) -> String {
        var place = tail
        var result = ""
        if let at = credentialsEnd(tail) {
            result = stars + "@"
            place = tail[tail.index(after: at)...]
        }
        guard let question = place.firstIndex(of: "?") else { return result + place }
        let query = place[place.index(after: question)...]
        return result + place[...question]
            + query.split(separator: "&", omittingEmptySubsequences: false)
            .map(redactItem).joined(separator: "&")
    }

    /// The `@` behind user and password. A password may hold `/`, `?` or `@` that nobody escaped: where what looks
    /// like a port is no number, all up to the last `@` is taken for a part of it.
    private static func credentialsEnd(_ tail: Substring) -> Substring.Index? {
        let authority = tail.prefix { !"/?#".contains($0) }
        guard let last = tail.lastIndex(of: "@") else { return nil }
        if let inside = authority.lastIndex(of: "@") {
            let after = authority[authority.index(after: inside)...]
            return isPlace(after) ? inside : last
        }
        return isPlace(authority) ? nil : last
    }

    /// `host`, `host:554` or `[::1]:554`.
    private static func isPlace(_ authority: Substring) -> Bool {
        if authority.hasPrefix("[") { return true }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 1 || (parts.count == 2 && parts[1].allSatisfy { ("0"..."9").contains($0) })
    }

    private static func redactItem(_ item: Substring) -> String {
        guard let equals = item.firstIndex(of: "="), item.index(after: equals) < item.endIndex else {
            return String(item)
        }
        let name = item[..<equals].lowercased()
        return secretNames.contains(where: name.contains) ? item[...equals] + stars : String(item)
    }
}
