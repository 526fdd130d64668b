// Graphs written by hand, for what no exporter would write.

import Onnx

enum GraphBuilder {
    static func graph(
        input: [ValueInfo.Dimension] = [.symbolic("N"), .fixed(2), .fixed(8), .fixed(8)], nodes: [Node],
        initializers: [String: Tensor] = [:], opset: Int = 13, outputs: [String] = ["y"]
    ) -> Graph {
        Graph(
            name: "test.onnx", opset: opset, nodes: nodes, initializers: initializers,
            inputs: [ValueInfo(name: "x", isFloat: true, dims: input)],
            outputs: outputs.map { ValueInfo(name: $0, isFloat: true, dims: nil) }, metadata: [:])
    }

    static func node(
        _ operation: String, _ inputs: [String], _ output: String = "y", _ attributes: [String: Attribute] = [:]
    ) -> Node {
        Node(
            operation: operation, name: "'the \(operation)'", inputs: inputs, outputs: [output], attributes: attributes)
    }

    static func weights(_ dims: [Int], value: Float = 0.1) -> Tensor {
        Tensor(dims: dims, elements: .float(Array(repeating: value, count: dims.reduce(1, *))))
    }

    static func integers(_ values: Int64...) -> Tensor { Tensor(dims: [values.count], elements: .int64(values)) }
}
