// Strides, dilations, pads and auto_pad of a convolution or pool, checked, and the size they lead to.

struct WindowReader {
    let reader: NodeReader

    /// More than any picture is wide; keeps every product below far from overflow.
    private static let maximum = 1 << 20

    func window(kernel: Extent, over input: Extent) throws(InferenceError) -> Window {
        var window = Window(kernel: kernel)
        window.stride = try extent("strides")
        window.dilation = try extent("dilations")
        guard kernel.height <= Self.maximum, kernel.width <= Self.maximum else { throw reader.malformed("its kernel") }
        switch try reader.string("auto_pad", default: "NOTSET") {
        case "NOTSET", "":
            let pads = try reader.integers("pads") ?? [0, 0, 0, 0]
            guard pads.count == 4, pads.allSatisfy({ 0...Self.maximum ~= $0 }) else {
                throw reader.unsupported("pads \(pads); four that are not negative are")
            }
            window.pads = Pads(top: pads[0], left: pads[1], bottom: pads[2], right: pads[3])
        case "VALID": break
        case let mode where mode == "SAME_UPPER" || mode == "SAME_LOWER":
            let rows = Self.same(input.height, kernel.height, window.stride.height, window.dilation.height)
            let columns = Self.same(input.width, kernel.width, window.stride.width, window.dilation.width)
            // The odd pixel goes after the picture for UPPER, before it for LOWER.
            let odd = mode == "SAME_UPPER" ? 0 : 1
            window.pads.top = (rows + odd) / 2
            window.pads.bottom = rows - window.pads.top
            window.pads.left = (columns + odd) / 2
            window.pads.right = columns - window.pads.left
        case let mode: throw reader.unsupported("auto_pad \(mode)")
        }
        return window
    }

    /// - Parameter roundsUp: ceil_mode; a last window that would start beyond the picture and its leading
    ///   padding is dropped, as onnxruntime and PyTorch do.
    func outputs(_ window: Window, over input: Extent, roundsUp: Bool) throws(InferenceError) -> Extent {
        let height = Self.count(
            input.height, window.kernel.height, window.stride.height, window.dilation.height, window.pads.top,
            window.pads.bottom, roundsUp)
        let width = Self.count(
            input.width, window.kernel.width, window.stride.width, window.dilation.width, window.pads.left,
            window.pads.right, roundsUp)
        guard height > 0, width > 0 else {
            throw reader.malformed("its window is larger than the \(input.height)x\(input.width) input")
        }
        return Extent(height: height, width: width)
    }

    private func extent(_ name: String) throws(InferenceError) -> Extent {
        let values = try reader.integers(name) ?? [1, 1]
        guard values.count == 2, values.allSatisfy({ 1...Self.maximum ~= $0 }) else {
            throw reader.unsupported("\(name) \(values); two that are positive are")
        }
        return Extent(height: values[0], width: values[1])
    }

    private static func same(_ input: Int, _ kernel: Int, _ stride: Int, _ dilation: Int) -> Int {
        let outputs = (input + stride - 1) / stride
        return max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - input, 0)
    }

    private static func count(
        _ input: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ before: Int, _ after: Int, _ roundsUp: Bool
    ) -> Int {
        let room = input + before + after - ((kernel - 1) * dilation + 1)
        guard room >= 0 else { return 0 }
        let whole = room / stride + 1
        guard roundsUp, room % stride != 0, whole * stride < input + before else { return whole }
        return whole + 1
    }
}
