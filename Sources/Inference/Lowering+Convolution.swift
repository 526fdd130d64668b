// Convolutions and dense layers, and what is fused into them: scales, activations, residual sums.

import Onnx

extension Lowering {
    mutating func convolution(_ reader: NodeReader) throws(InferenceError) {
        var outer = Pads()
        let view: View
        if case .padded(let inner, let pads) = try value(reader, 0) {
            (view, outer) = (inner, pads)
        } else {
            view = try self.view(reader, 0)
        }
        try requirePlanar(view, reader)
        let input = shape(view)
        let (dims, weights) = try floats(reader, 1)
        let groups = try reader.integer("group", default: 1)
        guard dims.count == 4 else {
            throw reader.unsupported("weights of rank \(dims.count); two-dimensional ones are")
        }
        guard groups > 0, input.channels % groups == 0, dims[0] % groups == 0, dims[1] == input.channels / groups,
            dims[0] > 0, dims[2] > 0, dims[3] > 0
        else { throw reader.malformed("weights of \(dims), \(groups) groups, \(input.channels) input channels") }
        if let kernel = try reader.integers("kernel_shape"), kernel != Array(dims[2...]) {
            throw reader.malformed("kernel_shape is \(kernel), the weights are \(dims)")
        }
        let extent = Extent(
            height: input.height + outer.top + outer.bottom, width: input.width + outer.left + outer.right)
        var window = try WindowReader(reader: reader).window(
            kernel: Extent(height: dims[2], width: dims[3]), over: extent)
        let result = try WindowReader(reader: reader).outputs(window, over: extent, roundsUp: false)
        window.pads = window.pads + outer
        let output = try addMap(MapShape(channels: dims[0], height: result.height, width: result.width), reader)
        let bias = try optionalFloats(reader, 2)?.values ?? Array(repeating: 0, count: dims[0])
        guard bias.count == dims[0] else { throw reader.malformed("\(bias.count) biases for \(dims[0]) channels") }
        append(
            .convolution(
                Convolution(
                    input: view.map, output: output, window: window, groups: groups, weights: weights, bias: bias)))
        bind(reader, .planar(output, maps[output].shape))
    }

    mutating func gemm(_ reader: NodeReader) throws(InferenceError) {
        guard try reader.integer("transA", default: 0) == 0 else { throw reader.unsupported("transA") }
        let view = try view(reader, 0)
        guard view.dims.count == 1 else { throw reader.malformed("its first input has rank \(view.dims.count + 1)") }
        let isTransposed = try reader.integer("transB", default: 0) != 0
        let (alpha, beta) = (try reader.float("alpha", default: 1), try reader.float("beta", default: 1))
        let (dims, values) = try floats(reader, 1)
        guard dims.count == 2 else { throw reader.malformed("its weights have rank \(dims.count)") }
        let outputs = isTransposed ? dims[0] : dims[1]
        var bias = [Float](repeating: 0, count: outputs)
        if let (biasDims, given) = try optionalFloats(reader, 2) {
            guard given.count == 1 || given.count == outputs && biasDims.last == outputs else {
                throw reader.malformed("a bias of \(biasDims) for \(outputs) outputs")
            }
            for index in bias.indices { bias[index] = beta * (given.count == 1 ? given[0] : given[index]) }
        }
        try dense(
            reader, view, dims: isTransposed ? [dims[1], dims[0]] : dims, bias: bias,
            weight: { (input: Int, output: Int) in
                alpha * (isTransposed ? values[output * dims[1] + input] : values[input * dims[1] + output])
            })
    }

    mutating func matMul(_ reader: NodeReader) throws(InferenceError) {
        let view = try view(reader, 0)
        let (dims, values) = try floats(reader, 1)
        guard dims.count == 2, view.dims.dropLast().allSatisfy({ $0 == 1 }) else {
            throw reader.unsupported("\(view.dims) by \(dims); a vector by a constant matrix is")
        }
        try dense(
            reader, view, dims: dims, bias: Array(repeating: 0, count: dims[1]),
            weight: { input, output in values[input * dims[1] + output] })
    }

