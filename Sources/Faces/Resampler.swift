// A rectangle of a plane, placed to fractions of a pixel, as a small grid of floats: what crops and the tracker's
// patches are made of. This is the affine warp (scale and shift), with its filter fitted to the scale.

package import Core

/// Where the picture is larger than the grid, a value is the exact average of the area it covers, so nothing
/// aliases however large the face; where it is smaller, bilinear. Both agree at scale 1. Beyond the picture's edge
/// its border pixels go on. One thread at a time; keeps its scratch memory.
package final class Resampler {
    /// The pixels that one grid line needs along one axis: consecutive ones from `first`, with weights of sum 1.
    private struct Taps {
        var first: Int
        var start: Int
        var count: Int
    }

    private struct Axis {
        var taps: [Taps] = []
        var weights: [Float] = []

        var range: Range<Int> {
            var low = Int.max, high = 0
            for tap in taps {
                low = min(low, tap.first)
                high = max(high, tap.first + tap.count)
            }
            return low..<max(high, low)
        }
    }

    private var horizontal = Axis()
    private var vertical = Axis()
    private var line: [Float] = []

    package init() {}

    /// Fills `target`, `rows` lines of `columns`, from the rectangle `source` of `plane`; 0…255 as in the plane.
    /// An empty or unbounded rectangle gives the value of the pixel nearest to the plane's origin.
    package func sample(
        _ plane: ImageView, _ source: Box, columns: Int, rows: Int, into target: UnsafeMutablePointer<Float>
    ) {
        Self.fill(&horizontal, origin: source.x, extent: source.width, cells: columns, pixels: plane.width)
        Self.fill(&vertical, origin: source.y, extent: source.height, cells: rows, pixels: plane.height)
        let span = horizontal.range
        if line.count < span.count { line = [Float](repeating: 0, count: span.count) }

        line.withUnsafeMutableBufferPointer { line in
            horizontal.weights.withUnsafeBufferPointer { across in
                for row in 0..<rows {
                    sumRows(plane, vertical.taps[row], span: span, into: line)
                    for column in 0..<columns {
                        let tap = horizontal.taps[column]
                        var sum: Float = 0
                        for i in 0..<tap.count { sum += across[tap.start + i] * line[tap.first - span.lowerBound + i] }
                        target[row * columns + column] = sum
                    }
                }
            }
        }
    }

    /// The weighted sum of the picture's rows that one grid line covers. The inner loop is nearly all of the work
    /// and is written so that it becomes vector code.
    private func sumRows(
        _ plane: ImageView, _ tap: Taps, span: Range<Int>, into line: UnsafeMutableBufferPointer<Float>
    ) {
        guard let line = line.baseAddress else { return }
        let count = span.count
        for i in 0..<tap.count {
            let weight = vertical.weights[tap.start + i]
            let pixels = plane.base + (tap.first + i) * plane.strideBytes + span.lowerBound
            if i == 0 {
                for x in 0..<count { line[x] = weight * Float(pixels[x]) }
            } else {
                for x in 0..<count { line[x] += weight * Float(pixels[x]) }
            }
        }
    }

    /// Half the largest Float that still counts pixels; rectangles beyond are nonsense, not faces.
    private static let farthest: Float = 8_388_608

    private static func fill(_ axis: inout Axis, origin: Float, extent: Float, cells: Int, pixels: Int) {
        axis.taps.removeAll(keepingCapacity: true)
        axis.weights.removeAll(keepingCapacity: true)
        let sound = abs(origin) < farthest && extent > 0 && extent < farthest
        let step = sound ? Double(extent) / Double(cells) : 1
        let start = sound ? Double(origin) : 0
        for cell in 0..<cells {
            let low = start + Double(cell) * step
            if step >= 1 {
                area(&axis, from: low, to: low + step, pixels: pixels)
            } else {
                linear(&axis, at: low + step / 2 - 0.5, pixels: pixels)
            }
        }
    }

    /// The share of each pixel in [low, high); the first and the last pixel reach to infinity.
    private static func area(_ axis: inout Axis, from low: Double, to high: Double, pixels: Int) {
        let last = pixels - 1
        let first = min(max(Int(low.rounded(.down)), 0), last)
        let end = min(max(Int(high.rounded(.up)) - 1, first), last)
        axis.taps.append(Taps(first: first, start: axis.weights.count, count: end - first + 1))
        for pixel in first...end {
            let left = pixel == first ? low : max(low, Double(pixel))
            let right = pixel == end ? high : min(high, Double(pixel + 1))
            axis.weights.append(Float(max(right - left, 0) / (high - low)))
        }
    }

    private static func linear(_ axis: inout Axis, at centre: Double, pixels: Int) {
        let last = pixels - 1
        let floor = centre.rounded(.down)
        let left = min(max(Int(floor), 0), last), right = min(max(Int(floor) + 1, 0), last)
        axis.taps.append(Taps(first: left, start: axis.weights.count, count: right - left + 1))
        if left == right {
            axis.weights.append(1)
        } else {
            axis.weights.append(Float(1 - (centre - floor)))
            axis.weights.append(Float(centre - floor))
        }
    }
}
