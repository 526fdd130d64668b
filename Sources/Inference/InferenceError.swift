// Why a graph cannot be run, or was not: said with the file, the operator and the node, so that whoever
// exported the model knows what to change.

package enum InferenceError: Error, Equatable, CustomStringConvertible {
    case unsupportedOperator(file: String, operation: String, node: String)
    /// The operator is known, this use of it is not.
    case unsupported(file: String, operation: String, node: String, reason: String)
    /// What the node says of itself contradicts its inputs.
    case malformed(file: String, operation: String, node: String, reason: String)
    case input(file: String, reason: String)
    case output(file: String, name: String, reason: String)
    case tooLarge(file: String, what: String, limit: String)
    case unknownLevel(name: String, known: [String])
    case levelMissing(name: String, reason: String)
    case batch(found: Int, limit: Int)
    case inputCount(expected: Int, found: Int)

    package var description: String {
        switch self {
        case .unsupportedOperator(let file, let operation, let node):
            "\(file): the operator \(operation) (node \(node)) is not supported; --emotion-engine opencv may run it"
        case .unsupported(let file, let operation, let node, let reason):
            "\(file): \(operation) (node \(node)) is not supported as it is used here: \(reason)"
        case .malformed(let file, let operation, let node, let reason):
            "\(file): \(operation) (node \(node)) does not fit its inputs: \(reason)"
        case .input(let file, let reason): "\(file): the model's input: \(reason)"
        case .output(let file, let name, let reason): "\(file): the model's output '\(name)': \(reason)"
        case .tooLarge(let file, let what, let limit): "\(file): \(what); the limit is \(limit)"
        case .unknownLevel(let name, let known):
            "there is no CPU level '\(name)'; the levels are \(known.joined(separator: ", "))"
        case .levelMissing(let name, let reason): "this CPU cannot run level \(name): \(reason)"
        case .batch(let found, let limit): "a batch of \(found); the session was made for 1 to \(limit)"
        case .inputCount(let expected, let found): "\(found) input values where the batch needs \(expected)"
        }
    }
}
