// Evaluates nodes whose inputs are all known before the model runs: what exporters emit to compute the shape
// for a Reshape or the widths for a Pad, and now and then a transposed weight.

import Onnx

struct ConstantEvaluator {
    /// Folding may make a tensor larger than its operands; shapes and scales are far below this.
    static let maximumMade = 1 << 22

    let reader: NodeReader
    let inputs: [Constant?]

    private static let foldable: Set<String> = [
        "Add", "Cast", "Concat", "Constant", "ConstantOfShape", "Div", "Gather", "Identity", "Mul", "Reshape", "Slice",
        "Squeeze", "Sub", "Transpose", "Unsqueeze",
    ]

    static func canFold(_ operation: String) -> Bool { foldable.contains(operation) }

    func evaluate() throws(InferenceError) -> Constant {
        switch reader.node.operation {
        case "Constant": try constant()
        case "ConstantOfShape": try constantOfShape()
        case "Identity": try operand(0)
        case "Cast": try cast()
        case "Concat": try concat()
        case "Gather": try gather()
        case "Reshape": try operand(0).withDims(Self.resolve(try shape(1), against: operand(0).dims, reader))
        case "Slice": try slice()
        case "Squeeze": try operand(0).withDims(squeezed())
        case "Unsqueeze": try operand(0).withDims(unsqueezed())
        case "Transpose": try transpose()
        default: try arithmetic()
        }
    }

    /// -1 takes what is left, 0 copies (ONNX Reshape).
    static func resolve(_ target: [Int], against dims: [Int], _ reader: NodeReader) throws(InferenceError) -> [Int] {
        let copies = try reader.integer("allowzero", default: 0) == 0
        var result = target
        for (axis, dim) in target.enumerated() where dim == 0 && copies {
            guard axis < dims.count else { throw reader.malformed("dimension \(axis) has nothing to copy from") }
            result[axis] = dims[axis]
        }
        let total = dims.reduce(1, *)
        let known = try product(result.filter { $0 != -1 }, limit: total, reader)
        if let open = result.firstIndex(of: -1) {
            guard known > 0, total % known == 0 else { throw reader.malformed("\(dims) cannot become \(target)") }
            result[open] = total / known
        }
        guard try product(result, limit: total, reader) == total else {
            throw reader.malformed("\(dims) cannot become \(target)")
        }
        return result
    }

    static func product(_ dims: [Int], limit: Int = maximumMade, _ reader: NodeReader) throws(InferenceError) -> Int {
        var product = 1
        for dim in dims {
            let (next, overflow) = product.multipliedReportingOverflow(by: dim)
            guard dim >= 0, !overflow, next <= limit else {
                throw reader.malformed("dimensions \(dims) are negative or too large")
            }
            product = next
        }
        return product
    }

    private func operand(_ index: Int) throws(InferenceError) -> Constant {
        guard index < inputs.count, let value = inputs[index] else {
            throw reader.malformed("input \(index) is missing")
        }
        return value
    }

    private func shape(_ index: Int) throws(InferenceError) -> [Int] {
        guard let values = try operand(index).integers else { throw reader.malformed("input \(index) is not integers") }
        return values
    }

    /// What is an attribute in older opsets and an input in newer ones; nil where it is left out.
    private func list(_ attribute: String, orInput index: Int) throws(InferenceError) -> [Int]? {
        if let list = try reader.integers(attribute) { return list }
        return reader.input(index) == nil ? nil : try shape(index)
    }

    private func constant() throws(InferenceError) -> Constant {
        switch reader.node.attributes["value"] {
        case .tensor(let tensor)?: return Constant(tensor)
        default: break
        }
        for (name, value) in reader.node.attributes {
            switch (name, value) {
            case ("value_float", .float(let x)): return Constant(dims: [], values: .floats([x]))
            case ("value_floats", .floats(let x)): return Constant(dims: [x.count], values: .floats(x))
            case ("value_int", .integer(let x)): return Constant(dims: [], values: .integers([x]))
            case ("value_ints", .integers(let x)): return Constant(dims: [x.count], values: .integers(x))
            default: continue
            }
        }
        throw reader.unsupported("only tensors and numbers")
    }

    private func constantOfShape() throws(InferenceError) -> Constant {
        let dims = try shape(0)
        let count = try Self.product(dims, reader)
        guard case .tensor(let tensor)? = reader.node.attributes["value"], tensor.count == 1 else {
            return Constant(dims: dims, values: .floats(Array(repeating: 0, count: count)))
        }
        return Constant(tensor).picking(Array(repeating: 0, count: count), dims: dims)
    }

