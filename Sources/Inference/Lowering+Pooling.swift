// Pools, and padding that stands alone.

import Onnx

extension Lowering {
    mutating func pool(_ reader: NodeReader, _ kind: Pool.Kind) throws(InferenceError) {
        let view = try planarView(reader, 0)
        let input = shape(view)
        guard let kernel = try reader.integers("kernel_shape"), kernel.count == 2, kernel.allSatisfy({ $0 > 0 }) else {
            throw reader.unsupported("a kernel that is not two-dimensional")
        }
        if reader.node.outputs.count > 1 { throw reader.unsupported("the indices of the maxima") }
        let extent = Extent(height: input.height, width: input.width)
        let windows = WindowReader(reader: reader)
        let window = try windows.window(kernel: Extent(height: kernel[0], width: kernel[1]), over: extent)
        guard window.dilation == Extent(height: 1, width: 1) else { throw reader.unsupported("dilations") }
        let pads = window.pads
        guard max(pads.top, pads.bottom) < kernel[0], max(pads.left, pads.right) < kernel[1] else {
            throw reader.malformed("its padding is as large as its kernel")
        }
        let roundsUp = try reader.integer("ceil_mode", default: 0) != 0
        let result = try windows.outputs(window, over: extent, roundsUp: roundsUp)
        let output = try addMap(
            MapShape(channels: input.channels, height: result.height, width: result.width), reader)
        append(.pool(Pool(kind: kind, input: view.map, output: output, window: window)))
        bind(reader, .planar(output, maps[output].shape))
    }

    mutating func globalPool(_ reader: NodeReader, _ kind: Pool.Kind) throws(InferenceError) {
        let view = try planarView(reader, 0)
        bind(reader, try pooledWhole(view, kind, axes: [1, 2], keeps: true, reader))
    }

    /// Over rows and columns only; axes are an attribute before opset 18, an input since.
    mutating func reduceMean(_ reader: NodeReader) throws(InferenceError) {
        let view = try view(reader, 0)
        let given = try list(reader, "axes", orInput: 1) ?? []
        let axes = Set(
            try given.map { axis throws(InferenceError) in try reader.axis(axis, rank: view.dims.count + 1) - 1 })
        let gone = Set(axes.filter { $0 >= 0 }.flatMap { view.factors[$0] })
        let spatial = Set(view.order.filter { $0 != .channel })
        guard !axes.isEmpty, !axes.contains(-1), gone == spatial else {
            throw reader.unsupported("the mean of \(view.dims) over axes \(given); over rows and columns is")
        }
        let keeps = try reader.integer("keepdims", default: 1) != 0
        bind(reader, try pooledWhole(view, .average(countsPadding: false), axes: axes, keeps: keeps, reader))
    }

    private mutating func pooledWhole(
        _ view: View, _ kind: Pool.Kind, axes: Set<Int>, keeps: Bool, _ reader: NodeReader
    ) throws(InferenceError) -> View {
        let input = shape(view)
        if input.isVector { return view.reduced(axes, keeps: keeps, over: view.map) }
        let output = try addMap(MapShape(channels: input.channels, height: 1, width: 1), reader)
        let window = Window(kernel: Extent(height: input.height, width: input.width))
        append(.pool(Pool(kind: kind, input: view.map, output: output, window: window)))
        return view.reduced(axes, keeps: keeps, over: output)
    }

    /// Not done yet, only noted: the convolution that usually follows takes it over.
    mutating func pad(_ reader: NodeReader) throws(InferenceError) {
        guard try reader.string("mode", default: "constant") == "constant" else {
            throw reader.unsupported("a mode other than constant")
        }
        let fill = try number(reader, "value", orInput: 2, default: 0)
        guard fill == 0 else { throw reader.unsupported("padding with \(fill); with zeros is") }
        let amounts = try list(reader, "pads", orInput: 1) ?? []
        var earlier = Pads()
        let view: View
        if case .padded(let inner, let pads) = try value(reader, 0) {
            (view, earlier) = (inner, pads)
        } else {
            view = try self.view(reader, 0)
        }
        let rank = view.dims.count + 1
        let axes = reader.input(3) == nil ? Array(0..<rank) : try integers(reader, 3)
        guard amounts.count == 2 * axes.count, amounts.allSatisfy({ 0...1 << 16 ~= $0 }) else {
            throw reader.unsupported("pads \(amounts); two an axis that are not negative are")
        }
        var pads = Pads()
        for (index, given) in axes.enumerated() {
            let (before, after) = (amounts[index], amounts[index + axes.count])
            if before == 0 && after == 0 { continue }
            switch try spatialAxis(try reader.axis(given, rank: rank) - 1, of: view) {
            case .row?: (pads.top, pads.bottom) = (before, after)
            case .column?: (pads.left, pads.right) = (before, after)
            default: throw reader.unsupported("padding of axis \(given); rows and columns can be padded")
            }
        }
        if pads == Pads(), earlier == Pads() { return bind(reader, view) }
        bind(reader, padded: view, by: pads + earlier)
    }

    /// The map's axis behind a logical one. An axis of size 1 has lost its name and is found by its place.
    private func spatialAxis(_ axis: Int, of view: View) throws(InferenceError) -> Axis? {
        guard axis >= 0 else { return nil }
        if view.factors[axis].count == 1 { return view.factors[axis][0] }
        return view.isPlanar(shape(view)) ? [.channel, .row, .column][axis] : nil
    }

    /// Makes padding real: a depthwise convolution by one, which moves the values and stores the zeros.
    mutating func materialise(_ view: View, _ pads: Pads, _ reader: NodeReader) throws(InferenceError) -> View {
        let input = shape(view)
        let size = MapShape(
            channels: input.channels, height: input.height + pads.top + pads.bottom,
            width: input.width + pads.left + pads.right)
        let output = try addMap(size, reader)
        let ones = [Float](repeating: 1, count: input.channels)
        append(
            .convolution(
                Convolution(
                    input: view.map, output: output, window: Window(kernel: Extent(height: 1, width: 1), pads: pads),
                    groups: input.channels, weights: ones, bias: ones.map { _ in 0 })))
        let axes = view.isPlanar(input) ? [.channel, .row, .column] : view.order
        guard axes.count == view.dims.count else { throw reader.unsupported("padding of \(view.dims)") }
        return View(map: output, axes: axes, shape: size)
    }
}
