// What can be wrong with a model file, said so that its owner can act on it.

package enum OnnxError: Error, Equatable, CustomStringConvertible {
    /// The file as a whole cannot be decoded.
    case envelope(file: String, bytes: Int, reason: String)
    /// More of something than any model has that this program could run.
    case limit(file: String, what: String, found: Int, limit: Int)
    case opset(file: String, found: Int, supported: ClosedRange<Int>)
    /// A tensor whose bytes do not fit its dimensions and type.
    case tensorSize(file: String, tensor: String, expectedBytes: Int, foundBytes: Int)
    case tensor(file: String, tensor: String, reason: String)
    /// A node or an output reads a value that nothing makes.
    case dangling(file: String, reader: String, value: String)
    case definedTwice(file: String, value: String)
    case cycle(file: String, node: String)
    case unreadable(file: String, node: String, reason: String)
    case weightsHash(file: String, expected: String, found: String)

    package var description: String {
        switch self {
        case .envelope(let file, let bytes, let reason):
            "\(file): not a whole ONNX model (\(bytes) bytes): \(reason); copy or export the file again"
        case .limit(let file, let what, let found, let limit):
            "\(file): \(found) \(what), the limit is \(limit)"
        case .opset(let file, let found, let known):
            "\(file): opset \(found) is not among \(known.lowerBound) to \(known.upperBound); export with 13 or later"
        case .tensorSize(let file, let tensor, let expected, let found):
            "\(file): tensor '\(tensor)' needs \(expected) bytes, the file has \(found); copy or export the file again"
        case .tensor(let file, let tensor, let reason):
            "\(file): tensor '\(tensor)': \(reason)"
        case .dangling(let file, let reader, let value):
            "\(file): \(reader) reads '\(value)', which nothing in the graph makes"
        case .definedTwice(let file, let value):
            "\(file): the value '\(value)' is made twice"
        case .cycle(let file, let node):
            "\(file): node \(node) waits for its own output"
        case .unreadable(let file, let node, let reason):
            "\(file): node \(node): \(reason)"
        case .weightsHash(let file, let expected, let found):
            "\(file): the weights' SHA-256 is \(found), the file says \(expected): it is damaged, copy it again"
        }
    }
}
