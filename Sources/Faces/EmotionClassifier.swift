// Step 6: crops in, probabilities out. The network itself is somebody else's; what is here is the model's idea of
// its input and of its output.

package import Core
import Glibc

/// What runs the emotion network. N x C x S x S floats in, N x labels logits out.
package protocol CropEngine: AnyObject {
    /// 1, or 3 for networks that were made for colour.
    var inputChannels: Int { get }
    /// Side of the square input in pixels.
    var inputSide: Int { get }
    func run(_ input: UnsafeBufferPointer<Float>, batch: Int) throws -> [Float]
}

/// How grey values become the network's input.
package enum CropNormalisation: Hashable, Sendable {
    /// x = (v - mean) * scale
    case fixed(mean: Float, scale: Float)
    /// x = (v - m) / max(s, 1), with mean m and population deviation s of the crop itself.
    case perCrop
}

/// One thread at a time.
package final class EmotionClassifier {
    package let labels: [String]
    private let engine: any CropEngine
    private let normalisation: CropNormalisation
    private let temperature: Float
    private let resampler = Resampler()
    private var input: [Float] = []

    package init(
        engine: any CropEngine, labels: [String], normalisation: CropNormalisation, temperature: Float = 1
    ) {
        precondition(!labels.isEmpty && temperature > 0, "labels and a positive temperature come from the model file")
        self.engine = engine
        self.labels = labels
        self.normalisation = normalisation
        self.temperature = temperature
    }

    /// - Parameter crops: `count` crops of 48 x 48 bytes, one after the other.
    package func classify(crops: UnsafeBufferPointer<UInt8>, count: Int) throws -> [Probabilities] {
        let pixels = Cropper.side * Cropper.side
        precondition(crops.count >= count * pixels, "each crop has 48 x 48 bytes")
        guard count > 0, let base = crops.baseAddress else { return [] }
        let plane = engine.inputSide * engine.inputSide, channels = engine.inputChannels
        let total = count * channels * plane
        if input.count < total { input = [Float](repeating: 0, count: total) }
        let logits = try input.withUnsafeMutableBufferPointer { input in
            if let target = input.baseAddress {
                for crop in 0..<count {
                    prepare(base + crop * pixels, into: target + crop * channels * plane)
                }
            }
            return try engine.run(UnsafeBufferPointer(rebasing: input[0..<total]), batch: count)
        }
        guard logits.count == count * labels.count else {
            throw FacesError.wrongOutput(expected: count * labels.count, found: logits.count)
        }
        return (0..<count).map { crop in
            Probabilities(
                logits: logits[crop * labels.count..<(crop + 1) * labels.count], temperature: temperature,
                exponential: { exp($0) })
        }
    }

    private func prepare(_ crop: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<Float>) {
        let side = engine.inputSide, plane = side * side
        let (mean, scale) = offsetAndScale(of: crop)
        if side == Cropper.side {
            for i in 0..<plane { target[i] = (Float(crop[i]) - mean) * scale }
        } else {
            let whole = ImageView(base: crop, width: Cropper.side, height: Cropper.side, strideBytes: Cropper.side)
            let extent = Float(Cropper.side)
            resampler.sample(
                whole, Box(x: 0, y: 0, width: extent, height: extent), columns: side, rows: side, into: target)
            for i in 0..<plane { target[i] = (target[i] - mean) * scale }
        }
        for channel in 1..<max(engine.inputChannels, 1) {
            (target + channel * plane).update(from: target, count: plane)
        }
    }

    /// Sums are of whole numbers, so they are exact and the same on every machine.
    private func offsetAndScale(of crop: UnsafePointer<UInt8>) -> (mean: Float, scale: Float) {
        switch normalisation {
        case .fixed(let mean, let scale): return (mean, scale)
        case .perCrop:
            let count = Cropper.side * Cropper.side
            var sum = 0, squares = 0
            for i in 0..<count {
                sum += Int(crop[i])
                squares += Int(crop[i]) * Int(crop[i])
            }
            let mean = Double(sum) / Double(count)
            let variance = Double(squares * count - sum * sum) / Double(count * count)
            return (Float(mean), Float(1 / max(variance.squareRoot(), 1)))
        }
    }
}
