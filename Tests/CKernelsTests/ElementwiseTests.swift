// Kernels that go value by value: exact, so every level must give scalar's bits.

import CKernels
import Glibc
import TestSupport
import Testing

@Suite struct ElementwiseTests {
    /// Ordinary values with the odd ones among them.
    private static func odd(_ random: inout SeededGenerator) -> Float {
        let choices: [Float] = [
            .nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 3e38, -3e38,
        ]
        let index = Int.random(in: 0..<40, using: &random)
        return index < choices.count ? choices[index] : Float.random(in: -4...4, using: &random)
    }

    private static let exactActivations = ck_activation.each.filter { $0.kind != CK_ACTIVATION_SIGMOID }

    private func shape(
        _ random: inout SeededGenerator, _ value: (inout SeededGenerator) -> Float
    ) -> Tensor {
        let size = (0..<3).map { _ in Int.random(in: 1...4, using: &random) }
        return Tensor.random(
            images: size[0], height: size[1], width: size[2], channels: Int.random(in: 1...35, using: &random),
            using: &random, value)
    }

    /// Another tensor of the same size at strides of its own.
    private func sibling(_ t: Tensor, _ random: inout SeededGenerator) -> Tensor {
        Tensor.random(
            images: t.images, height: t.height, width: t.width, channels: t.channels, using: &random, Self.odd)
    }

    private func map(_ src: Tensor, _ dst: Tensor) -> ck_map {
        ck_map(
            images: Int32(src.images), height: Int32(src.height), width: Int32(src.width),
            channels: Int32(src.channels), src: src.strides, dst: dst.strides)
    }

    private func rows(_ t: Tensor) -> Int32 { Int32(t.images * t.height) }

