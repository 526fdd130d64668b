// Graph → Network: walks the nodes once in order, folds what is constant, turns reshapes and transposes into
// views, and fuses as it goes, so that each step of the result is one call of a kernel.
//
// The batch is not planned for: everything is lowered for one item, whose leading dimension is 1, and a run
// repeats it. That is why exports with a dynamic batch and with a fixed batch of 1 give the same network, and
// why an operation that touches the leading axis is refused.

import Onnx

struct Lowering {
    /// What a name of the graph stands for so far.
    enum Value {
        case constant(Constant)
        case view(View)
        /// Zeros around the map that are not stored; a convolution takes them into its own padding.
        case padded(View, Pads)
        /// Each pixel stands for several. Not made: a sum that follows takes it into its convolution.
        case upsampled(View, Extent)
    }

    /// Per map and item, in elements; keeps sizes far from overflow and absurd requests out.
    private static let maximumMapElements = 1 << 27
    private static let maximumFoldedElements = 1 << 28

    let graph: Graph
    private var values: [String: Value] = [:]
    private var uses: [String: Int] = [:]
    private var foldedElements = 0
    var maps: [Map] = []
    /// Nil where a step was moved further down.
    var steps: [Step?] = []

    static func network(of graph: Graph, inputSize: (height: Int, width: Int)?) throws(InferenceError) -> Network {
        var lowering = Lowering(graph: graph)
        return try lowering.run(inputSize: inputSize)
    }

    private init(graph: Graph) {
        self.graph = graph
        for node in graph.nodes where node.operation != "Shape" {
            for name in node.inputs { uses[name, default: 0] += 1 }
        }
        for output in graph.outputs { uses[output.name, default: 0] += 1 }
    }

    private mutating func run(inputSize: (height: Int, width: Int)?) throws(InferenceError) -> Network {
        guard graph.inputs.count == 1, let input = graph.inputs.first else {
            throw .input(file: graph.name, reason: "\(graph.inputs.count) inputs, one is supported")
        }
        let shape = try InputShape(file: graph.name, value: input, size: inputSize)
        let inputMap = try addMap(shape.map, NodeReader(file: graph.name, node: Self.inputNode))
        bind(input.name, View(map: inputMap, axes: shape.axes, shape: shape.map))
        for node in graph.nodes { try lower(node) }

        var outputs: [(name: String, view: View)] = []
        for output in graph.outputs {
            switch values[output.name] {
            case .view(let view)?: outputs.append((output.name, view))
            case .padded(let view, let pads)?:
                let reader = NodeReader(file: graph.name, node: Self.inputNode)
                outputs.append((output.name, try materialise(view, pads, reader)))
            case .upsampled(let view, let factors)?:
                let reader = NodeReader(file: graph.name, node: Self.inputNode)
                outputs.append((output.name, try enlarged(view, by: factors, reader)))
            default: throw .output(file: graph.name, name: output.name, reason: "it does not depend on the input")
            }
        }
        guard !outputs.isEmpty else { throw .output(file: graph.name, name: "", reason: "the graph has none") }
        return Network(maps: maps, steps: steps.compactMap { $0 }, input: inputMap, outputs: outputs)
    }

    private static let inputNode = Node(operation: "input", name: "(graph)", inputs: [], outputs: [], attributes: [:])

    // MARK: values

    func value(_ reader: NodeReader, _ index: Int) throws(InferenceError) -> Value {
        guard let name = reader.input(index), let value = known(name) else {
            throw reader.malformed("input \(index) is missing")
        }
        return value
    }

    private func known(_ name: String) -> Value? {
        values[name] ?? graph.initializers[name].map { .constant(Constant($0)) }
    }

    func constant(_ reader: NodeReader, _ index: Int) throws(InferenceError) -> Constant {
        guard case .constant(let constant) = try value(reader, index) else {
            throw reader.unsupported("input \(index) is computed while the model runs, a constant is needed")
        }
        return constant
    }

    func floats(_ reader: NodeReader, _ index: Int) throws(InferenceError) -> (dims: [Int], values: [Float]) {
        let constant = try constant(reader, index)
        guard let values = constant.floats else { throw reader.malformed("input \(index) is not float32") }
        return (constant.dims, values)
    }

    /// Nil where the input is left out.
    func optionalFloats(_ reader: NodeReader, _ index: Int) throws(InferenceError) -> (dims: [Int], values: [Float])? {
        reader.input(index) == nil ? nil : try floats(reader, index)
    }

    func integers(_ reader: NodeReader, _ index: Int) throws(InferenceError) -> [Int] {
        guard let values = try constant(reader, index).integers else {
            throw reader.malformed("input \(index) is not integers")
        }
        return values
    }

    /// What is an attribute in older opsets and an input in newer ones; nil where it is left out.
    func list(_ reader: NodeReader, _ attribute: String, orInput index: Int) throws(InferenceError) -> [Int]? {
        if let list = try reader.integers(attribute) { return list }
        return reader.input(index) == nil ? nil : try integers(reader, index)
    }

    func number(
        _ reader: NodeReader, _ attribute: String, orInput index: Int, default value: Float
    ) throws(InferenceError) -> Float {
        if let given = try optionalFloats(reader, index) { return given.values.first ?? value }
        return try reader.float(attribute, default: value)
    }

    /// The input as a map that exists, padding included.
    mutating func view(_ reader: NodeReader, _ index: Int) throws(InferenceError) -> View {
        switch try value(reader, index) {
        case .view(let view): return view
        case .padded(let view, let pads): return try materialise(view, pads, reader)
        case .upsampled(let view, let factors): return try enlarged(view, by: factors, reader)
        case .constant:
            throw reader.unsupported("input \(index) is a constant where a tensor that depends on the input is needed")
        }
    }

