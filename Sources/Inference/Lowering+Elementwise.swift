// Operations that keep the shape: by a constant per channel, by another map, or alone.

import Onnx

extension Lowering {
    mutating func batchNormalization(_ reader: NodeReader) throws(InferenceError) {
        let view = try view(reader, 0)
        let channels = shape(view).channels
        guard !view.dims.isEmpty, view.isChannels(0, shape(view)) else {
            throw reader.unsupported("its second axis is not the channels")
        }
        let parameters = try (1...4).map { index throws(InferenceError) in try floats(reader, index).values }
        guard parameters.allSatisfy({ $0.count == channels }) else {
            throw reader.malformed("parameters of \(parameters.map(\.count)) for \(channels) channels")
        }
        let epsilon = Double(try reader.float("epsilon", default: 1e-5))
        let scale = (0..<channels).map {
            Double(parameters[0][$0]) / (Double(parameters[3][$0]) + epsilon).squareRoot()
        }
        let shift = (0..<channels).map { Double(parameters[1][$0]) - Double(parameters[2][$0]) * scale[$0] }
        bind(reader, try scaled(view, by: scale.map { Float($0) }, plus: shift.map { Float($0) }, reader))
    }

    mutating func activation(_ reader: NodeReader, _ activation: Activation) throws(InferenceError) {
        bind(reader, try activated(view(reader, 0), activation, reader))
    }

    /// Limits are attributes before opset 11, inputs since.
    mutating func clip(_ reader: NodeReader) throws(InferenceError) {
        let low = try number(reader, "min", orInput: 1, default: -.infinity)
        let high = try number(reader, "max", orInput: 2, default: .infinity)
        guard low <= high else { throw reader.unsupported("limits \(low) and \(high)") }
        if low == -.infinity && high == .infinity { return try alias(reader) }
        try activation(reader, low == 0 && high == .infinity ? .relu : .clip(low: low, high: high))
    }

    mutating func binary(_ reader: NodeReader, _ operation: BinaryOperation) throws(InferenceError) {
        if case .constant = try value(reader, 1) {
            let view = try view(reader, 0)
            let values = try perChannel(try floats(reader, 1), over: view, reader)
            let result =
                switch operation {
                case .add: try scaled(view, by: nil, plus: values, reader)
                case .subtract: try scaled(view, by: nil, plus: values.map { -$0 }, reader)
                case .multiply: try scaled(view, by: values, plus: nil, reader)
                case .divide: try scaled(view, by: values.map { 1 / $0 }, plus: nil, reader)
                }
            return bind(reader, result)
        }
        if case .constant = try value(reader, 0) {
            let view = try view(reader, 1)
            let values = try perChannel(try floats(reader, 0), over: view, reader)
            let result =
                switch operation {
                case .add: try scaled(view, by: nil, plus: values, reader)
                case .subtract: try scaled(view, by: values.map { _ in -1 }, plus: values, reader)
                case .multiply: try scaled(view, by: values, plus: nil, reader)
                case .divide: throw reader.unsupported("a constant divided by a tensor")
                }
            return bind(reader, result)
        }
        if operation == .add, let sum = try sumWithUpsampled(reader) { return bind(reader, sum) }
        bind(reader, try combined(try view(reader, 0), try view(reader, 1), operation, reader))
    }

    /// Nil where neither operand is upsampled, or the other one is no convolution that could take it over.
    private mutating func sumWithUpsampled(_ reader: NodeReader) throws(InferenceError) -> View? {
        for (one, other) in [(0, 1), (1, 0)] {
            guard case .upsampled(let small, let factors) = try value(reader, one),
                case .view(let large) = try value(reader, other), large.isPlanar(shape(large))
            else { continue }
            var size = shape(small)
            size.height *= factors.height
            size.width *= factors.width
            if size == shape(large), let sum = fusedSum(large, upsampled: small, by: factors) { return sum }
        }
        return nil
    }

