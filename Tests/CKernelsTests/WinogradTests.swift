// Winograd convolutions at every level, against double precision with the bound of their own transforms.

import CKernels
import TestSupport
import Testing

@Suite struct WinogradTests {
    private static let sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13]

    private func random(
        _ activation: ck_activation, images: Int, using random: inout SeededGenerator
    ) -> ConvCase {
        let inputs = 16 * Int.random(in: 1...3, using: &random), outputs = 16 * Int.random(in: 1...3, using: &random)
        let height = Self.sizes.randomElement(using: &random) ?? 1,
            width = Self.sizes.randomElement(using: &random) ?? 1
        let src = Tensor.random(
            images: images, height: height + 2, width: width + 2, channels: inputs, using: &random, Float.ordinary)
        let dst = Tensor.random(
            images: images, height: height, width: width, channels: outputs, using: &random, Float.ordinary)
        let residual = Tensor.random(
            images: images, height: height, width: width, channels: outputs, using: &random, Float.ordinary)
        let geometry = ck_conv(
            images: Int32(images), out_height: Int32(height), out_width: Int32(width), in_channels: Int32(inputs),
            out_channels: Int32(outputs), groups: 1, kernel_height: 3, kernel_width: 3, stride_y: 1, stride_x: 1,
            dilation_y: 1, dilation_x: 1, src: src.strides, residual: residual.strides, dst: dst.strides,
            residual_repeat_y: 1, residual_repeat_x: 1, residual_last: Bool.random(using: &random),
            activation: activation)
        return ConvCase(
            geometry: geometry, kind: .dense, src: src, residual: residual, dst: Tensor.empty(like: dst),
            weights: Guarded((0..<outputs * inputs * 9).map { _ in Float.ordinary(&random) }),
            bias: Bool.random(using: &random) ? (0..<outputs).map { _ in Float.ordinary(&random) } : nil)
    }

    /// - Parameter cuts: where the rows are parted, in bands of four counted through all images.
    private func run(
        _ c: ConvCase, _ level: KernelLevel, residual: ConvCase.Residual, pieces: [Range<Int>]? = nil
    ) -> Tensor {
        var g = c.geometry
        let kernel = level.kernels.winograd
        let packed = Guarded<Float>(count: kernel.packed_count(&g), filledWith: .nan, alignment: 64)
        kernel.pack(&g, c.weights.pointer, c.bias, packed.pointer)
        let scratch = Guarded<Float>(count: kernel.scratch_count(&g), filledWith: .nan, alignment: 64)
        let out = residual == .inPlace ? c.residual.copy() : Tensor.empty(like: c.dst)
        if residual == .inPlace { g.dst = c.residual.strides }
        let add = residual == .none ? nil : UnsafePointer(residual == .inPlace ? out.pointer : c.residual.pointer)
        for piece in pieces ?? [0..<c.rows] {
            kernel.run(
                &g, c.src.pointer, packed.pointer, add, out.pointer, scratch.pointer, Int32(piece.lowerBound),
                Int32(piece.upperBound))
        }
        #expect(scratch.guardsIntact && packed.guardsIntact, "\(level), \(c)")
        return out
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `a winograd convolution of any size is within its derived bound of double precision`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 40)
        for round in 0..<60 {
            let activation = ck_activation.each[round % ck_activation.each.count]
            let residual = ConvCase.Residual.allCases[round % 3]
            var c = self.random(activation, images: Int.random(in: 1...2, using: &random), using: &random)
            if residual == .inPlace { c = c.writingOverResidual() }
            let (values, _) = Oracle.convolve(c, residual: residual == .none ? nil : c.residual)
            let bounds = WinogradBound(c).bounds(values, residual: residual == .none ? nil : c.residual)
            let fault = run(c, level, residual: residual).firstFault(expected: values, bound: bounds)
            #expect(fault == nil, "\(level), \(c), \(residual), seed \(random.seed)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `bands of four rows in any order give the bits of the whole`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 41)
        for round in 0..<40 {
            let c = self.random(.relu, images: 2, using: &random)
            let residual = ConvCase.Residual.allCases[round % 3]
            let height = Int(c.geometry.out_height)
            let bands = (0..<2).flatMap { image in
                stride(from: 0, to: height, by: 4).map {
                    image * height + $0..<image * height + min($0 + 4, height)
                }
            }
            let parts = run(c, level, residual: residual, pieces: bands.shuffled(using: &random))
            #expect(parts.hasBits(of: run(c, level, residual: residual)), "\(level), \(c), seed \(random.seed)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `a NaN reaches the tiles whose window holds it and no others`(level: KernelLevel) {
        var random = SeededGenerator(TestSeed.current &+ 42)
        for _ in 0..<20 {
            let c = self.random(.none, images: 1, using: &random)
            let (height, width) = (Int(c.geometry.out_height), Int(c.geometry.out_width))
            let (row, column) = (
                Int.random(in: 0..<height + 2, using: &random), Int.random(in: 0..<width + 2, using: &random)
            )
            c.src.pointer[c.src.offset(0, row, column)] = .nan
            let out = run(c, level, residual: .none)
            for y in 0..<height {
                for x in 0..<width {
                    let (top, left) = (y / 4 * 4, x / 4 * 4)
                    // The last tile may be smaller, and so is its window.
                    let reached =
                        (top..<min(top + 6, height + 2)).contains(row)
                        && (left..<min(left + 6, width + 2)).contains(column)
                    let isDirect = (y...y + 2).contains(row) && (x...x + 2).contains(column)
                    let value = out.pointer[out.offset(0, y, x)]
                    #expect(reached || !value.isNaN, "\(level), \(c), \(y),\(x), seed \(random.seed)")
                    #expect(!isDirect || value.isNaN, "\(level), \(c), \(y),\(x), seed \(random.seed)")
                }
            }
        }
    }
}

