// What only re-views its input: no step comes of any of these.
// A part that is cut out is a map inside another; a concatenation's parts are the same, written instead of read.

import Onnx

extension Lowering {
    mutating func alias(_ reader: NodeReader) throws(InferenceError) {
        if case .padded(let view, let pads) = try value(reader, 0) {
            return bind(reader, padded: view, by: pads)
        }
        if case .upsampled(let view, let factors) = try value(reader, 0) {
            return bind(reader, upsampled: view, by: factors)
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

    /// A range of the channels: read where they lie. ONNX clamps both ends into the axis.
    mutating func slice(_ reader: NodeReader) throws(InferenceError) {
        let view = try view(reader, 0)
        let starts = try list(reader, "starts", orInput: 1) ?? []
        let ends = try list(reader, "ends", orInput: 2) ?? []
        let axes = try list(reader, "axes", orInput: 3) ?? Array(starts.indices)
        let steps = reader.input(4) == nil ? Array(repeating: 1, count: starts.count) : try integers(reader, 4)
        guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count else {
            throw reader.malformed("starts, ends, axes and steps differ in number")
        }
        guard starts.count == 1, steps[0] == 1 else {
            throw reader.unsupported("axes \(axes) in steps of \(steps); one axis in steps of 1 is")
        }
        let axis = try reader.axis(axes[0], rank: view.dims.count + 1) - 1
        guard axis >= 0 else { throw reader.unsupported("a part of the batch") }
        let size = view.dims[axis]
        func clamped(_ place: Int) -> Int { min(max(place < 0 ? max(place, -size) + size : place, 0), size) }
        let (start, end) = (clamped(starts[0]), clamped(ends[0]))
        guard start < end else { throw reader.malformed("\(starts[0])..<\(ends[0]) of \(size) is empty") }
        if start == 0, end == size { return try alias(reader) }
        guard view.isChannels(axis, shape(view)) else {
            throw reader.unsupported("axis \(axis + 1) of \([1] + view.dims); the channels can be cut")
        }
        let whole = maps[view.map].slice ?? (parent: view.map, firstChannel: 0)
        var part = shape(view)
        part.channels = end - start
        let map = try addMap(part, reader)
        maps[map].slice = (whole.parent, whole.firstChannel + start)
        // What is fused into the whole from here on would change the part.
        maps[view.map].isShared = true
        bind(reader, view.over(map, channels: end - start, at: axis))
    }

    private mutating func rearrange(_ reader: NodeReader, _ view: View, _ dims: [Int]) throws(InferenceError) {
        guard let result = view.reshaped(dims, shape(view)) else {
            throw reader.unsupported("\(view.dims) to \(dims) would split or mix channels")
        }
        bind(reader, result)
    }
}
