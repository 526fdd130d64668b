// Pools: exact at every level, right against double precision.

import CKernels
import TestSupport
import Testing

struct PoolCase: CustomStringConvertible {
    let geometry: ck_pool
    let src: Tensor, dst: Tensor

    var description: String { "\(geometry)" }

    static func random(countIncludePad: Bool, using random: inout SeededGenerator) -> PoolCase {
        func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        let images = draw(1...3), channels = draw(1...35)
        func axis() -> (size: Int, kernel: Int, stride: Int, before: Int, after: Int, out: Int) {
            let kernel = draw(1...4), before = draw(0...kernel - 1), after = draw(0...kernel - 1)
            let size = draw(kernel...9), stride = draw(1...3)
            return (size, kernel, stride, before, after, (size + before + after - kernel) / stride + 1)
        }
        let y = axis(), x = axis()
        let src = Tensor.random(
            images: images, height: y.size, width: x.size, channels: channels, using: &random, Float.ordinary)
        let dst = Tensor.random(
            images: images, height: y.out, width: x.out, channels: channels, using: &random, Float.ordinary)
        let geometry = ck_pool(
            images: Int32(images), out_height: Int32(y.out), out_width: Int32(x.out),
            channels: Int32(channels), in_height: Int32(y.size), in_width: Int32(x.size),
            kernel_height: Int32(y.kernel), kernel_width: Int32(x.kernel),
            stride_y: Int32(y.stride), stride_x: Int32(x.stride),
            pad_top: Int32(y.before), pad_left: Int32(x.before),
            pad_bottom: Int32(y.after), pad_right: Int32(x.after),
            count_include_pad: countIncludePad, src: src.strides, dst: dst.strides)
        return PoolCase(geometry: geometry, src: src, dst: Tensor.empty(like: dst))
    }

    func run(_ level: KernelLevel, average: Bool, pieces: [Range<Int>]? = nil) -> Tensor {
        var g = geometry
        let out = Tensor.empty(like: dst), kernels = level.kernels
        for piece in pieces ?? [0..<Int(g.images * g.out_height)] {
            let (first, end) = (Int32(piece.lowerBound), Int32(piece.upperBound))
            if average {
                kernels.average_pool(&g, src.pointer, out.pointer, first, end)
            } else {
                kernels.max_pool(&g, src.pointer, out.pointer, first, end)
            }
        }
        return out
    }

    /// In double precision, by index into `dst`; the bound is that of a sum of so many terms and a division.
    func oracle(average: Bool) -> (values: [Int: Double], bounds: [Int: Double]) {
        var values: [Int: Double] = [:], bounds: [Int: Double] = [:]
        for n in 0..<dst.images {
            for y in 0..<dst.height {
                for x in 0..<dst.width {
                    for c in 0..<dst.channels {
                        let index = dst.offset(n, y, x) + c
                        (values[index], bounds[index]) = element(n, y, x, c, average: average)
                    }
                }
            }
        }
        return (values, bounds)
    }

    private func element(_ n: Int, _ y: Int, _ x: Int, _ c: Int, average: Bool) -> (Double, Double) {
        let g = geometry
        let top = y * Int(g.stride_y) - Int(g.pad_top), left = x * Int(g.stride_x) - Int(g.pad_left)
        var inside: [Double] = [], padded = 0
        for row in top..<top + Int(g.kernel_height) {
            for column in left..<left + Int(g.kernel_width) {
                if row < src.height + Int(g.pad_bottom), column < src.width + Int(g.pad_right) { padded += 1 }
                guard (0..<src.height).contains(row), (0..<src.width).contains(column) else { continue }
                inside.append(Double(src.pointer[src.offset(n, row, column) + c]))
            }
        }
        guard average else { return (inside.max() ?? .nan, 0) }
        let count = Double(g.count_include_pad ? padded : inside.count)
        let size = inside.reduce(0) { $0 + abs($1) } / count
        return (inside.reduce(0, +) / count, Double(inside.count + 1) * Oracle.epsilon * size)
    }
}

@Suite struct PoolTests {
    @Test(arguments: KernelLevel.onThisCPU, [false, true])
    func `a pool of any shape is right and has scalar's bits`(level: KernelLevel, average: Bool) {
        var random = SeededGenerator(TestSeed.current &+ 10)
        for round in 0..<60 {
            let c = PoolCase.random(countIncludePad: round % 2 == 0, using: &random)
            let out = c.run(level, average: average)
            let (values, bounds) = c.oracle(average: average)
            #expect(out.firstFault(expected: values, bound: bounds) == nil, "\(level), \(c), seed \(random.seed)")
            #expect(out.hasBits(of: c.run(.scalar, average: average)), "\(level), \(c), seed \(random.seed)")
            let rows = 0..<Int(c.geometry.images * c.geometry.out_height)
            let parts = c.run(level, average: average, pieces: rows.shuffledPieces(using: &random))
            #expect(parts.hasBits(of: out), "\(level), \(c), seed \(random.seed)")
        }
    }

    @Test(arguments: KernelLevel.onThisCPU, [false, true])
    func `a NaN anywhere in the window makes the result a NaN`(level: KernelLevel, average: Bool) {
        var random = SeededGenerator(TestSeed.current &+ 11)
        for position in 0..<9 {
            let src = Tensor.random(images: 1, height: 3, width: 3, channels: 11, using: &random, Float.ordinary)
            src.pointer[src.offset(0, position / 3, position % 3) + 9] = .nan
            let dst = Tensor.random(images: 1, height: 1, width: 1, channels: 11, using: &random, Float.ordinary)
            var geometry = ck_global_average(1, 3, 3, 11, src.strides, dst.strides.image)
            geometry.dst = dst.strides
            let out = PoolCase(geometry: geometry, src: src, dst: dst).run(level, average: average)
            for c in 0..<11 { #expect(out.pointer[c].isNaN == (c == 9), "\(level), position \(position)") }
        }
    }
}
