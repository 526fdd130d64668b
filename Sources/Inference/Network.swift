// What a graph becomes before memory is planned: maps (tensors of channels x height x width for one item of
// the batch) and steps that make one map from others. A vector is a map of 1x1 pixels, so a dense layer is a
// convolution and there is one kind of tensor to plan.

struct MapShape: Equatable {
    var channels: Int
    var height: Int
    var width: Int

    var count: Int { channels * height * width }
    var isVector: Bool { height == 1 && width == 1 }

    func size(_ axis: Axis) -> Int {
        switch axis {
        case .channel: channels
        case .row: height
        case .column: width
        }
    }
}

enum Axis { case channel, row, column }

typealias MapID = Int

struct Map {
    var shape: MapShape
    /// Read in more than one place, so that nothing may be fused into the step that makes it.
    var isShared = false
    /// Index into the steps; nil for the input and for concatenations, whose parts are made by several.
    var producer: Int?
    /// Lies inside a wider map, from this channel on: a part that a concatenation joins, or one that is cut out.
    var slice: (parent: MapID, firstChannel: Int)?
}

struct Pads: Equatable {
    var top = 0
    var left = 0
    var bottom = 0
    var right = 0

    static func + (a: Pads, b: Pads) -> Pads {
        Pads(top: a.top + b.top, left: a.left + b.left, bottom: a.bottom + b.bottom, right: a.right + b.right)
    }

    func widest(_ other: Pads) -> Pads {
        Pads(
            top: max(top, other.top), left: max(left, other.left), bottom: max(bottom, other.bottom),
            right: max(right, other.right))
    }
}

struct Extent: Equatable {
    var height: Int
    var width: Int
}

/// How a kernel window walks over a map.
struct Window: Equatable {
    var kernel: Extent
    var stride = Extent(height: 1, width: 1)
    var dilation = Extent(height: 1, width: 1)
    var pads = Pads()
}

enum Activation: Equatable {
    case none
    case relu
    case leakyRelu(slope: Float)
    case clip(low: Float, high: Float)
    case sigmoid
}

enum BinaryOperation { case add, subtract, multiply, divide }

/// What a convolution adds to its sum: a map of the output's size, or one whose pixels serve several of it.
struct Residual {
    var map: MapID
    /// 2x2 for a map of half the size, upsampled by nearest.
    var repeats = Extent(height: 1, width: 1)
    /// Added to the activation's result, not to its argument.
    var isLast = false
}

/// output = activation(bias + weights * input + residual), or activation(bias + weights * input) + residual
struct Convolution {
    var input: MapID
    var output: MapID
    var window: Window
    var groups: Int
    /// outputs x inputs/groups x kernel height x kernel width
    var weights: [Float]
    var bias: [Float]
    var residual: Residual?
    var activation = Activation.none

    /// By ck_winograd_run_fn, where the session allows that.
    var isWinograd = false

    /// Whether the kernel's preconditions are met.
    var allowsWinograd: Bool {
        let channels = weights.count / 9 / max(bias.count, 1)
        return window.kernel == Extent(height: 3, width: 3) && window.stride == Extent(height: 1, width: 1)
            && window.dilation == Extent(height: 1, width: 1) && groups == 1
            && channels % 16 == 0 && bias.count % 16 == 0
            && residual.map { $0.repeats == Extent(height: 1, width: 1) } ?? true
    }

    /// One input and one output channel a group.
    var isDepthwise: Bool {
        groups > 1 && groups == bias.count && weights.count == groups * window.kernel.height * window.kernel.width
    }
}

/// output = activation(input * scale + shift), each by channel; nil leaves that part out.
struct ScaleShift {
    var input: MapID
    var output: MapID
    var scale: [Float]?
    var shift: [Float]?
    var activation = Activation.none
}

struct Pool {
    enum Kind: Equatable {
        case maximum
        case average(countsPadding: Bool)
    }
    var kind: Kind
    var input: MapID
    var output: MapID
    var window: Window
}

/// A map of 1x1 pixels is repeated over the other's pixels.
struct Binary {
    var operation: BinaryOperation
    var first: MapID
    var second: MapID
    var output: MapID
    var activation = Activation.none
}

enum Step {
    case convolution(Convolution)
    case scaleShift(ScaleShift)
    case pool(Pool)
    case binary(Binary)
    case softmax(input: MapID, output: MapID)
    case copy(input: MapID, output: MapID)
    /// Each pixel of the input becomes `factors` pixels.
    case upsample(input: MapID, output: MapID, factors: Extent)

    var inputs: [MapID] {
        switch self {
        case .convolution(let step): [step.input] + (step.residual.map { [$0.map] } ?? [])
        case .scaleShift(let step): [step.input]
        case .pool(let step): [step.input]
        case .binary(let step): [step.first, step.second]
        case .softmax(let input, _), .copy(let input, _), .upsample(let input, _, _): [input]
        }
    }

    var output: MapID {
        switch self {
        case .convolution(let step): step.output
        case .scaleShift(let step): step.output
        case .pool(let step): step.output
        case .binary(let step): step.output
        case .softmax(_, let output), .copy(_, let output), .upsample(_, let output, _): output
        }
    }
}

extension Step {
    /// Rows of the output that are made together.
    var rowUnit: Int {
        if case .convolution(let step) = self, step.isWinograd { 4 } else { 1 }
    }
}

/// The graph's input, its steps in order, and what leaves it.
struct Network {
    var maps: [Map]
    var steps: [Step]
    var input: MapID
    var outputs: [(name: String, view: View)]

    /// Marks the convolutions that a quarter of the products will do for.
    mutating func useWinograd() {
        steps = steps.map { step in
            guard case .convolution(var convolution) = step, convolution.allowsWinograd else { return step }
            convolution.isWinograd = true
            return .convolution(convolution)
        }
    }
}
