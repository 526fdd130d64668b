// What can go wrong between a watched folder and the places where its files end.

internal import Glibc

package enum IntakeError: Error, Hashable, Sendable {
    case badPattern(String, reason: String)
    /// inotify's limit is reached; `setting` is the sysctl to raise.
    case watchLimit(setting: String, value: String?)
    case watch(path: [UInt8], code: Int32)
    case cannotCreate(path: [UInt8], code: Int32)
    case noSpace(path: [UInt8], code: Int32)
    case io(action: String, path: [UInt8], code: Int32)
    /// A path that is none, or a place where nothing may stand.
    case refused(path: [UInt8], reason: String)

    /// A full disk is no fault of the input: intake pauses and no attempt is counted.
    package var isDiskFull: Bool {
        if case .noSpace = self { true } else { false }
    }

    static func failed(_ action: String, _ path: [UInt8], _ error: SystemError) -> IntakeError {
        switch error.code {
        case ENOSPC, EDQUOT, EFBIG: .noSpace(path: path, code: error.code)
        default: .io(action: action, path: path, code: error.code)
        }
    }

    static func creating(_ path: [UInt8], _ error: SystemError) -> IntakeError {
        switch error.code {
        case ENOSPC, EDQUOT: .noSpace(path: path, code: error.code)
        default: .cannotCreate(path: path, code: error.code)
        }
    }
}

extension IntakeError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badPattern(let pattern, let reason):
            "the pattern '\(pattern)' cannot be used: \(reason)"
        case .watchLimit(let setting, let value):
            "the limit of inotify is reached: \(setting) is \(value ?? "not readable"); raise it, for example by "
                + "sysctl \(setting)=\(Self.suggested(value)); until then folders are scanned instead"
        case .watch(let path, let code):
            "cannot watch \(Paths.shown(path)): \(SystemError.text(code)); folders are scanned instead"
        case .cannotCreate(let path, let code):
            "cannot create \(Paths.shown(path)): \(SystemError.text(code)); look at the owner and mode of its folder"
        case .noSpace(let path, let code):
            "no room for \(Paths.shown(path)): \(SystemError.text(code)); free some space"
        case .io(let action, let path, let code):
            "cannot \(action) \(Paths.shown(path)): \(SystemError.text(code))"
        case .refused(let path, let reason):
            "will not touch \(Paths.shown(path)): \(reason)"
        }
    }

    private static func suggested(_ value: String?) -> Int {
        let present = value.flatMap { Int($0) } ?? 0
        return max(524_288, present > Int.max / 2 ? present : present * 2)
    }
}
