// Follows a face between detections: where has this patch of the picture gone?
//
// Inverse compositional alignment of shift and scale (S. Baker, I. Matthews, "Lucas-Kanade 20 Years On", 2004,
// section 3.2): the gradients are those of the template, so their Hessian is inverted once a template. Brightness
// and contrast are taken out of both sides, so a fade does not lose a face. Coarse to fine, for speed of motion.

package import Core

/// What a face looked like when it was last detected, in a grid that spans its box.
package struct FacePatch: Sendable {
    static let side = 24
    /// What the templates are made of, and all that a checkpoint keeps of them.
    fileprivate let pixels: [Float]
    fileprivate let fine: PatchTemplate
    fileprivate let coarse: PatchTemplate

    /// Nil where there is no texture to follow.
    fileprivate init?(pixels: [Float]) {
        let side = Self.side
        var small = [Float](repeating: 0, count: side * side / 4)
        halve(pixels, side: side, into: &small)
        guard let fine = PatchTemplate(pixels, side: side), let coarse = PatchTemplate(small, side: side / 2) else {
            return nil
        }
        self.pixels = pixels
        self.fine = fine
        self.coarse = coarse
    }
}

/// The pixels' bits, as a text of digits would have to be read back exactly.
extension FacePatch: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let bits = try container.decode([UInt32].self)
        guard bits.count == Self.side * Self.side, let patch = FacePatch(pixels: bits.map(Float.init(bitPattern:)))
        else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "these are no pixels of a face")
        }
        self = patch
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(pixels.map(\.bitPattern))
    }
}

/// Where the patch was found.
package struct PatchMatch: Hashable, Sendable {
    package var box: Box
    /// Correlation of patch and place, -1…1.
    package var similarity: Float

    package init(box: Box, similarity: Float) {
        self.box = box
        self.similarity = similarity
    }
}

/// One thread at a time.
package final class PatchAligner {
    private static let side = FacePatch.side
    /// The search window reaches this share of the box beyond it on each side.
    private static let reach = 12
    private static let windowSide = side + 2 * reach
    private let resampler = Resampler()
    private var window = [Float](repeating: 0, count: windowSide * windowSide)
    private var halved = [Float](repeating: 0, count: windowSide * windowSide / 4)

    package init() {}

    /// Nil where the box holds no texture to follow.
    package func patch(of picture: ImageView, at box: Box) -> FacePatch? {
        let side = Self.side
        var pixels = [Float](repeating: 0, count: side * side)
        pixels.withUnsafeMutableBufferPointer { pixels in
            pixels.baseAddress.map { resampler.sample(picture, box, columns: side, rows: side, into: $0) }
        }
        return FacePatch(pixels: pixels)
    }

    /// Looks for the patch around `box`, its last known place.
    package func find(_ patch: FacePatch, in picture: ImageView, near box: Box) -> PatchMatch {
        let side = Float(Self.side), reach = Float(Self.reach)
        let pixelX = box.width / side, pixelY = box.height / side
        let around = Box(
            x: box.x - reach * pixelX, y: box.y - reach * pixelY, width: box.width + 2 * reach * pixelX,
            height: box.height + 2 * reach * pixelY)
        window.withUnsafeMutableBufferPointer { window in
            window.baseAddress.map {
                resampler.sample(picture, around, columns: Self.windowSide, rows: Self.windowSide, into: $0)
            }
        }
        halve(window, side: Self.windowSide, into: &halved)

        var warp = Warp()
        _ = patch.coarse.align(&warp, in: halved, windowSide: Self.windowSide / 2, fixedScale: true, rounds: 8)
        warp.x *= 2
        warp.y *= 2
        let similarity = patch.fine.align(
            &warp, in: window, windowSide: Self.windowSide, fixedScale: false, rounds: 10)
        let width = box.width * warp.scale, height = box.height * warp.scale
        return PatchMatch(
            box: Box(
                x: box.centre.x + warp.x * pixelX - width / 2, y: box.centre.y + warp.y * pixelY - height / 2,
                width: width, height: height),
            similarity: similarity)
    }
}

