// From the file's bytes to a checked `Graph`. Everything in the file is taken as said by a stranger: names
// are resolved, sizes are computed without overflow and compared before anything is read through them.

import SwiftProtobuf

/// SHA-256 of the pieces one after the other, as lower-case hex. Passed in, because the program takes its
/// hash from a library that this module does not know.
package typealias HashOfPieces = (_ pieces: [[UInt8]]) -> String

extension Graph {
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - name: the file's name, for messages.
    ///   - sha256: checks `weights.sha256` of the metadata over every raw_data in the file's order (tensors
    ///     of node attributes first, then initialisers); nil leaves the weights unchecked.
    package init(bytes: [UInt8], name: String, sha256: HashOfPieces?) throws(OnnxError) {
        let model = try GraphReader.decode(bytes, file: name)
        let reader = GraphReader(file: name, model: model)
        self = try reader.graph(sha256: sha256)
    }
}

struct GraphReader {
    let file: String
    let model: OnnxSubset_ModelFile

    /// Far above what nets have that a CPU can run in real time.
    private static let maximumNodes = 20_000
    private static let maximumTensors = 40_000
    private static let maximumEdges = 256
    private static let opsets = 7...25

    static func decode(_ bytes: [UInt8], file: String) throws(OnnxError) -> OnnxSubset_ModelFile {
        guard !bytes.isEmpty else { throw .envelope(file: file, bytes: 0, reason: "the file is empty") }
        try EnvelopeScan.check(bytes, file: file)
        // Unknown fields are kept only for writing back, which is never done.
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = 16
        options.discardUnknownFields = true
        do {
            let model = try OnnxSubset_ModelFile(serializedBytes: bytes, options: options)
            guard model.hasGraph else {
                throw OnnxError.envelope(file: file, bytes: bytes.count, reason: "there is no graph in it")
            }
            return model
        } catch let error as OnnxError {
            throw error
        } catch {
            throw .envelope(file: file, bytes: bytes.count, reason: "\(error)")
        }
    }

    func graph(sha256: HashOfPieces?) throws(OnnxError) -> Graph {
        let body = model.graph
        try limit(body.node.count, "nodes", Self.maximumNodes)
        try limit(body.initializer.count, "tensors", Self.maximumTensors)
        guard body.sparseInitializer.isEmpty else {
            throw .tensor(file: file, tensor: "(sparse)", reason: "sparse initialisers are not supported")
        }
        let opset = try opsetVersion()
        let metadata = Dictionary(
            model.metadataProps.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        if let sha256, let expected = metadata["weights.sha256"] {
            let found = sha256(rawPieces())
            guard found == String(expected).lowercased() else {
                throw .weightsHash(file: file, expected: expected, found: found)
            }
        }
        var initializers: [String: Tensor] = [:]
        for record in body.initializer {
            let tensor = try TensorReader(file: file, record: record).tensor()
            guard initializers.updateValue(tensor, forKey: record.name) == nil else {
                throw .definedTwice(file: file, value: record.name)
            }
        }
        let inputs = try body.input.filter { initializers[$0.name] == nil }.map(valueInfo)
        let outputs = try body.output.map(valueInfo)
        var nodes: [Node] = []
        nodes.reserveCapacity(body.node.count)
        for record in body.node { nodes.append(try node(record)) }
        let order = GraphOrder(file: file, nodes: nodes, given: initializers.keys.map { $0 } + inputs.map(\.name))
        return Graph(
            name: file, opset: opset, nodes: try order.sorted(outputs: outputs.map(\.name)),
            initializers: initializers, inputs: inputs, outputs: outputs, metadata: metadata)
    }

    private func limit(_ found: Int, _ what: String, _ limit: Int) throws(OnnxError) {
        guard found <= limit else { throw .limit(file: file, what: what, found: found, limit: limit) }
    }

    private func opsetVersion() throws(OnnxError) -> Int {
        let standard = model.opsetImport.filter { $0.domain.isEmpty || $0.domain == "ai.onnx" }
        let version = Int(standard.map(\.version).max() ?? 1)
        guard Self.opsets.contains(version) else {
            throw .opset(file: file, found: version, supported: Self.opsets)
        }
        return version
    }

    private func rawPieces() -> [[UInt8]] {
        let ofNodes = model.graph.node.flatMap { $0.attribute.filter(\.hasT).map { [UInt8]($0.t.rawData) } }
        return ofNodes + model.graph.initializer.map { [UInt8]($0.rawData) }
    }

    private func valueInfo(_ record: OnnxSubset_ValueRecord) throws(OnnxError) -> ValueInfo {
        let type = record.type.tensorType
        try limit(type.shape.dim.count, "dimensions of '\(record.name)'", TensorReader.maximumRank)
        let dims = type.shape.dim.map { dim -> ValueInfo.Dimension in
            switch dim.value {
            case .dimValue(let size) where size >= 0: .fixed(Int(size))
            case .dimParam(let name): .symbolic(name)
            default: .symbolic("")
            }
        }
        return ValueInfo(
            name: record.name, isFloat: type.elemType == TensorReader.ElementType.float.rawValue,
            dims: type.hasShape ? dims : nil)
    }

    private func node(_ record: OnnxSubset_NodeRecord) throws(OnnxError) -> Node {
        let isStandard = record.domain.isEmpty || record.domain == "ai.onnx"
        let operation = isStandard ? record.opType : "\(record.domain).\(record.opType)"
        let name = record.name.isEmpty ? "making '\(record.output.first ?? "nothing")'" : "'\(record.name)'"
        try limit(record.input.count, "inputs of node \(name)", Self.maximumEdges)
        try limit(record.output.count, "outputs of node \(name)", Self.maximumEdges)
        try limit(record.attribute.count, "attributes of node \(name)", Self.maximumEdges)
        var attributes: [String: Attribute] = [:]
        for item in record.attribute {
            guard attributes.updateValue(try attribute(item), forKey: item.name) == nil else {
                throw .unreadable(file: file, node: name, reason: "attribute '\(item.name)' is given twice")
            }
        }
        return Node(
            operation: operation, name: name, inputs: record.input, outputs: record.output, attributes: attributes)
    }

    /// The numbers are those of AttributeProto.AttributeType.
    private func attribute(_ record: OnnxSubset_AttributeRecord) throws(OnnxError) -> Attribute {
        switch record.type {
        case 1: .float(record.f)
        case 2: .integer(Int(record.i))
        case 3: .string(String(decoding: record.s, as: UTF8.self))
        case 4: .tensor(try TensorReader(file: file, record: record.t).tensor())
        case 6: .floats(record.floats)
        case 7: .integers(record.ints.map { Int($0) })
        case 8: .strings(record.strings.map { String(decoding: $0, as: UTF8.self) })
        default: .other
        }
    }
}