    private func cast() throws(InferenceError) -> Constant {
        let value = try operand(0)
        switch (try reader.integer("to", default: 0), value.values) {
        case (1, .integers(let all)), (11, .integers(let all)):
            return Constant(dims: value.dims, values: .floats(all.map { Float($0) }))
        case (6, .floats(let all)), (7, .floats(let all)):
            guard all.allSatisfy({ $0.magnitude < 1e18 }) else {
                throw reader.malformed("a number beyond the integers")
            }
            return Constant(dims: value.dims, values: .integers(all.map { Int($0) }))
        case (1, .floats), (11, .floats), (6, .integers), (7, .integers), (9, .integers): return value
        case (let type, _): throw reader.unsupported("to element type \(type)")
        }
    }

    private func concat() throws(InferenceError) -> Constant {
        let parts = try inputs.indices.map { index throws(InferenceError) in try operand(index) }
        guard let first = parts.first else { throw reader.malformed("nothing to join") }
        let axis = try reader.axis(try reader.integer("axis", default: 0), rank: first.dims.count)
        var dims = first.dims
        dims[axis] = parts.reduce(0) { $0 + ($1.dims.count > axis ? $1.dims[axis] : 0) }
        let fits = parts.allSatisfy { part in
            part.dims.count == dims.count && dims.indices.allSatisfy { $0 == axis || part.dims[$0] == dims[$0] }
        }
        guard fits else { throw reader.malformed("the parts differ outside axis \(axis)") }
        let outer = dims[..<axis].reduce(1, *)
        if parts.allSatisfy({ $0.integers != nil }) {
            return Constant(dims: dims, values: .integers(Self.interleave(parts.map { $0.integers ?? [] }, outer)))
        }
        guard parts.allSatisfy({ $0.floats != nil }) else { throw reader.malformed("numbers of different types") }
        return Constant(dims: dims, values: .floats(Self.interleave(parts.map { $0.floats ?? [] }, outer)))
    }

    private static func interleave<Value>(_ parts: [[Value]], _ outer: Int) -> [Value] {
        (0..<outer).flatMap { row in
            parts.flatMap { part in
                let length = part.count / outer
                return part[row * length..<(row + 1) * length]
            }
        }
    }

    private func gather() throws(InferenceError) -> Constant {
        let value = try operand(0)
        let indices = try shape(1)
        let axis = try reader.axis(try reader.integer("axis", default: 0), rank: value.dims.count)
        let size = value.dims[axis]
        guard indices.allSatisfy({ $0 >= -size && $0 < size }) else {
            throw reader.malformed("an index beyond \(size)")
        }
        let dims = value.dims[..<axis] + (try operand(1).dims) + value.dims[(axis + 1)...]
        _ = try Self.product(Array(dims), reader)
        let strides = RowMajor.strides(value.dims)
        let outer = RowMajor.places(Array(value.dims[..<axis]), steps: Array(strides[..<axis]))
        let inner = RowMajor.places(Array(value.dims[(axis + 1)...]), steps: Array(strides[(axis + 1)...]))
        let places = outer.flatMap { base in
            indices.flatMap { index in inner.map { base + (index < 0 ? index + size : index) * strides[axis] + $0 } }
        }
        return value.picking(places, dims: Array(dims))
    }

    private func slice() throws(InferenceError) -> Constant {
        let value = try operand(0)
        let starts = try list("starts", orInput: 1) ?? []
        let ends = try list("ends", orInput: 2) ?? []
        let axes = try list("axes", orInput: 3) ?? Array(starts.indices)
        let steps = reader.input(4) == nil ? Array(repeating: 1, count: starts.count) : try shape(4)
        guard ends.count == starts.count, axes.count == starts.count, steps.count == starts.count else {
            throw reader.malformed("starts, ends, axes and steps differ in number")
        }
        let strides = RowMajor.strides(value.dims)
        var dims = value.dims
        var strideSteps = strides
        var origin = 0
        for index in starts.indices {
            let axis = try reader.axis(axes[index], rank: dims.count)
            let size = value.dims[axis]
            let step = steps[index]
            guard step != 0, step.magnitude < 1 << 30 else { throw reader.malformed("a step of \(step)") }
            // ONNX clamps both ends into the axis; going backwards the end may lie before its first element.
            func clamped(_ place: Int, _ range: ClosedRange<Int>) -> Int {
                let counted = place < 0 ? max(place, -size - 1) + size : place
                return min(max(counted, range.lowerBound), range.upperBound)
            }
            let start = step > 0 ? clamped(starts[index], 0...size) : clamped(starts[index], 0...max(size - 1, 0))
            let end = step > 0 ? clamped(ends[index], 0...size) : clamped(ends[index], -1...max(size - 1, 0))
            let length = step > 0 ? end - start + step - 1 : start - end - step - 1
            dims[axis] = size == 0 ? 0 : max(length / Int(step.magnitude), 0)
            strideSteps[axis] = strides[axis] * step
            origin += start * strides[axis]
        }
        return value.picking(
            dims.contains(0) ? [] : RowMajor.places(dims, steps: strideSteps, start: origin), dims: dims)
    }