private func halve(_ source: [Float], side: Int, into target: inout [Float]) {
    let half = side / 2
    source.withUnsafeBufferPointer { source in
        target.withUnsafeMutableBufferPointer { target in
            for y in 0..<half {
                for x in 0..<half {
                    let at = 2 * y * side + 2 * x
                    target[y * half + x] =
                        (source[at] + source[at + 1] + source[at + side] + source[at + side + 1]) / 4
                }
            }
        }
    }
}

/// Shift of the centre in patch pixels, and scale about it.
struct Warp {
    var x: Float = 0
    var y: Float = 0
    var scale: Float = 1
}

/// A patch ready to be aligned: values of weighted mean 0 and weighted norm 1, their steepest-descent images and the
/// inverse of the Hessian for shift alone and for shift with scale.
struct PatchTemplate: Sendable {
    let side: Int
    private var values: [Float]
    private var weights: [Float]
    /// Three a pixel: by x, by y, by scale; already weighted.
    private var descent: [Float]
    private var inverse: Matrix3
    private var inverseShift: Matrix3
    private var sampled: [Float]

    init?(_ pixels: [Float], side: Int) {
        self.side = side
        weights = Self.ellipse(side: side)
        values = pixels
        descent = [Float](repeating: 0, count: side * side * 3)
        sampled = [Float](repeating: 0, count: side * side)
        // Less than one grey level of deviation is noise, not a face.
        guard Self.normalise(&values, weights: weights) > 1 else { return nil }

        var hessian = Matrix3()
        let centre = Float(side - 1) / 2
        for y in 0..<side {
            for x in 0..<side {
                let at = y * side + x
                let left = values[at - (x > 0 ? 1 : 0)], right = values[at + (x < side - 1 ? 1 : 0)]
                let above = values[at - (y > 0 ? side : 0)], below = values[at + (y < side - 1 ? side : 0)]
                let gradientX = (right - left) / 2, gradientY = (below - above) / 2
                let row = (gradientX, gradientY, gradientX * (Float(x) - centre) + gradientY * (Float(y) - centre))
                hessian.add(row, weight: weights[at])
                descent[at * 3] = row.0 * weights[at]
                descent[at * 3 + 1] = row.1 * weights[at]
                descent[at * 3 + 2] = row.2 * weights[at]
            }
        }
        guard let inverse = hessian.inverse, let inverseShift = hessian.withoutThird.inverse else { return nil }
        self.inverse = inverse
        self.inverseShift = inverseShift
    }

    /// Moves `warp` to where the window fits the template best; gives the correlation there.
    func align(_ warp: inout Warp, in window: [Float], windowSide: Int, fixedScale: Bool, rounds: Int) -> Float {
        var sampled = sampled
        var best = warp, bestSimilarity: Float = -1
        for round in 0...rounds {
            sample(window, windowSide: windowSide, warp: warp, into: &sampled)
            guard Self.normalise(&sampled, weights: weights) > 0.5 else { break }
            let (similarity, slope) = compare(sampled)
            if similarity > bestSimilarity { (best, bestSimilarity) = (warp, similarity) }
            if round == rounds { break }
            let step = (fixedScale ? inverseShift : inverse).times(slope)
            let growth = fixedScale ? 0 : min(max(step.2, -0.1), 0.1)
            let scale = warp.scale / (1 + growth)
            let moveX = step.0 * scale, moveY = step.1 * scale
            let limit = Float(side) / 2
            warp = Warp(
                x: min(max(warp.x - moveX, -limit), limit), y: min(max(warp.y - moveY, -limit), limit),
                scale: min(max(scale, 0.7), 1.4))
            if abs(moveX) + abs(moveY) + abs(growth) * limit < 0.03 { break }
        }
        warp = best
        return bestSimilarity
    }

    private func compare(_ sampled: [Float]) -> (similarity: Float, slope: (Float, Float, Float)) {
        var similarity: Float = 0
        var slope: (Float, Float, Float) = (0, 0, 0)
        sampled.withUnsafeBufferPointer { sampled in
            values.withUnsafeBufferPointer { values in
                descent.withUnsafeBufferPointer { descent in
                    for i in 0..<side * side {
                        let error = sampled[i] - values[i]
                        similarity += weights[i] * sampled[i] * values[i]
                        slope.0 += descent[i * 3] * error
                        slope.1 += descent[i * 3 + 1] * error
                        slope.2 += descent[i * 3 + 2] * error
                    }
                }
            }
        }
        return (similarity, slope)
    }

