// What the command's exit status says. Scripts rely on these numbers; `--help` lists them.

package enum ExitReason: Int32, CaseIterable, Sendable, Codable {
    case done = 0
    case mixed = 2
    case partial = 3
    case usage = 64
    case badInput = 65
    case noInput = 66
    case unavailable = 69
    case internalError = 70
    case cannotCreate = 73
    case ioError = 74
    case tryLater = 75
    case configuration = 78
    case interrupted = 130

    package var meaning: String {
        switch self {
        case .done: "done, or the result was there already"
        case .mixed: "several inputs ended in different ways, some failed"
        case .partial: "partial: the input is damaged; what could be read is published"
        case .usage: "wrong usage"
        case .badInput: "not media, or damaged beyond use"
        case .noInput: "no such input"
        case .unavailable: "a stream or service cannot be reached"
        case .internalError: "internal error"
        case .cannotCreate: "the output cannot be created, or exists"
        case .ioError: "I/O error, disk full"
        case .tryLater: "try again later"
        case .configuration: "wrong configuration"
        case .interrupted: "interrupted"
        }
    }

    private var isFailure: Bool { self != .done && self != .partial }

    /// The exit code of a run over several inputs. An interrupt wins. Without failures: partial if any input is.
    /// If every input failed in the same way, that way; every other mixture with a failure is `mixed`.
    package static func combined(_ codes: [ExitReason]) -> ExitReason {
        if codes.contains(.interrupted) { return .interrupted }
        guard let failure = codes.first(where: \.isFailure) else {
            return codes.contains(.partial) ? .partial : .done
        }
        return codes.allSatisfy { $0 == failure } ? failure : .mixed
    }
}
