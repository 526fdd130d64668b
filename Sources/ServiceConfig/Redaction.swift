// Addresses of cameras carry passwords; what is printed, logged or served never does.

private let secretNames: Set = [
    "user", "usr", "username", "login", "account", "password", "passwd", "pass", "pwd", "psw", "token", "auth", "key",
    "apikey", "api_key", "access_token", "secret", "sig", "signature", "authkey", "session",
]

/// The address without user, password and secret parameters: `rtsp://***@cam/live?token=***`.
///
/// Everything up to the last `@` goes, even where that takes the host with it: a password may hold any sign, unescaped
/// ones too, and to hide too much harms nobody. Text that is no address comes back as it is.
package func redacted(_ address: String) -> String {
    guard let scheme = address.firstRange(of: "://") else { return address }
    var rest = address[scheme.upperBound...]
    var text = String(address[..<scheme.upperBound])
    if let at = rest.lastIndex(of: "@") {
        text += "***@"
        rest = rest[rest.index(after: at)...]
    }
    guard let mark = rest.firstIndex(of: "?") else { return text + rest }
    text += rest[...mark]
    let parameters = rest[rest.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false)
    return text
        + parameters.map { parameter in
            guard let equals = parameter.firstIndex(of: "="),
                secretNames.contains(parameter[..<equals].lowercased())
            else { return String(parameter) }
            return parameter[...equals] + "***"
        }.joined(separator: "&")
}