    /// Bilinear; the window's border goes on.
    private func sample(_ window: [Float], windowSide: Int, warp: Warp, into target: inout [Float]) {
        let half = Float(side - 1) / 2, middle = Float(windowSide - 1) / 2
        let last = Float(windowSide - 1)
        window.withUnsafeBufferPointer { window in
            target.withUnsafeMutableBufferPointer { target in
                for y in 0..<side {
                    let fromY = min(max(middle + warp.y + (Float(y) - half) * warp.scale, 0), last)
                    let row = min(Int(fromY), windowSide - 2), down = fromY - Float(row)
                    for x in 0..<side {
                        let fromX = min(max(middle + warp.x + (Float(x) - half) * warp.scale, 0), last)
                        let column = min(Int(fromX), windowSide - 2), right = fromX - Float(column)
                        let at = row * windowSide + column
                        let top = window[at] + (window[at + 1] - window[at]) * right
                        let bottom =
                            window[at + windowSide] + (window[at + windowSide + 1] - window[at + windowSide]) * right
                        target[y * side + x] = top + (bottom - top) * down
                    }
                }
            }
        }
    }

    /// A face fills an ellipse of its box; the corners are background that moves on its own. Sum 1.
    private static func ellipse(side: Int) -> [Float] {
        let centre = Float(side - 1) / 2
        var weights = [Float](repeating: 0, count: side * side)
        for y in 0..<side {
            for x in 0..<side {
                let dx = (Float(x) - centre) / centre, dy = (Float(y) - centre) / centre
                weights[y * side + x] = max(1.15 - dx * dx - dy * dy, 0)
            }
        }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    /// To weighted mean 0 and weighted norm 1; returns the deviation there was.
    private static func normalise(_ values: inout [Float], weights: [Float]) -> Float {
        var mean: Float = 0, square: Float = 0
        for i in values.indices { mean += weights[i] * values[i] }
        for i in values.indices { square += weights[i] * (values[i] - mean) * (values[i] - mean) }
        let deviation = square.squareRoot()
        guard deviation > 0 else { return 0 }
        for i in values.indices { values[i] = (values[i] - mean) / deviation }
        return deviation
    }
}

/// Symmetric 3x3, as small as the alignment needs it.
struct Matrix3: Sendable {
    private var xx: Float = 0, xy: Float = 0, xs: Float = 0, yy: Float = 0, ys: Float = 0, ss: Float = 0

    mutating func add(_ row: (Float, Float, Float), weight: Float) {
        xx += weight * row.0 * row.0
        xy += weight * row.0 * row.1
        xs += weight * row.0 * row.2
        yy += weight * row.1 * row.1
        ys += weight * row.1 * row.2
        ss += weight * row.2 * row.2
    }

    /// Shift alone: the third unknown stays 0.
    var withoutThird: Matrix3 {
        var matrix = self
        matrix.xs = 0
        matrix.ys = 0
        matrix.ss = 1
        return matrix
    }

    var inverse: Matrix3? {
        let a = yy * ss - ys * ys, b = xs * ys - xy * ss, c = xy * ys - xs * yy
        let determinant = xx * a + xy * b + xs * c
        guard abs(determinant) > 1e-12 else { return nil }
        var result = Matrix3()
        result.xx = a / determinant
        result.xy = b / determinant
        result.xs = c / determinant
        result.yy = (xx * ss - xs * xs) / determinant
        result.ys = (xy * xs - xx * ys) / determinant
        result.ss = (xx * yy - xy * xy) / determinant
        return result
    }

    func times(_ v: (Float, Float, Float)) -> (Float, Float, Float) {
        (xx * v.0 + xy * v.1 + xs * v.2, xy * v.0 + yy * v.1 + ys * v.2, xs * v.0 + ys * v.1 + ss * v.2)
    }
}
