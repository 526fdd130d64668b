// Steps + layouts → kernel calls: fills in strides and pointers, and packs the weights.

import CKernels

struct CallBuilder {
    let maps: [Map]
    let plan: Plan
    let slots: [UnsafeMutablePointer<Float>]
    let kernels: ck_kernels
    /// Owns what is packed here.
    let arena: Arena
    /// Of the one Winograd convolution that runs at a time; nil where there is none.
    private let scratch: UnsafeMutablePointer<Float>?

    init(
        network: Network, plan: Plan, slots: [UnsafeMutablePointer<Float>], kernels: ck_kernels, arena: Arena
    ) {
        maps = network.maps
        self.plan = plan
        self.slots = slots
        self.kernels = kernels
        self.arena = arena
        let needs = network.steps.compactMap { step -> Int? in
            guard case .convolution(let step) = step, step.isWinograd else { return nil }
            var geometry = ck_conv()
            geometry.in_channels = Int32(network.maps[step.input].shape.channels)
            geometry.out_channels = Int32(network.maps[step.output].shape.channels)
            return kernels.winograd.scratch_count(&geometry)
        }
        scratch = needs.max().map(arena.allocate)
    }

    func call(_ step: Step) -> Call {
        switch step {
        case .convolution(let step): convolution(step)
        case .scaleShift(let step): scaleShift(step)
        case .pool(let step): pool(step)
        case .binary(let step): binary(step)
        case .softmax(let input, let output):
            .softmax(geometry(input, output), from: pixels(input), to: pixels(output))
        case .copy(let input, let output):
            .copy(geometry(input, output), from: pixels(input), to: pixels(output))
        case .upsample(let input, let output, let factors):
            .upsample(
                geometry(input, output), factors: (Int32(factors.height), Int32(factors.width)),
                from: pixels(input), to: pixels(output))
        }
    }

    /// The first pixel of the picture.
    private func pixels(_ map: MapID) -> UnsafeMutablePointer<Float> {
        slots[plan.layouts[map].slot] + plan.layouts[map].origin
    }

    private func strides(_ map: MapID) -> ck_strides {
        let layout = plan.layouts[map]
        return ck_strides(image: layout.item, row: layout.row, pixel: layout.pixel)
    }

    private func geometry(_ input: MapID, _ output: MapID) -> ck_map {
        let shape = maps[output].shape
        return ck_map(
            images: 1, height: Int32(shape.height), width: Int32(shape.width), channels: Int32(shape.channels),
            src: strides(input), dst: strides(output))
    }

    private func convolution(_ step: Convolution) -> Call {
        let (input, output) = (maps[step.input].shape, maps[step.output].shape)
        let window = step.window
        let residual = step.residual
        var geometry = ck_conv(
            images: 1, out_height: Int32(output.height), out_width: Int32(output.width),
            in_channels: Int32(input.channels), out_channels: Int32(output.channels), groups: Int32(step.groups),
            kernel_height: Int32(window.kernel.height), kernel_width: Int32(window.kernel.width),
            stride_y: Int32(window.stride.height), stride_x: Int32(window.stride.width),
            dilation_y: Int32(window.dilation.height), dilation_x: Int32(window.dilation.width),
            src: strides(step.input), residual: residual.map { strides($0.map) } ?? ck_strides(),
            dst: strides(step.output), residual_repeat_y: Int32(residual?.repeats.height ?? 1),
            residual_repeat_x: Int32(residual?.repeats.width ?? 1), residual_last: residual?.isLast ?? false,
            activation: step.activation.raw)
        let kind: ConvolutionCall.Kind
        let packed: UnsafeMutablePointer<Float>
        if step.isWinograd, let scratch {
            kind = .winograd(scratch: scratch)
            packed = arena.allocate(kernels.winograd.packed_count(&geometry))
            kernels.winograd.pack(&geometry, step.weights, step.bias, packed)
        } else {
            kind = step.isDepthwise ? .depthwise : .direct
            let kernel = step.isDepthwise ? kernels.depthwise : kernels.conv
            packed = arena.allocate(kernel.packed_count(&geometry))
            kernel.pack(&geometry, step.weights, step.bias, packed)
        }
        let layout = plan.layouts[step.input]
        let source = pixels(step.input) - window.pads.top * layout.row - window.pads.left * layout.pixel
        return .convolution(
            ConvolutionCall(
                geometry: geometry, kind: kind, source: source, packed: packed,
                residual: residual.map { UnsafePointer(pixels($0.map)) }, target: pixels(step.output)))
    }

