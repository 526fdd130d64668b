// Constants of the graph while it is lowered: weights, and the small integers by which exporters compute
// shapes. Two kinds of number are enough for both.

import Onnx

struct Constant: Equatable {
    enum Values: Equatable {
        case floats([Float])
        case integers([Int])
    }

    let dims: [Int]
    let values: Values

    init(dims: [Int], values: Values) {
        self.dims = dims
        self.values = values
    }

    init(_ tensor: Tensor) {
        dims = tensor.dims
        values =
            switch tensor.elements {
            case .float(let all): .floats(all)
            case .double(let all): .floats(all.map { Float($0) })
            case .int64(let all): .integers(all.map { Int($0) })
            case .int32(let all): .integers(all.map { Int($0) })
            case .int8(let all): .integers(all.map { Int($0) })
            case .uint8(let all): .integers(all.map { Int($0) })
            case .bool(let all): .integers(all.map { $0 ? 1 : 0 })
            }
    }

    var count: Int {
        switch values {
        case .floats(let all): all.count
        case .integers(let all): all.count
        }
    }

    var floats: [Float]? {
        guard case .floats(let all) = values else { return nil }
        return all
    }

    var integers: [Int]? {
        guard case .integers(let all) = values else { return nil }
        return all
    }

    /// The elements at these places of the row-major order, under new dimensions.
    func picking(_ places: [Int], dims: [Int]) -> Constant {
        switch values {
        case .floats(let all): Constant(dims: dims, values: .floats(places.map { all[$0] }))
        case .integers(let all): Constant(dims: dims, values: .integers(places.map { all[$0] }))
        }
    }

    func withDims(_ dims: [Int]) -> Constant { Constant(dims: dims, values: values) }
}

/// Row-major places in a tensor.
enum RowMajor {
    static func strides(_ dims: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: dims.count)
        for axis in dims.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * dims[axis + 1] }
        return strides
    }

    /// The places `start + sum(index[axis] * steps[axis])` for every index below `dims`, last axis fastest.
    static func places(_ dims: [Int], steps: [Int], start: Int = 0) -> [Int] {
        var places = [start]
        for (dim, step) in zip(dims, steps) {
            places = places.flatMap { base in (0..<dim).map { base + $0 * step } }
        }
        return places
    }
}
