// Reads a node's attributes with their defaults, and makes errors that name it.

import Onnx

struct NodeReader {
    let file: String
    let node: Node

    func unsupported(_ reason: String) -> InferenceError {
        .unsupported(file: file, operation: node.operation, node: node.name, reason: reason)
    }

    func malformed(_ reason: String) -> InferenceError {
        .malformed(file: file, operation: node.operation, node: node.name, reason: reason)
    }

    /// The name of an input; nil where it is left out.
    func input(_ index: Int) -> String? {
        guard index < node.inputs.count, !node.inputs[index].isEmpty else { return nil }
        return node.inputs[index]
    }

    func integer(_ name: String, default value: Int) throws(InferenceError) -> Int {
        switch node.attributes[name] {
        case nil: value
        case .integer(let found)?: found
        default: throw malformed("the attribute \(name) is not an integer")
        }
    }

    func float(_ name: String, default value: Float) throws(InferenceError) -> Float {
        switch node.attributes[name] {
        case nil: value
        case .float(let found)?: found
        default: throw malformed("the attribute \(name) is not a number")
        }
    }

    func string(_ name: String, default value: String) throws(InferenceError) -> String {
        switch node.attributes[name] {
        case nil: value
        case .string(let found)?: found
        default: throw malformed("the attribute \(name) is not a string")
        }
    }

    func integers(_ name: String) throws(InferenceError) -> [Int]? {
        switch node.attributes[name] {
        case nil: nil
        case .integers(let found)?: found
        default: throw malformed("the attribute \(name) is not a list of integers")
        }
    }

    /// `axis` counted from 0, where negative ones count from the end.
    func axis(_ axis: Int, rank: Int) throws(InferenceError) -> Int {
        guard axis >= -rank, axis < rank else { throw malformed("axis \(axis) of a tensor of rank \(rank)") }
        return axis < 0 ? axis + rank : axis
    }
}