/// The bound of ck_kernels.h, with the transforms in absolute values.
private struct WinogradBound {
    private let c: ConvCase
    private static let input: [[Double]] = [
        [4, 0, 5, 0, 1, 0], [0, 4, 4, 1, 1, 0], [0, 4, 4, 1, 1, 0], [0, 2, 1, 2, 1, 0], [0, 2, 1, 2, 1, 0],
        [0, 4, 0, 5, 0, 1],
    ]
    private static let weight: [[Double]] = [
        [1.0 / 4, 0, 0], [1.0 / 6, 1.0 / 6, 1.0 / 6], [1.0 / 6, 1.0 / 6, 1.0 / 6], [1.0 / 24, 1.0 / 12, 1.0 / 6],
        [1.0 / 24, 1.0 / 12, 1.0 / 6], [0, 0, 1],
    ]
    private static let output: [[Double]] = [
        [1, 1, 1, 1, 1, 0], [0, 1, 1, 2, 2, 0], [0, 1, 1, 4, 4, 0], [0, 1, 1, 8, 8, 1],
    ]

    init(_ c: ConvCase) { self.c = c }

    private func both(_ matrix: [[Double]], _ values: [[Double]]) -> [[Double]] {
        let half = matrix.map { row in
            values[0].indices.map { x in zip(row, values).reduce(0) { $0 + $1.0 * $1.1[x] } }
        }
        return half.map { line in matrix.map { row in zip(row, line).reduce(0) { $0 + $1.0 * $1.1 } } }
    }

    func bounds(_ values: [Int: Double], residual: Tensor?) -> [Int: Double] {
        let g = c.geometry
        let (height, width) = (Int(g.out_height), Int(g.out_width))
        let (inputs, outputs) = (Int(g.in_channels), Int(g.out_channels))
        let weights = (0..<outputs * inputs).map { pair in
            both(
                Self.weight,
                (0..<3).map { y in (0..<3).map { abs(Double(c.weights.pointer[pair * 9 + y * 3 + $0])) } })
        }
        var bounds: [Int: Double] = [:]
        for n in 0..<Int(g.images) {
            for (top, left) in tiles(height, width) {
                let points = (0..<inputs).map { i in
                    both(
                        Self.input,
                        (0..<6).map { y in
                            (0..<6).map { x in
                                guard top + y < height + 2, left + x < width + 2 else { return 0 }
                                return abs(Double(c.src.pointer[c.src.offset(n, top + y, left + x) + i]))
                            }
                        })
                }
                for o in 0..<outputs {
                    var products = [[Double]](repeating: [Double](repeating: 0, count: 6), count: 6)
                    for i in 0..<inputs {
                        for y in 0..<6 {
                            for x in 0..<6 { products[y][x] += points[i][y][x] * weights[o * inputs + i][y][x] }
                        }
                    }
                    let sums = both(Self.output, products)
                    for y in top..<min(top + 4, height) {
                        for x in left..<min(left + 4, width) {
                            let extra = residual.map { abs(Double($0.pointer[$0.offset(n, y, x) + o])) } ?? 0
                            let size = sums[y - top][x - left] + abs(Double(c.bias?[o] ?? 0)) + extra
                            let index = c.dst.offset(n, y, x) + o
                            let error = Double(inputs + 40) * Oracle.epsilon * size
                            bounds[index] =
                                Oracle.bound(error, values[index] ?? 0, g.activation) + 2 * Oracle.epsilon * extra
                        }
                    }
                }
            }
        }
        return bounds
    }

    private func tiles(_ height: Int, _ width: Int) -> [(Int, Int)] {
        stride(from: 0, to: height, by: 4).flatMap { top in stride(from: 0, to: width, by: 4).map { (top, $0) } }
    }
}
