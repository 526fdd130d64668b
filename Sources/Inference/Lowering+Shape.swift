// What only re-views its input: no step comes of any of these.

import Onnx

extension Lowering {
    mutating func alias(_ reader: NodeReader) throws(InferenceError) {
        if case .padded(let view, let pads) = try value(reader, 0) {
            return bind(reader, padded: view, by: pads)
        }
        bind(reader, try view(reader, 0))
    }

    mutating func cast(_ reader: NodeReader) throws(InferenceError) {
        guard try reader.integer("to", default: 1) == 1 else { throw reader.unsupported("to anything but float32") }
        try alias(reader)
    }

    mutating func flatten(_ reader: NodeReader) throws(InferenceError) {
        let view = try view(reader, 0)
        let axis = try reader.integer("axis", default: 1)
        guard axis == 1 || axis == -view.dims.count else { throw reader.unsupported("axis \(axis); 1 is") }
        try rearrange(reader, view, [view.dims.reduce(1, *)])
    }

    mutating func reshape(_ reader: NodeReader) throws(InferenceError) {
        let view = try view(reader, 0)
        let target = try ConstantEvaluator.resolve(integers(reader, 1), against: [1] + view.dims, reader)
        guard target.first == 1 else { throw reader.unsupported("\(view.dims) to \(target): it would move the batch") }
        try rearrange(reader, view, Array(target.dropFirst()))
    }

    mutating func squeeze(_ reader: NodeReader) throws(InferenceError) {
        let view = try view(reader, 0)
        guard let given = try list(reader, "axes", orInput: 1) else {
            throw reader.unsupported("no axes: it might drop the batch")
        }
        let axes = Set(
            try given.map { axis throws(InferenceError) in try reader.axis(axis, rank: view.dims.count + 1) - 1 })
        guard axes.allSatisfy({ $0 >= 0 && view.dims[$0] == 1 }) else {
            throw reader.malformed("axes \(given) of \(view.dims) are not all 1")
        }
        try rearrange(reader, view, view.dims.indices.filter { !axes.contains($0) }.map { view.dims[$0] })
    }

    mutating func unsqueeze(_ reader: NodeReader) throws(InferenceError) {
        let view = try view(reader, 0)
        let given = try list(reader, "axes", orInput: 1) ?? []
        let rank = view.dims.count + 1 + given.count
        let places = try given.map { axis throws(InferenceError) in try reader.axis(axis, rank: rank) }
        guard !places.contains(0) else { throw reader.unsupported("a new axis before the batch") }
        try rearrange(
            reader, view, Array(try ConstantEvaluator.unsqueeze([1] + view.dims, axes: given, reader).dropFirst()))
    }

    mutating func transpose(_ reader: NodeReader) throws(InferenceError) {
        let view = try view(reader, 0)
        let rank = view.dims.count + 1
        let permutation = try reader.integers("perm") ?? Array((0..<rank).reversed())
        guard permutation.sorted() == Array(0..<rank) else {
            throw reader.malformed("perm \(permutation) of rank \(rank)")
        }
        guard permutation[0] == 0 else { throw reader.unsupported("perm \(permutation): it moves the batch") }
        bind(reader, view.transposed(permutation.dropFirst().map { $0 - 1 }))
    }

    private mutating func rearrange(_ reader: NodeReader, _ view: View, _ dims: [Int]) throws(InferenceError) {
        guard let result = view.reshaped(dims, shape(view)) else {
            throw reader.unsupported("\(view.dims) to \(dims) would split or mix channels")
        }
        bind(reader, result)
    }
}