    private func scaleShift(_ step: ScaleShift) -> Call {
        .scaleShift(
            ScaleShiftCall(
                geometry: geometry(step.input, step.output), source: pixels(step.input), scale: stored(step.scale),
                shift: stored(step.shift), activation: step.activation.raw, target: pixels(step.output)))
    }

    private func stored(_ values: [Float]?) -> UnsafePointer<Float>? {
        guard let values else { return nil }
        let copy = arena.allocate(values.count)
        copy.update(from: values, count: values.count)
        return UnsafePointer(copy)
    }

    private func pool(_ step: Pool) -> Call {
        let (input, output) = (maps[step.input].shape, maps[step.output].shape)
        let window = step.window
        var geometry = ck_pool(
            images: 1, out_height: Int32(output.height), out_width: Int32(output.width),
            channels: Int32(output.channels), in_height: Int32(input.height), in_width: Int32(input.width),
            kernel_height: Int32(window.kernel.height), kernel_width: Int32(window.kernel.width),
            stride_y: Int32(window.stride.height), stride_x: Int32(window.stride.width),
            pad_top: Int32(window.pads.top), pad_left: Int32(window.pads.left),
            pad_bottom: Int32(window.pads.bottom), pad_right: Int32(window.pads.right), count_include_pad: false,
            src: strides(step.input), dst: strides(step.output))
        switch step.kind {
        case .maximum: return .maximumPool(geometry, from: pixels(step.input), to: pixels(step.output))
        case .average(let countsPadding):
            geometry.count_include_pad = countsPadding
            return .averagePool(geometry, from: pixels(step.input), to: pixels(step.output))
        }
    }

    private func binary(_ step: Binary) -> Call {
        let shape = maps[step.output].shape
        func operand(_ map: MapID) -> ck_strides {
            let own = strides(map)
            return maps[map].shape == shape ? own : ck_strides(image: own.image, row: 0, pixel: 0)
        }
        let geometry = ck_binary(
            images: 1, height: Int32(shape.height), width: Int32(shape.width), channels: Int32(shape.channels),
            op: step.operation.raw, a: operand(step.first), b: operand(step.second), dst: strides(step.output),
            activation: step.activation.raw)
        return .binary(geometry, pixels(step.first), pixels(step.second), to: pixels(step.output))
    }
}

extension Activation {
    fileprivate var raw: ck_activation {
        switch self {
        case .none: ck_activation(kind: CK_ACTIVATION_NONE, a: 0, b: 0)
        case .relu: ck_activation(kind: CK_ACTIVATION_RELU, a: 0, b: 0)
        case .leakyRelu(let slope): ck_activation(kind: CK_ACTIVATION_LEAKY_RELU, a: slope, b: 0)
        case .clip(let low, let high): ck_activation(kind: CK_ACTIVATION_CLIP, a: low, b: high)
        case .sigmoid: ck_activation(kind: CK_ACTIVATION_SIGMOID, a: 0, b: 0)
        }
    }
}

extension BinaryOperation {
    fileprivate var raw: ck_binary_op {
        switch self {
        case .add: CK_BINARY_ADD
        case .subtract: CK_BINARY_SUBTRACT
        case .multiply: CK_BINARY_MULTIPLY
        case .divide: CK_BINARY_DIVIDE
        }
    }
}
