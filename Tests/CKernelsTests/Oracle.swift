// What the kernels should have said, in double precision and the plainest loops.

import CKernels
import Glibc
import TestSupport

enum Oracle {
    static let epsilon = Double(Float.ulpOfOne)

    static func activate(_ x: Double, _ f: ck_activation) -> Double {
        switch f.kind {
        case CK_ACTIVATION_RELU: max(0, x)
        case CK_ACTIVATION_LEAKY_RELU: x > 0 ? x : x * Double(f.a)
        case CK_ACTIVATION_CLIP: min(Double(f.b), max(Double(f.a), x))
        case CK_ACTIVATION_SIGMOID: 1 / (1 + exp(-x))
        default: x
        }
    }

    /// How far an activation's result may be off where its argument is off by `error`: none of them is
    /// steeper than 1, and the sigmoid adds a rounding of its own.
    static func bound(_ error: Double, _ value: Double, _ f: ck_activation) -> Double {
        f.kind == CK_ACTIVATION_SIGMOID ? error / 4 + 8 * epsilon * value : error + epsilon * abs(value)
    }

    /// The convolution of ck_kernels.h with its derived bound, by index into `dst`.
    static func convolve(_ c: ConvCase, residual: Tensor?) -> (values: [Int: Double], bounds: [Int: Double]) {
        var values: [Int: Double] = [:], bounds: [Int: Double] = [:]
        let g = c.geometry
        let inputs = Int(g.in_channels / g.groups), outputs = Int(g.out_channels / g.groups)
        let height = Int(g.kernel_height), width = Int(g.kernel_width)
        let strides = c.src.strides, src = c.src.pointer
        for n in 0..<Int(g.images) {
            for y in 0..<Int(g.out_height) {
                for x in 0..<Int(g.out_width) {
                    for o in 0..<Int(g.out_channels) {
                        var sum = Double(c.bias?[o] ?? 0), size = abs(sum)
                        for ky in 0..<height {
                            for kx in 0..<width {
                                let row = y * Int(g.stride_y) + ky * Int(g.dilation_y)
                                let column = x * Int(g.stride_x) + kx * Int(g.dilation_x)
                                let pixel =
                                    n * strides.image + row * strides.row + column * strides.pixel
                                    + o / outputs * inputs
                                for i in 0..<inputs {
                                    let weight = c.weights.pointer[((o * inputs + i) * height + ky) * width + kx]
                                    let product = Double(src[pixel + i]) * Double(weight)
                                    sum += product
                                    size += abs(product)
                                }
                            }
                        }
                        let extra = residual.map { residual in
                            Double(
                                residual.pointer[
                                    residual.offset(
                                        n, y / Int(g.residual_repeat_y), x / Int(g.residual_repeat_x)) + o])
                        }
                        if let extra, !g.residual_last {
                            sum += extra
                            size += abs(extra)
                        }
                        let terms = Double(height * width * inputs + 3)
                        let index = c.dst.offset(n, y, x) + o
                        var value = activate(sum, g.activation)
                        var error = bound(terms * epsilon * size, value, g.activation)
                        if let extra, g.residual_last {
                            error += epsilon * (abs(value) + abs(extra))
                            value += extra
                        }
                        values[index] = value
                        bounds[index] = error
                    }
                }
            }
        }
        return (values, bounds)
    }
}
