// What can go wrong between an input's name and its published result.

import Glibc

package enum ResultsError: Error, Hashable, Sendable {
    /// A folder or file of the result could not be made.
    case cannotCreate(path: [UInt8], code: Int32)
    case noSpace(path: [UInt8], code: Int32)
    case io(action: String, path: [UInt8], code: Int32)
    /// The place is taken, or is none where a result may stand.
    case refused(path: [UInt8], reason: String)
    case noInput(path: [UInt8], reason: String)
    /// Whoever asked for the result does not want it any more.
    case withdrawn(path: [UInt8])
    /// run.json could not be made from the report: our own bug.
    case report(String)

    package var exitReason: ExitReason {
        switch self {
        case .cannotCreate, .refused: .cannotCreate
        case .noSpace, .io: .ioError
        case .noInput: .noInput
        case .withdrawn: .tryLater
        case .report: .internalError
        }
    }

    package var isNoSpace: Bool {
        if case .noSpace(_, let code) = self { code != EFBIG } else { false }
    }

    /// An error of a write or of a sync: a full disk, quota or file size limit is told apart, as only the user can help.
    static func writing(_ action: String, _ path: [UInt8], _ code: Int32) -> ResultsError {
        switch code {
        case ENOSPC, EDQUOT, EFBIG: .noSpace(path: path, code: code)
        default: .io(action: action, path: path, code: code)
        }
    }

    /// An error while something new is made.
    static func creating(_ path: [UInt8], _ code: Int32) -> ResultsError {
        switch code {
        case ENOSPC, EDQUOT: .noSpace(path: path, code: code)
        default: .cannotCreate(path: path, code: code)
        }
    }

    static func text(_ code: Int32) -> String {
        guard let message = strerror(code) else { return "error \(code)" }
        return String(cString: message)
    }
}

extension ResultsError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cannotCreate(let path, let code):
            "cannot create \(PathBytes.shown(path)): \(Self.text(code)); choose another place with --out"
        case .noSpace(let path, let code):
            "no room for \(PathBytes.shown(path)): \(Self.text(code)); free some space or choose another place with --out"
        case .io(let action, let path, let code):
            "cannot \(action) \(PathBytes.shown(path)): \(Self.text(code))"
        case .refused(let path, let reason):
            "will not write \(PathBytes.shown(path)): \(reason)"
        case .noInput(let path, let reason):
            "cannot read \(PathBytes.shown(path)): \(reason)"
        case .withdrawn(let path):
            "\(PathBytes.shown(path)) is not published: the run was stopped; it can be run again"
        case .report(let reason):
            "run.json cannot be made: \(reason); this is a bug of emotiond"
        }
    }
}
