// What can go wrong before a request is answered; after that it is a status and a sentence.

/// Why the server cannot listen, or may not.
package enum WebError: Error, Hashable, Sendable, CustomStringConvertible {
    case addressTaken(String)
    case cannotListen(address: String, reason: String)
    case tokenRequired(String)
    case tokenUnusable(String)
    case tokenFile(path: String, reason: String)
    case nothingToListenOn

    package var description: String {
        switch self {
        case .addressTaken(let address):
            """
            cannot listen on \(address): another process listens there. Stop it, or choose another address with \
            `http.listen`
            """
        case .cannotListen(let address, let reason):
            "cannot listen on \(address): \(reason)"
        case .tokenRequired(let address):
            """
            \(address) is reached over TCP, so a token is needed: put one into a file and name it as \
            `http.token_file`, or listen on a Unix socket only
            """
        case .tokenUnusable(let reason):
            "the token cannot be used: \(reason)"
        case .tokenFile(let path, let reason):
            "the token file \(path): \(reason)"
        case .nothingToListenOn:
            "no address to listen on: name one as `http.listen`, or switch HTTP off"
        }
    }
}