    @Test(arguments: KernelLevel.onThisCPU)
    func `two tensors are joined with scalar's bits, broadcast and in place included`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 20)
        let ops = [CK_BINARY_ADD, CK_BINARY_SUBTRACT, CK_BINARY_MULTIPLY, CK_BINARY_DIVIDE]
        for round in 0..<120 {
            let a = shape(&random, Self.odd), b = sibling(a, &random)
            let inPlace = round % 4 == 0, dst = inPlace ? a : Tensor.empty(like: sibling(a, &random))
            var right = b.strides
            if round % 3 == 1 { right = ck_strides(image: 0, row: 0, pixel: 0) }
            if round % 3 == 2 {
                right.row = 0
                right.pixel = 0
            }
            var g = ck_binary(
                images: Int32(a.images), height: Int32(a.height), width: Int32(a.width),
                channels: Int32(a.channels), op: ops[round % ops.count], a: a.strides, b: right,
                dst: dst.strides, activation: Self.exactActivations[round % Self.exactActivations.count])
            let expected = dst.copy(), actual = dst.copy()
            KernelLevel.scalar.kernels.binary(
                &g, inPlace ? expected.pointer : a.pointer, b.pointer, expected.pointer, 0, rows(a))
            for piece in (0..<Int(rows(a))).shuffledPieces(using: &random) {
                level.kernels.binary(
                    &g, inPlace ? actual.pointer : a.pointer, b.pointer, actual.pointer,
                    Int32(piece.lowerBound), Int32(piece.upperBound))
            }
            #expect(actual.hasBits(of: expected), "\(level), \(g), seed \(random.seed)")
        }
    }

    @Test func `the scalar operations are what their names say`() {
        let results: [(ck_binary_op, Float)] = [
            (CK_BINARY_ADD, 9), (CK_BINARY_SUBTRACT, 3), (CK_BINARY_MULTIPLY, 18), (CK_BINARY_DIVIDE, 2),
        ]
        for (op, expected) in results {
            let one = ck_strides(image: 1, row: 1, pixel: 1)
            var g = ck_binary(
                images: 1, height: 1, width: 1, channels: 1, op: op, a: one, b: one, dst: one, activation: .none)
            var a: Float = 6, b: Float = 3, out: Float = 0
            KernelLevel.scalar.kernels.binary(&g, &a, &b, &out, 0, 1)
            #expect(out == expected)
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `scale and shift give scalar's bits, which are one multiply and one add`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 21)
        for round in 0..<120 {
            let src = shape(&random, Self.odd), inPlace = round % 4 == 0
            let dst = inPlace ? src : Tensor.empty(like: sibling(src, &random))
            let scale = Guarded((0..<src.channels).map { _ in Float.ordinary(&random) })
            let shift = Guarded((0..<src.channels).map { _ in Float.ordinary(&random) })
            let activation = Self.exactActivations[round % Self.exactActivations.count]
            var g = map(src, dst)
            func run(_ level: KernelLevel) -> Tensor {
                let out = dst.copy()
                level.kernels.scale_shift(
                    &g, inPlace ? out.pointer : src.pointer, round % 3 == 0 ? nil : scale.pointer,
                    round % 5 == 0 ? nil : shift.pointer, activation, out.pointer, 0, rows(src))
                return out
            }
            let expected = run(.scalar), actual = run(level)
            #expect(actual.hasBits(of: expected), "\(level), \(g), seed \(random.seed)")
            guard round % 3 != 0, round % 5 != 0, activation.kind == CK_ACTIVATION_NONE else { continue }
            let first = src.pointer[0] * scale.pointer[0] + shift.pointer[0]
            #expect(inPlace || first.isNaN || expected.pointer[0] == first)
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `the activations follow the contract at the odd values`(level: KernelLevel) {
        let values: [Float] = [.nan, -1, 1, -0.25, .infinity, -.infinity, 0, -0.0, 0.5, -100, 100]
        let n = values.count
        func activated(_ f: ck_activation) -> [Float] {
            let strides = ck_strides(image: n, row: n, pixel: n)
            var g = ck_map(images: 1, height: 1, width: 1, channels: Int32(n), src: strides, dst: strides)
            let src = Guarded(values), out = Guarded<Float>(count: n, filledWith: 9)
            level.kernels.scale_shift(&g, src.pointer, nil, nil, f, out.pointer, 0, 1)
            return out.values
        }
        for f in ck_activation.each { #expect(activated(f)[0].isNaN, "\(level), \(f)") }
        #expect(Array(activated(.relu)[1...]) == [0, 1, 0, .infinity, 0, 0, 0, 0.5, 0, 100])
        #expect(Array(activated(.leaky(0.5))[1...]) == [-0.5, 1, -0.125, .infinity, -.infinity, 0, 0, 0.5, -50, 100])
        #expect(Array(activated(.clip(-0.5, 0.75))[1...]) == [-0.5, 0.75, -0.25, 0.75, -0.5, 0, 0, 0.5, -0.5, 0.75])
        let sigmoid = activated(.sigmoid)
        #expect(sigmoid[4] == 1 && sigmoid[5] <= .leastNormalMagnitude && sigmoid[6] == 0.5 && sigmoid[10] == 1)
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `the sigmoid is within eight epsilon of the true value`(level: KernelLevel) {
        let values = stride(from: Float(-80), through: 80, by: 0.037).map { $0 }
        let strides = ck_strides(image: values.count, row: values.count, pixel: values.count)
        var g = ck_map(
            images: 1, height: 1, width: 1, channels: Int32(values.count), src: strides, dst: strides)
        let src = Guarded(values), out = Guarded<Float>(count: values.count, filledWith: 9)
        level.kernels.scale_shift(&g, src.pointer, nil, nil, .sigmoid, out.pointer, 0, 1)
        for (x, y) in zip(values, out.values) {
            let wanted = 1 / (1 + exp(-Double(x)))
            #expect(abs(Double(y) - wanted) <= 8 * Oracle.epsilon * wanted, "\(level) at \(x)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `softmax is within its bound, sums to one and does not depend on the batch`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 22)
        for round in 0..<60 {
            let spread: Float = [1, 10, 60][round % 3]
            let src = shape(&random) { Float.random(in: -spread...spread, using: &$0) }
            let dst = round % 4 == 0 ? src.copy() : Tensor.empty(like: sibling(src, &random))
            var g = map(src, dst)
            let pieces = (0..<Int(rows(src))).shuffledPieces(using: &random), parts = dst.copy()
            for piece in pieces {
                level.kernels.softmax(
                    &g, round % 4 == 0 ? parts.pointer : src.pointer, parts.pointer,
                    Int32(piece.lowerBound), Int32(piece.upperBound))
            }
            level.kernels.softmax(&g, round % 4 == 0 ? dst.pointer : src.pointer, dst.pointer, 0, rows(src))
            #expect(parts.hasBits(of: dst), "\(level), \(g), seed \(random.seed)")
            let (values, bounds) = softmax(src, dst)
            #expect(
                dst.firstFault(expected: values, bound: bounds) == nil || round % 4 == 0,
                "\(level), \(g), seed \(random.seed)")
            for (index, value) in values where abs(Double(dst.pointer[index]) - value) > bounds[index] ?? 0 {
                Issue.record("\(level), \(g): \(dst.pointer[index]) is not \(value), seed \(random.seed)")
            }
        }
    }

    private func softmax(_ src: Tensor, _ dst: Tensor) -> (values: [Int: Double], bounds: [Int: Double]) {
        var values: [Int: Double] = [:], bounds: [Int: Double] = [:]
        for n in 0..<src.images {
            for y in 0..<src.height {
                for x in 0..<src.width {
                    let inputs = (0..<src.channels).map { Double(src.pointer[src.offset(n, y, x) + $0]) }
                    let top = inputs.max() ?? 0, sum = inputs.reduce(0) { $0 + exp($1 - top) }
                    for (c, input) in inputs.enumerated() {
                        let value = exp(input - top) / sum
                        // The difference to the maximum is rounded before exp sees it.
                        let relative = (Double(src.channels) + 16 + abs(input - top)) * Oracle.epsilon
                        values[dst.offset(n, y, x) + c] = value
                        bounds[dst.offset(n, y, x) + c] = relative * value + Double(Float.leastNormalMagnitude)
                    }
                }
            }
        }
        return (values, bounds)
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `a NaN among the inputs of softmax makes all its outputs NaN`(level: KernelLevel) {
        for position in [0, 5, 12] {
            var inputs = [Float](repeating: 0.5, count: 13)
            inputs[position] = .nan
            let strides = ck_strides(image: 13, row: 13, pixel: 13)
            var g = ck_map(images: 1, height: 1, width: 1, channels: 13, src: strides, dst: strides)
            let src = Guarded(inputs), out = Guarded<Float>(count: 13, filledWith: 9)
            level.kernels.softmax(&g, src.pointer, out.pointer, 0, 1)
            #expect(out.values.allSatisfy { $0.isNaN }, "\(level), position \(position)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `copy moves every value into a slice of a wider tensor and touches nothing else`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 23)
        for round in 0..<60 {
            let src = shape(&random, Self.odd)
            let dense = round % 3 == 0 ? src.channels : nil
            let like = Tensor.random(
                images: src.images, height: src.height, width: src.width, channels: src.channels,
                pixelStride: dense, using: &random, Self.odd)
            let dst = Tensor.empty(like: like)
            var g = map(src, dst)
            level.kernels.copy(&g, src.pointer, dst.pointer, 0, rows(src))
            let moved = zip(src.indices, dst.indices).allSatisfy {
                src.pointer[$0].bitPattern == dst.pointer[$1].bitPattern
            }
            let written = Set(dst.indices)
            let kept = (0..<dst.storage.count).allSatisfy {
                written.contains($0) || dst.pointer[$0].bitPattern == Tensor.untouched.bitPattern
            }
            #expect(moved && kept && dst.storage.guardsIntact, "\(level), \(g), seed \(random.seed)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `upsampling repeats every pixel and touches nothing else`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 25)
        for _ in 0..<60 {
            let src = shape(&random, Self.odd)
            let repeats = (Int.random(in: 1...3, using: &random), Int.random(in: 1...3, using: &random))
            let like = Tensor.random(
                images: src.images, height: src.height * repeats.0, width: src.width * repeats.1,
                channels: src.channels, using: &random, Self.odd)
            let expected = Tensor.empty(like: like), out = Tensor.empty(like: like)
            for n in 0..<like.images {
                for y in 0..<like.height {
                    for x in 0..<like.width {
                        for c in 0..<like.channels {
                            expected.pointer[like.offset(n, y, x) + c] =
                                src.pointer[src.offset(n, y / repeats.0, x / repeats.1) + c]
                        }
                    }
                }
            }
            var g = ck_map(
                images: Int32(like.images), height: Int32(like.height), width: Int32(like.width),
                channels: Int32(like.channels), src: src.strides, dst: out.strides)
            for piece in (0..<Int(rows(like))).shuffledPieces(using: &random) {
                level.kernels.upsample(
                    &g, Int32(repeats.0), Int32(repeats.1), src.pointer, out.pointer, Int32(piece.lowerBound),
                    Int32(piece.upperBound))
            }
            #expect(out.hasBits(of: expected), "\(level), \(g), \(repeats), seed \(random.seed)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `crops become values with scalar's bits, one subtract and one multiply`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 24)
        for round in 0..<100 {
            let copies = round % 3 == 0 ? 3 : 1, dense = round % 2 == 0 ? copies : nil
            let like = Tensor.random(
                images: Int.random(in: 1...3, using: &random), height: Int.random(in: 1...5, using: &random),
                width: Int.random(in: 1...50, using: &random), channels: copies, pixelStride: dense,
                using: &random, Self.odd)
            let stride = like.width + Int.random(in: 0...20, using: &random)
            let image = stride * like.height + Int.random(in: 0...20, using: &random)
            let count = (like.images - 1) * image + (like.height - 1) * stride + like.width
            let src = Guarded((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
            var g = ck_normalize(
                images: Int32(like.images), height: Int32(like.height), width: Int32(like.width),
                src_image_bytes: image, src_row_bytes: stride, mean: 127.3, scale: 1 / 51.7,
                copies: Int32(copies), dst: like.strides)
            let out = Tensor.empty(like: like), expected = Tensor.empty(like: like)
            for n in 0..<like.images {
                for y in 0..<like.height {
                    for x in 0..<like.width {
                        let value = (Float(src.pointer[n * image + y * stride + x]) - g.mean) * g.scale
                        for c in 0..<copies { expected.pointer[like.offset(n, y, x) + c] = value }
                    }
                }
            }
            level.kernels.normalize(&g, src.pointer, out.pointer, 0, rows(like))
            #expect(out.hasBits(of: expected), "\(level), \(g), seed \(random.seed)")
        }
    }
}
