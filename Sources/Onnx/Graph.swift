// An ONNX model as plain values: what the engine plans from. Nothing here refers to the file's bytes or
// to protobuf any more, and whatever is here has been checked: names resolve, nodes stand in the order of
// evaluation, tensors have as many elements as their dimensions say.

package struct Graph: Sendable {
    /// The file's name, for messages.
    package let name: String
    package let opset: Int
    /// In an order in which each reads only what stands before it.
    package let nodes: [Node]
    package let initializers: [String: Tensor]
    /// Without those that merely announce an initialiser.
    package let inputs: [ValueInfo]
    package let outputs: [ValueInfo]
    package let metadata: [String: String]

    package init(
        name: String, opset: Int, nodes: [Node], initializers: [String: Tensor], inputs: [ValueInfo],
        outputs: [ValueInfo], metadata: [String: String]
    ) {
        self.name = name
        self.opset = opset
        self.nodes = nodes
        self.initializers = initializers
        self.inputs = inputs
        self.outputs = outputs
        self.metadata = metadata
    }
}

package struct Node: Sendable {
    package let operation: String
    /// As in the file, or made from the first output where the file gives none.
    package let name: String
    /// An empty name is an optional input that is left out.
    package let inputs: [String]
    package let outputs: [String]
    package let attributes: [String: Attribute]

    package init(
        operation: String, name: String, inputs: [String], outputs: [String], attributes: [String: Attribute]
    ) {
        self.operation = operation
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
    }
}

package enum Attribute: Sendable, Equatable {
    case float(Float)
    case integer(Int)
    case string(String)
    case tensor(Tensor)
    case floats([Float])
    case integers([Int])
    case strings([String])
    /// A kind that no supported operator has, a subgraph for instance.
    case other
}

package struct Tensor: Sendable, Equatable {
    package enum Elements: Sendable, Equatable {
        case float([Float])
        case double([Double])
        case int64([Int64])
        case int32([Int32])
        case int8([Int8])
        case uint8([UInt8])
        case bool([Bool])

        package var count: Int {
            switch self {
            case .float(let values): values.count
            case .double(let values): values.count
            case .int64(let values): values.count
            case .int32(let values): values.count
            case .int8(let values): values.count
            case .uint8(let values): values.count
            case .bool(let values): values.count
            }
        }
    }

    /// Empty for a scalar.
    package let dims: [Int]
    package let elements: Elements

    package init(dims: [Int], elements: Elements) {
        self.dims = dims
        self.elements = elements
        precondition(count == dims.reduce(1, *), "a tensor has as many elements as its dimensions say")
    }

    package var count: Int { elements.count }
}

package struct ValueInfo: Sendable, Equatable {
    package enum Dimension: Sendable, Equatable {
        case fixed(Int)
        /// Decided when the model runs; the name may be empty.
        case symbolic(String)
    }

    package let name: String
    package let isFloat: Bool
    /// Nil where the file says nothing.
    package let dims: [Dimension]?

    package init(name: String, isFloat: Bool, dims: [Dimension]?) {
        self.name = name
        self.isFloat = isFloat
        self.dims = dims
    }
}