    /// A dense layer is a convolution whose kernel covers the whole map, so a Flatten before it in either
    /// layout only decides in which order the weights are read.
    /// - Parameter dims: inputs, outputs.
    private mutating func dense(
        _ reader: NodeReader, _ view: View, dims: [Int], bias: [Float], weight: (Int, Int) -> Float
    ) throws(InferenceError) {
        let input = shape(view)
        guard dims[0] == input.count, dims[1] > 0 else {
            throw reader.malformed("weights of \(dims) for \(input.count) inputs")
        }
        // Where each logical input lies in the weights of one output, which go channels, rows, columns.
        let strides: [Axis: Int] = [.channel: input.height * input.width, .row: input.width, .column: 1]
        let places = RowMajor.places(view.order.map(input.size), steps: view.order.map { strides[$0] ?? 0 })
        var weights = [Float](repeating: 0, count: dims[0] * dims[1])
        for output in 0..<dims[1] {
            let start = output * dims[0]
            for (index, place) in places.enumerated() { weights[start + place] = weight(index, output) }
        }
        let map = try addMap(MapShape(channels: dims[1], height: 1, width: 1), reader)
        let window = Window(kernel: Extent(height: input.height, width: input.width))
        append(
            .convolution(
                Convolution(input: view.map, output: map, window: window, groups: 1, weights: weights, bias: bias)))
        let last = view.dims.count - 1
        bind(reader, view.reduced(Set(0..<last), keeps: true, over: map).over(map, channels: dims[1], at: last))
    }

    // MARK: fusing

    /// The step that makes this map, if nothing else reads the map.
    private func soleProducer(_ map: MapID) -> (index: Int, step: Step)? {
        guard !maps[map].isShared, let index = maps[map].producer, let step = steps[index] else { return nil }
        return (index, step)
    }

    /// output = view * scale + shift by channel.
    mutating func scaled(
        _ view: View, by scale: [Float]?, plus shift: [Float]?, _ reader: NodeReader
    ) throws(InferenceError) -> View {
        switch soleProducer(view.map) {
        case (let index, .convolution(var step))?
        where step.activation == .none && (step.residual == nil || scale == nil && step.residual?.isLast == false):
            let length = step.weights.count / step.bias.count
            for channel in step.bias.indices {
                let factor = scale?[channel] ?? 1
                for place in channel * length..<(channel + 1) * length { step.weights[place] *= factor }
                step.bias[channel] = step.bias[channel] * factor + (shift?[channel] ?? 0)
            }
            steps[index] = .convolution(step)
            return view
        case (let index, .scaleShift(var step))? where step.activation == .none:
            let count = shape(view).channels
            let (oldScale, oldShift) = (step.scale, step.shift)
            if let scale { step.scale = (0..<count).map { (oldScale?[$0] ?? 1) * scale[$0] } }
            step.shift = (0..<count).map { (oldShift?[$0] ?? 0) * (scale?[$0] ?? 1) + (shift?[$0] ?? 0) }
            steps[index] = .scaleShift(step)
            return view
        default:
            let output = try addMap(shape(view), reader)
            append(.scaleShift(ScaleShift(input: view.map, output: output, scale: scale, shift: shift)))
            return view.over(output)
        }
    }

    mutating func activated(_ view: View, _ activation: Activation, _ reader: NodeReader) throws(InferenceError) -> View
    {
        switch soleProducer(view.map) {
        case (let index, .convolution(var step))? where step.activation == .none && step.residual?.isLast != true:
            step.activation = activation
            steps[index] = .convolution(step)
            return view
        case (let index, .scaleShift(var step))? where step.activation == .none:
            step.activation = activation
            steps[index] = .scaleShift(step)
            return view
        case (let index, .binary(var step))? where step.activation == .none:
            step.activation = activation
            steps[index] = .binary(step)
            return view
        default:
            let output = try addMap(shape(view), reader)
            append(.scaleShift(ScaleShift(input: view.map, output: output, activation: activation)))
            return view.over(output)
        }
    }

    /// The sum of two maps of one shape as the residual of the convolution that makes one of them; nil where
    /// neither is made so. The convolution moves to where both are there.
    mutating func fusedSum(_ first: View, _ second: View) -> View? {
        let makers = [(first, second), (second, first)].compactMap { own, other -> (Int, Convolution, MapID)? in
            guard case (let index, .convolution(let step))? = soleProducer(own.map), own.map != other.map,
                step.residual == nil
            else { return nil }
            return (index, step, other.map)
        }
        guard let (index, maker, other) = makers.max(by: { $0.0 < $1.0 }) else { return nil }
        add(Residual(map: other, isLast: maker.activation != .none), to: maker, at: index)
        return first.over(maker.output)
    }

    /// The same where the other map is upsampled on the way. Depthwise kernels cannot do that.
    mutating func fusedSum(_ own: View, upsampled other: View, by factors: Extent) -> View? {
        guard case (let index, .convolution(let step))? = soleProducer(own.map), !step.isDepthwise,
            step.residual == nil
        else { return nil }
        add(Residual(map: other.map, repeats: factors, isLast: step.activation != .none), to: step, at: index)
        return own
    }

    private mutating func add(_ residual: Residual, to convolution: Convolution, at index: Int) {
        var step = convolution
        step.residual = residual
        steps[index] = nil
        append(.convolution(step))
    }
}
