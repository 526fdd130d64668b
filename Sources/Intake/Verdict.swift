// What was decided about a name in the watched folder, and why: the answers of `emotiond jobs why`.

package enum Verdict: Hashable, Sendable {
    case waiting(WaitReason)
    case ready
    /// The caller knows the file already; the text is the caller's.
    case known(String)
    case ignored(IgnoreReason)
    case unreadable(String)
    /// It was there and is not any more, while the folder around it is.
    case gone
    /// Its file system is not mounted now; it is not taken for deleted.
    case unavailable(String)

    /// A word for tables: `waiting`, `ready`, `known`, `ignored`, `unreadable`, `gone` or `unavailable`.
    package var code: String {
        switch self {
        case .waiting: "waiting"
        case .ready: "ready"
        case .known: "known"
        case .ignored: "ignored"
        case .unreadable: "unreadable"
        case .gone: "gone"
        case .unavailable: "unavailable"
        }
    }

    /// A sentence's end, for people.
    package var reason: String {
        switch self {
        case .waiting(let reason): "\(reason)"
        case .ready: "complete: still for the settle time, and no writer is known"
        case .known(let text): text
        case .ignored(let reason): "\(reason)"
        case .unreadable(let text): "it cannot be read: \(text)"
        case .gone: "it is no longer in the watched folder"
        case .unavailable(let text): text
        }
    }
}

extension Verdict: CustomStringConvertible {
    package var description: String { "\(code): \(reason)" }
}

package struct Sighting: Hashable, Sendable {
    /// Below the watched folder.
    package let path: [UInt8]
    package let fingerprint: Fingerprint?
    package let verdict: Verdict

    package init(path: [UInt8], fingerprint: Fingerprint?, verdict: Verdict) {
        self.path = path
        self.fingerprint = fingerprint
        self.verdict = verdict
    }
}