    private mutating func combined(
        _ first: View, _ second: View, _ operation: BinaryOperation, _ reader: NodeReader
    ) throws(InferenceError) -> View {
        let alike = first.over(0) == second.over(0) && shape(first) == shape(second)
        if alike, operation == .add, let sum = fusedSum(first, second) { return sum }
        let full = alike || repeats(second, over: first) ? first : second
        guard alike || repeats(second, over: first) || repeats(first, over: second) else {
            throw reader.unsupported("\(first.dims) with \(second.dims); equal shapes or one value a channel are")
        }
        let output = try addMap(shape(full), reader)
        append(.binary(Binary(operation: operation, first: first.map, second: second.map, output: output)))
        return full.over(output)
    }

    /// Whether `small` holds one value a channel of `large`, laid so that ONNX would broadcast it.
    private func repeats(_ small: View, over large: View) -> Bool {
        guard shape(small).isVector, shape(small).channels == shape(large).channels,
            small.dims.count == large.dims.count
        else { return false }
        return large.dims.indices.allSatisfy { axis in
            large.isChannels(axis, shape(large)) && small.dims[axis] == large.dims[axis] || small.dims[axis] == 1
        }
    }

    /// A constant that is broadcast over the view, as one value a channel.
    private func perChannel(
        _ constant: (dims: [Int], values: [Float]), over view: View, _ reader: NodeReader
    ) throws(InferenceError) -> [Float] {
        let channels = shape(view).channels
        let rank = view.dims.count + 1
        let dims = Array(repeating: 1, count: max(rank - constant.dims.count, 0)) + constant.dims
        let fits =
            dims.count == rank && dims[0] == 1
            && view.dims.indices.allSatisfy {
                dims[$0 + 1] == 1 || dims[$0 + 1] == view.dims[$0] && view.isChannels($0, shape(view))
            }
        guard fits, constant.values.count == 1 || constant.values.count == channels else {
            throw reader.unsupported(
                "a constant of \(constant.dims) with a tensor of \(view.dims); a scalar or one value a channel is")
        }
        return constant.values.count == channels
            ? constant.values : Array(repeating: constant.values[0], count: channels)
    }

    mutating func softmax(_ reader: NodeReader) throws(InferenceError) {
        let view = try view(reader, 0)
        let axis = try reader.axis(
            reader.integer("axis", default: graph.opset < 13 ? 1 : -1), rank: view.dims.count + 1)
        let isPlain = graph.opset >= 13 || view.dims[max(axis, 1)...].allSatisfy { $0 == 1 } || axis == view.dims.count
        guard axis > 0, isPlain, view.isChannels(axis - 1, shape(view)) else {
            throw reader.unsupported("axis \(axis) of \(view.dims); along the channels is")
        }
        let output = try addMap(shape(view), reader)
        append(.softmax(input: view.map, output: output))
        bind(reader, view.over(output))
    }

    /// Parts that nothing else reads are written straight into their place of the whole.
    mutating func concat(_ reader: NodeReader) throws(InferenceError) {
        let views = try reader.node.inputs.indices.map { index throws(InferenceError) in try view(reader, index) }
        guard let first = views.first else { throw reader.malformed("nothing to join") }
        let axis = try reader.axis(reader.integer("axis", default: 1), rank: first.dims.count + 1) - 1
        guard axis >= 0 else { throw reader.unsupported("joining along the batch") }
        let whole = views.reduce(0) { $0 + shape($1).channels }
        let model = first.over(0, channels: whole, at: axis)
        for view in views {
            let (own, other) = (shape(view), shape(first))
            guard view.dims.count == first.dims.count, view.isChannels(axis, own), own.height == other.height,
                own.width == other.width, view.over(0, channels: whole, at: axis) == model
            else {
                throw reader.unsupported("joining \(views.map(\.dims)) along axis \(axis + 1); along the channels is")
            }
        }
        let size = shape(first)
        let output = try addMap(MapShape(channels: whole, height: size.height, width: size.width), reader)
        var channel = 0
        for view in views {
            let count = shape(view).channels
            if maps[view.map].isShared || maps[view.map].producer == nil || maps[view.map].slice != nil {
                let part = try addMap(shape(view), reader)
                append(.copy(input: view.map, output: part))
                maps[part].slice = (output, channel)
            } else {
                maps[view.map].slice = (output, channel)
            }
            channel += count
        }
        bind(reader, model.over(output))
    }
}