    /// As `view`, in the order channels, rows, columns.
    mutating func planarView(_ reader: NodeReader, _ index: Int) throws(InferenceError) -> View {
        let view = try view(reader, index)
        try requirePlanar(view, reader)
        return view
    }

    func requirePlanar(_ view: View, _ reader: NodeReader) throws(InferenceError) {
        guard view.isPlanar(shape(view)) else {
            throw reader.unsupported("its input of \(view.dims) is not in the order channels, rows, columns")
        }
    }

    func shape(_ view: View) -> MapShape { maps[view.map].shape }

    mutating func bind(_ name: String, _ value: View) {
        values[name] = .view(value)
        if uses[name, default: 0] > 1 { maps[value.map].isShared = true }
    }

    mutating func bind(_ reader: NodeReader, _ value: View) { bind(reader.node.outputs.first ?? "", value) }

    mutating func bind(_ reader: NodeReader, padded view: View, by pads: Pads) {
        let name = reader.node.outputs.first ?? ""
        values[name] = .padded(view, pads)
        if uses[name, default: 0] > 1 { maps[view.map].isShared = true }
    }

    mutating func bind(_ reader: NodeReader, upsampled view: View, by factors: Extent) {
        let name = reader.node.outputs.first ?? ""
        values[name] = .upsampled(view, factors)
        if uses[name, default: 0] > 1 { maps[view.map].isShared = true }
    }

    mutating func addMap(_ shape: MapShape, _ reader: NodeReader) throws(InferenceError) -> MapID {
        var count = 1
        for size in [shape.channels, shape.height, shape.width] {
            guard size > 0 else {
                throw reader.malformed("a tensor of \(shape.channels)x\(shape.height)x\(shape.width)")
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow, product <= Self.maximumMapElements else {
                throw .tooLarge(
                    file: graph.name,
                    what: "node \(reader.node.name) makes \(shape.channels)x\(shape.height)x\(shape.width) values",
                    limit: "\(Self.maximumMapElements)")
            }
            count = product
        }
        maps.append(Map(shape: shape))
        return maps.count - 1
    }

    mutating func append(_ step: Step) {
        maps[step.output].producer = steps.count
        steps.append(step)
    }

    // MARK: nodes

    private mutating func lower(_ node: Node) throws(InferenceError) {
        let reader = NodeReader(file: graph.name, node: node)
        if let folded = try fold(reader) {
            foldedElements += folded.count
            guard foldedElements <= Self.maximumFoldedElements else {
                throw .tooLarge(
                    file: graph.name, what: "constants computed from constants",
                    limit: "\(Self.maximumFoldedElements) elements")
            }
            values[node.outputs.first ?? ""] = .constant(folded)
            return
        }
        switch node.operation {
        case "Conv": try convolution(reader)
        case "Gemm": try gemm(reader)
        case "MatMul": try matMul(reader)
        case "BatchNormalization": try batchNormalization(reader)
        case "Relu": try activation(reader, .relu)
        case "LeakyRelu": try activation(reader, .leakyRelu(slope: reader.float("alpha", default: 0.01)))
        case "Sigmoid": try activation(reader, .sigmoid)
        case "Clip": try clip(reader)
        case "Add": try binary(reader, .add)
        case "Sub": try binary(reader, .subtract)
        case "Mul": try binary(reader, .multiply)
        case "Div": try binary(reader, .divide)
        case "MaxPool": try pool(reader, .maximum)
        case "AveragePool":
            let counts = try reader.integer("count_include_pad", default: 0) != 0
            try pool(reader, .average(countsPadding: counts))
        case "GlobalAveragePool": try globalPool(reader, .average(countsPadding: false))
        case "GlobalMaxPool": try globalPool(reader, .maximum)
        case "ReduceMean": try reduceMean(reader)
        case "Softmax": try softmax(reader)
        case "Concat": try concat(reader)
        case "Pad": try pad(reader)
        case "Identity", "Dropout": try alias(reader)
        case "Cast": try cast(reader)
        case "Flatten": try flatten(reader)
        case "Reshape": try reshape(reader)
        case "Squeeze": try squeeze(reader)
        case "Unsqueeze": try unsqueeze(reader)
        case "Transpose": try transpose(reader)
        case "Slice": try slice(reader)
        case "Resize": try resize(reader)
        default: throw .unsupportedOperator(file: graph.name, operation: node.operation, node: node.name)
        }
    }

    private mutating func fold(_ reader: NodeReader) throws(InferenceError) -> Constant? {
        if reader.node.operation == "Shape" {
            if case .constant(let constant) = try value(reader, 0) {
                return Constant(dims: [constant.dims.count], values: .integers(constant.dims))
            }
            let dims = [1] + (try view(reader, 0)).dims
            guard try reader.integer("start", default: 0) == 0, reader.node.attributes["end"] == nil else {
                throw reader.unsupported("only the whole shape")
            }
            return Constant(dims: [dims.count], values: .integers(dims))
        }
        guard ConstantEvaluator.canFold(reader.node.operation) else { return nil }
        var inputs: [Constant?] = []
        for name in reader.node.inputs {
            switch known(name) {
            case .constant(let constant)?: inputs.append(constant)
            case nil where name.isEmpty: inputs.append(nil)
            default: return nil
            }
        }
        return try ConstantEvaluator(reader: reader, inputs: inputs).evaluate()
    }
}