    private func squeezed() throws(InferenceError) -> [Int] {
        let dims = try operand(0).dims
        guard let axes = try list("axes", orInput: 1) else { return dims.filter { $0 != 1 } }
        let gone = Set(try axes.map { axis throws(InferenceError) in try reader.axis(axis, rank: dims.count) })
        guard gone.allSatisfy({ dims[$0] == 1 }) else { throw reader.malformed("an axis of \(dims) is not 1") }
        return dims.indices.filter { !gone.contains($0) }.map { dims[$0] }
    }

    private func unsqueezed() throws(InferenceError) -> [Int] {
        try Self.unsqueeze(operand(0).dims, axes: try list("axes", orInput: 1) ?? [], reader)
    }

    static func unsqueeze(_ dims: [Int], axes: [Int], _ reader: NodeReader) throws(InferenceError) -> [Int] {
        let rank = dims.count + axes.count
        let added = Set(try axes.map { axis throws(InferenceError) in try reader.axis(axis, rank: rank) })
        guard added.count == axes.count, rank <= 16 else { throw reader.malformed("axes \(axes)") }
        var rest = dims[...]
        return (0..<rank).map { added.contains($0) ? 1 : rest.popFirst() ?? 1 }
    }

    private func transpose() throws(InferenceError) -> Constant {
        let value = try operand(0)
        let rank = value.dims.count
        let permutation = try reader.integers("perm") ?? Array((0..<rank).reversed())
        guard permutation.sorted() == Array(0..<rank) else { throw reader.malformed("perm \(permutation)") }
        let strides = RowMajor.strides(value.dims)
        let dims = permutation.map { value.dims[$0] }
        return value.picking(RowMajor.places(dims, steps: permutation.map { strides[$0] }), dims: dims)
    }

    /// Add, Sub, Mul, Div with broadcasting.
    private func arithmetic() throws(InferenceError) -> Constant {
        let (a, b) = (try operand(0), try operand(1))
        let rank = max(a.dims.count, b.dims.count)
        func padded(_ dims: [Int]) -> [Int] { Array(repeating: 1, count: rank - dims.count) + dims }
        let (left, right) = (padded(a.dims), padded(b.dims))
        guard zip(left, right).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else {
            throw reader.malformed("\(a.dims) and \(b.dims) do not fit")
        }
        let dims = zip(left, right).map { $0 == 1 ? $1 : $0 }
        _ = try Self.product(dims, reader)
        func places(_ own: [Int]) -> [Int] {
            RowMajor.places(dims, steps: zip(own, RowMajor.strides(own)).map { $0 == 1 ? 0 : $1 })
        }
        let (x, y) = (a.picking(places(left), dims: dims), b.picking(places(right), dims: dims))
        switch (x.values, y.values) {
        case (.floats(let p), .floats(let q)):
            return Constant(dims: dims, values: .floats(zip(p, q).map { floatResult($0, $1) }))
        case (.integers(let p), .integers(let q)):
            var results: [Int] = []
            for (one, other) in zip(p, q) { results.append(try integerResult(one, other)) }
            return Constant(dims: dims, values: .integers(results))
        default: throw reader.malformed("numbers of different types")
        }
    }

    private func floatResult(_ a: Float, _ b: Float) -> Float {
        switch reader.node.operation {
        case "Add": a + b
        case "Sub": a - b
        case "Mul": a * b
        default: a / b
        }
    }

    private func integerResult(_ a: Int, _ b: Int) throws(InferenceError) -> Int {
        let (result, overflow) =
            switch reader.node.operation {
            case "Add": a.addingReportingOverflow(b)
            case "Sub": a.subtractingReportingOverflow(b)
            case "Mul": a.multipliedReportingOverflow(by: b)
            default: a.dividedReportingOverflow(by: b)
            }
        guard !overflow else { throw reader.malformed("\(a) and \(b) overflow") }
        return result
    }
}
