// Speed of the convolutions of the shipped emotion net, level by level: GFLOP/s of one thread, CPU time,
// best of several rounds. Usage: KernelBench [batch]

import CKernels
import Glibc

/// A square convolution with padding kernel / 2.
struct Shape {
    let inputs: Int, outputs: Int, kernel: Int, stride: Int, side: Int
    let residual: Bool

    static let net = [
        Shape(inputs: 1, outputs: 16, kernel: 3, stride: 1, side: 48, residual: false),
        Shape(inputs: 16, outputs: 32, kernel: 3, stride: 2, side: 48, residual: false),
        Shape(inputs: 32, outputs: 32, kernel: 3, stride: 1, side: 24, residual: true),
        Shape(inputs: 32, outputs: 64, kernel: 3, stride: 2, side: 24, residual: false),
        Shape(inputs: 64, outputs: 64, kernel: 3, stride: 1, side: 12, residual: true),
        Shape(inputs: 64, outputs: 160, kernel: 3, stride: 2, side: 12, residual: false),
        Shape(inputs: 160, outputs: 160, kernel: 3, stride: 1, side: 6, residual: true),
        Shape(inputs: 32, outputs: 64, kernel: 1, stride: 2, side: 24, residual: false),
        Shape(inputs: 64, outputs: 160, kernel: 1, stride: 2, side: 12, residual: false),
    ]

    var out: Int { side / stride }
    var name: String { "\(inputs)->\(outputs) \(kernel)x\(kernel) s\(stride) \(side)x\(side)" }
    func flop(batch: Int) -> Double {
        2 * Double(batch * out * out * outputs) * Double(inputs * kernel * kernel)
    }
}

final class Floats {
    let pointer: UnsafeMutablePointer<Float>

    init(count: Int) {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
        pointer = raw.bindMemory(to: Float.self, capacity: count)
        var generator = SystemRandomNumberGenerator()
        for i in 0..<count { pointer[i] = Float.random(in: -0.5...0.5, using: &generator) }
    }

    deinit { UnsafeMutableRawPointer(pointer).deallocate() }
}

@main struct KernelBench {
    static func main() {
        let batch = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 16
        var name = [CChar](repeating: 0, count: 64)
        ck_cpu_name(&name, name.count)
        print(String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self), "batch \(batch)")
        for level in [CK_LEVEL_SCALAR, CK_LEVEL_AVX2, CK_LEVEL_AVX512]
        where ck_level_supported(level, ck_detect_cpu(), nil) {
            for shape in Shape.net { measure(shape, level, batch) }
        }
    }

    static func measure(_ shape: Shape, _ level: ck_level, _ batch: Int) {
        let padding = shape.kernel / 2, width = shape.side + 2 * padding
        let pixel = shape.inputs == 1 ? 1 : shape.inputs, outWidth = shape.out + 2
        let dst = ck_strides(
            image: outWidth * outWidth * shape.outputs, row: outWidth * shape.outputs, pixel: shape.outputs)
        var g = ck_conv(
            images: Int32(batch), out_height: Int32(shape.out), out_width: Int32(shape.out),
            in_channels: Int32(shape.inputs), out_channels: Int32(shape.outputs), groups: 1,
            kernel_height: Int32(shape.kernel), kernel_width: Int32(shape.kernel),
            stride_y: Int32(shape.stride), stride_x: Int32(shape.stride), dilation_y: 1, dilation_x: 1,
            src: ck_strides(image: width * width * pixel, row: width * pixel, pixel: pixel),
            residual: dst, dst: dst, residual_repeat_y: 1, residual_repeat_x: 1, residual_last: false,
            activation: ck_activation(kind: CK_ACTIVATION_RELU, a: 0, b: 0))
        let kernel = ck_kernels_at(level).pointee.conv
        let src = Floats(count: batch * width * width * pixel), out = Floats(count: batch * dst.image)
        let add = Floats(count: batch * dst.image), packed = Floats(count: kernel.packed_count(&g))
        let weights = Floats(count: shape.outputs * shape.inputs * shape.kernel * shape.kernel)
        kernel.pack(&g, weights.pointer, nil, packed.pointer)

        let flop = shape.flop(batch: batch), calls = Swift.max(1, Int((level == CK_LEVEL_SCALAR ? 1e8 : 1e9) / flop))
        var best = Double.infinity
        for _ in 0..<15 {
            let start = cpuSeconds()
            for _ in 0..<calls {
                kernel.run(
                    &g, src.pointer, packed.pointer, shape.residual ? add.pointer : nil,
                    out.pointer + dst.row + dst.pixel, 0, g.images * g.out_height)
            }
            best = min(best, (cpuSeconds() - start) / Double(calls))
        }
        let line = "\(String(cString: ck_level_name(level)))  \(shape.name)"
        print(
            line + String(repeating: " ", count: Swift.max(1, 36 - line.count)),
            rounded(best * 1e6 / Double(batch)), "us/image ", rounded(flop / best / 1e9), "GFLOP/s")
    }

    static func rounded(_ x: Double) -> Double { (x * 10).rounded() / 10 }

    static func cpuSeconds() -> Double {
        var t = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t)
        return Double(t.tv_sec) + Double(t.tv_nsec) * 1e-9
    }
}
