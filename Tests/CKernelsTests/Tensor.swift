// Tensors with odd strides for the kernels' tests.

import CKernels
import TestSupport

/// Images x height x width x channels at some strides, in a guarded buffer that ends with the last element.
struct Tensor: CustomStringConvertible {
    let images: Int, height: Int, width: Int, channels: Int
    let strides: ck_strides
    let storage: Guarded<Float>

    /// What a test puts where a kernel must not write. A NaN no arithmetic makes.
    static let untouched = Float(bitPattern: 0x7FC0_DEAD)

    var pointer: UnsafeMutablePointer<Float> { storage.pointer }
    var description: String { "\(images)x\(height)x\(width)x\(channels) at \(strides)" }

    /// - Parameter pixelStride: nil draws one; gaps between rows and images are drawn too.
    static func random(
        images: Int, height: Int, width: Int, channels: Int, pixelStride: Int? = nil, gaps: Bool = true,
        using random: inout SeededGenerator, _ value: (inout SeededGenerator) -> Float
    ) -> Tensor {
        let pixel = pixelStride ?? channels + (Bool.random(using: &random) ? 0 : Int.random(in: 1...17, using: &random))
        let row = pixel * width + (gaps ? Int.random(in: 0...9, using: &random) : 0)
        let image = row * height + (gaps ? Int.random(in: 0...9, using: &random) : 0)
        let last = (images - 1) * image + (height - 1) * row + (width - 1) * pixel + channels
        let tensor = Tensor(
            images: images, height: height, width: width, channels: channels,
            strides: ck_strides(image: image, row: row, pixel: pixel),
            storage: Guarded(count: last, filledWith: untouched))
        for index in tensor.indices { tensor.pointer[index] = value(&random) }
        return tensor
    }

    static func empty(like shape: Tensor) -> Tensor {
        Tensor(
            images: shape.images, height: shape.height, width: shape.width, channels: shape.channels,
            strides: shape.strides, storage: Guarded(count: shape.storage.count, filledWith: untouched))
    }

    func copy() -> Tensor {
        let other = Tensor.empty(like: self)
        other.pointer.update(from: pointer, count: storage.count)
        return other
    }

    func offset(_ n: Int, _ y: Int, _ x: Int) -> Int {
        n * strides.image + y * strides.row + x * strides.pixel
    }

    /// Of all elements, gaps left out.
    var indices: [Int] {
        var all: [Int] = []
        all.reserveCapacity(images * height * width * channels)
        for n in 0..<images {
            for y in 0..<height {
                for x in 0..<width {
                    let start = offset(n, y, x)
                    all.append(contentsOf: start..<start + channels)
                }
            }
        }
        return all
    }

    /// Equal bits everywhere, gaps and guards included. Any NaN equals any other, except `untouched`.
    func hasBits(of other: Tensor) -> Bool {
        guard storage.count == other.storage.count, storage.guardsIntact else { return false }
        for i in 0..<storage.count {
            let a = pointer[i], b = other.pointer[i]
            if a.bitPattern == b.bitPattern { continue }
            let untouched = Tensor.untouched.bitPattern
            guard a.isNaN, b.isNaN, a.bitPattern != untouched, b.bitPattern != untouched else { return false }
        }
        return true
    }

    /// The first element that is further from `expected` than `bound` allows, or that was written though it
    /// lies in a gap; nil where all is well.
    func firstFault(expected: [Int: Double], bound: [Int: Double]) -> String? {
        guard storage.guardsIntact else { return "a guard was overwritten" }
        for i in 0..<storage.count {
            let value = pointer[i]
            guard let wanted = expected[i], let allowed = bound[i] else {
                if value.bitPattern == Tensor.untouched.bitPattern { continue }
                return "gap at \(i) was written: \(value)"
            }
            if !(abs(Double(value) - wanted) <= allowed) {
                return "element \(i) is \(value), expected \(wanted) within \(allowed)"
            }
        }
        return nil
    }
}

extension ck_activation {
    static let none = ck_activation(kind: CK_ACTIVATION_NONE, a: 0, b: 0)
    static let relu = ck_activation(kind: CK_ACTIVATION_RELU, a: 0, b: 0)
    static let sigmoid = ck_activation(kind: CK_ACTIVATION_SIGMOID, a: 0, b: 0)
    static func leaky(_ slope: Float) -> ck_activation {
        ck_activation(kind: CK_ACTIVATION_LEAKY_RELU, a: slope, b: 0)
    }
    static func clip(_ low: Float, _ high: Float) -> ck_activation {
        ck_activation(kind: CK_ACTIVATION_CLIP, a: low, b: high)
    }

    /// Every kind once, with parameters that a narrow range of sums meets.
    static let each: [ck_activation] = [.none, .relu, .leaky(0.125), .clip(-0.5, 0.75), .sigmoid]
}

extension Float {
    /// In -1...1, with zeros among them.
    static func ordinary(_ random: inout SeededGenerator) -> Float {
        Int.random(in: 0..<16, using: &random) == 0 ? 0 : Float.random(in: -1...1, using: &random)
    }
}
