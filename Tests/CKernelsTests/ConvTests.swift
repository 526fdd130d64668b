// Convolutions of every kind at every level, against double precision and against themselves.

import CKernels
import TestSupport
import Testing

@Suite struct ConvTests {
    @Test(arguments: KernelLevel.onThisCPU, ConvCase.Kind.allCases)
    func `a convolution of any shape is within its derived bound of double precision`(
        level: KernelLevel, kind: ConvCase.Kind
    ) {
        var random = SeededGenerator(TestSeed.current)
        for round in 0..<60 {
            let activation = ck_activation.each[round % ck_activation.each.count]
            let residual = ConvCase.Residual.allCases[round % 3]
            var c = ConvCase.random(kind, activation: activation, using: &random)
            if residual == .inPlace { c = c.writingOverResidual() }
            let (values, bounds) = Oracle.convolve(c, residual: residual == .none ? nil : c.residual)
            let fault = c.run(level, residual: residual).firstFault(expected: values, bound: bounds)
            #expect(fault == nil, "\(level), \(c), \(residual), seed \(random.seed)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU, ConvCase.Kind.allCases)
    func `rows in pieces give the bits of the whole`(level: KernelLevel, kind: ConvCase.Kind) {
        var random = SeededGenerator(TestSeed.current &+ 1)
        for round in 0..<40 {
            let c = ConvCase.random(kind, activation: .relu, using: &random)
            let residual = ConvCase.Residual.allCases[round % 3]
            let whole = c.run(level, residual: residual)
            let pieces = (0..<c.rows).shuffledPieces(using: &random)
            let parts = c.run(level, residual: residual, pieces: pieces)
            #expect(parts.hasBits(of: whole), "\(level), \(c), \(pieces), seed \(random.seed)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU, ConvCase.Kind.allCases)
    func `a batch gives the bits of its images alone`(level: KernelLevel, kind: ConvCase.Kind) {
        var random = SeededGenerator(TestSeed.current &+ 2)
        for _ in 0..<30 {
            let c = ConvCase.random(kind, activation: .none, images: 3, using: &random)
            let batch = c.run(level, residual: .apart), packed = c.packed(level)
            var g = c.geometry
            g.images = 1
            let alone = Tensor.empty(like: c.dst)
            for n in 0..<3 {
                c.kernel(level).run(
                    &g, c.src.pointer + n * c.src.strides.image, packed.pointer,
                    c.residual.pointer + n * c.residual.strides.image,
                    alone.pointer + n * c.dst.strides.image, 0, g.out_height)
            }
            #expect(alone.hasBits(of: batch), "\(level), \(c), seed \(random.seed)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `a wide map takes several spans and still matches its rows alone`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 3)
        let src = Tensor.random(
            images: 2, height: 50, width: 50, channels: 1, pixelStride: 1, using: &random, Float.ordinary)
        let dst = Tensor.random(
            images: 2, height: 48, width: 48, channels: 16, using: &random, Float.ordinary)
        let geometry = ck_conv(
            images: 2, out_height: 48, out_width: 48, in_channels: 1, out_channels: 16, groups: 1,
            kernel_height: 3, kernel_width: 3, stride_y: 1, stride_x: 1, dilation_y: 1, dilation_x: 1,
            src: src.strides, residual: dst.strides, dst: dst.strides, residual_repeat_y: 1, residual_repeat_x: 1,
            residual_last: false, activation: .relu)
        let c = ConvCase(
            geometry: geometry, kind: .dense, src: src, residual: dst, dst: Tensor.empty(like: dst),
            weights: Guarded((0..<144).map { _ in Float.ordinary(&random) }), bias: nil)
        let whole = c.run(level, residual: .none)
        let rows = c.run(level, residual: .none, pieces: (0..<c.rows).map { $0..<$0 + 1 })
        #expect(rows.hasBits(of: whole))
        let (values, bounds) = Oracle.convolve(c, residual: nil)
        #expect(whole.firstFault(expected: values, bound: bounds) == nil)
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `a NaN in one pixel reaches the outputs whose window holds it and no others`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 4)
        for activation in ck_activation.each {
            let c = ConvCase.random(.dense, activation: activation, images: 1, using: &random)
            for index in c.src.indices { c.src.pointer[index] = 0 }
            c.src.pointer[0] = .nan
            let out = c.run(level, residual: .none)
            for o in 0..<out.channels { #expect(out.pointer[o].isNaN, "\(level), \(c), seed \(random.seed)") }
            let others = out.indices.dropFirst(out.channels)
            #expect(others.allSatisfy { !out.pointer[$0].isNaN }, "\(level), \(c), seed \(random.seed)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `a fully connected layer is a convolution on 1x1 maps`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 5)
        for (images, inputs, outputs) in [(1, 160, 7), (16, 160, 7), (13, 33, 40)] {
            let src = Tensor.random(
                images: images, height: 1, width: 1, channels: inputs, using: &random, Float.ordinary)
            let dst = Tensor.random(
                images: images, height: 1, width: 1, channels: outputs, using: &random, Float.ordinary)
            let geometry = ck_fully_connected(
                Int32(images), Int32(inputs), Int32(outputs), src.strides.image, dst.strides.image, .none)
            let c = ConvCase(
                geometry: geometry, kind: .dense, src: src, residual: dst, dst: Tensor.empty(like: dst),
                weights: Guarded((0..<inputs * outputs).map { _ in Float.ordinary(&random) }),
                bias: (0..<outputs).map { _ in Float.ordinary(&random) })
            let (values, bounds) = Oracle.convolve(c, residual: nil)
            let fault = c.run(level, residual: .none).firstFault(expected: values, bound: bounds)
            #expect(fault == nil, "\(level), \(images) x \(inputs) -> \(outputs), seed \(random.seed)")
        }
    }
}

extension ConvCase {
    /// The same case with the output at the residual's strides, as a run in place has it.
    func writingOverResidual() -> ConvCase {
        var g = geometry
        g.dst = residual.strides
        (g.residual_repeat_y, g.residual_repeat_x) = (1, 1)
        return ConvCase(
            geometry: g, kind: kind, src: src, residual: residual, dst: Tensor.empty(like: residual),
            weights: weights, bias: bias)
    }
}
