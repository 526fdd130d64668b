// One random convolution: geometry, inputs, and how a level runs it.

import CKernels
import TestSupport

struct ConvCase: CustomStringConvertible {
    enum Kind: CaseIterable { case dense, grouped, depthwise }

    var geometry: ck_conv
    let kind: Kind
    let src: Tensor, residual: Tensor, dst: Tensor
    let weights: Guarded<Float>
    let bias: [Float]?

    var description: String { "\(kind) \(geometry)" }

    static func random(
        _ kind: Kind, activation: ck_activation, images: Int? = nil, using random: inout SeededGenerator
    ) -> ConvCase {
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        func pick(_ choices: [Int]) -> Int { choices[draw(0...choices.count - 1)] }
        // Around the vector and block widths 8, 16 and 32, and small.
        let widths = [1, 2, 3, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 50]
        let groups = kind == .dense ? 1 : kind == .grouped ? draw(2...3) : pick(widths)
        let inputs = kind == .depthwise ? groups : groups * (kind == .dense ? pick(widths) : draw(1...9))
        let outputs = kind == .depthwise ? groups : groups * (kind == .dense ? pick(widths) : draw(1...18))
        let kernel = (pick([1, 2, 3, 3, 5]), pick([1, 2, 3, 3, 5]))
        let stride = (draw(1...2), draw(1...2)), dilation = (draw(1...2), draw(1...2))
        let out = (draw(1...5), pick([1, 2, 3, 5, 6, 7, 11, 13])), images = images ?? draw(1...3)
        let need = (
            (out.0 - 1) * stride.0 + (kernel.0 - 1) * dilation.0 + 1,
            (out.1 - 1) * stride.1 + (kernel.1 - 1) * dilation.1 + 1
        )
        let src = Tensor.random(
            images: images, height: need.0, width: need.1, channels: inputs, using: &random, Float.ordinary)
        let residual = Tensor.random(
            images: images, height: out.0, width: out.1, channels: outputs, using: &random, Float.ordinary)
        let dst = Tensor.random(
            images: images, height: out.0, width: out.1, channels: outputs, using: &random, Float.ordinary)
        let count = outputs * (inputs / groups) * kernel.0 * kernel.1
        let weights = Guarded((0..<count).map { _ in Float.ordinary(&random) })
        let bias = Bool.random(using: &random) ? (0..<outputs).map { _ in Float.ordinary(&random) } : nil
        let repeats = kind == .depthwise ? (1, 1) : (pick([1, 1, 2, 3]), pick([1, 1, 2, 3]))
        let geometry = ck_conv(
            images: Int32(images), out_height: Int32(out.0), out_width: Int32(out.1),
            in_channels: Int32(inputs), out_channels: Int32(outputs), groups: Int32(groups),
            kernel_height: Int32(kernel.0), kernel_width: Int32(kernel.1),
            stride_y: Int32(stride.0), stride_x: Int32(stride.1),
            dilation_y: Int32(dilation.0), dilation_x: Int32(dilation.1),
            src: src.strides, residual: residual.strides, dst: dst.strides,
            residual_repeat_y: Int32(repeats.0), residual_repeat_x: Int32(repeats.1),
            residual_last: Bool.random(using: &random), activation: activation)
        return ConvCase(
            geometry: geometry, kind: kind, src: src, residual: residual, dst: Tensor.empty(like: dst),
            weights: weights, bias: bias)
    }

    var rows: Int { Int(geometry.images * geometry.out_height) }

    func kernel(_ level: KernelLevel) -> ck_conv_kernel {
        kind == .depthwise ? level.kernels.depthwise : level.kernels.conv
    }

    func packed(_ level: KernelLevel) -> Guarded<Float> {
        var g = geometry
        let kernel = kernel(level)
        let packed = Guarded<Float>(count: kernel.packed_count(&g), filledWith: .nan, alignment: 64)
        kernel.pack(&g, weights.pointer, bias, packed.pointer)
        return packed
    }

    /// Runs the given pieces of the rows one after the other into a fresh tensor. In place, the residual
    /// is what the output holds before.
    func run(_ level: KernelLevel, residual: Residual, pieces: [Range<Int>]? = nil) -> Tensor {
        var g = geometry
        let out: Tensor
        let add: UnsafePointer<Float>?
        switch residual {
        case .none: (out, add) = (Tensor.empty(like: dst), nil)
        case .apart: (out, add) = (Tensor.empty(like: dst), UnsafePointer(self.residual.pointer))
        case .inPlace:
            out = self.residual.copy()
            add = UnsafePointer(out.pointer)
            g.dst = self.residual.strides
            (g.residual_repeat_y, g.residual_repeat_x) = (1, 1)
        }
        let packed = packed(level)
        for piece in pieces ?? [0..<rows] {
            kernel(level).run(
                &g, src.pointer, packed.pointer, add, out.pointer, Int32(piece.lowerBound), Int32(piece.upperBound))
        }
        return out
    }

    enum Residual: CaseIterable { case none, apart, inPlace }
}

extension Range<Int> {
    /// The range in random pieces, empty ones among them, in random order.
    func shuffledPieces(using random: inout SeededGenerator) -> [Range<Int>] {
        var cuts = [lowerBound, upperBound]
        for _ in 0..<3 { cuts.append(Int.random(in: lowerBound...upperBound, using: &random)) }
        cuts.sort()
        return zip(cuts, cuts.dropFirst()).map { $0..<$1 }.shuffled(using: &random)
    }
}
