// The project's own detector, on luma alone. Its network is run by whoever conforms to `FrameEngine`: our kernels
// (Pipeline/SessionFrameEngine) or cv::dnn (OpenCVFrameEngine); the answers have YuNet's form.

package import Core
import Glibc

/// One output of a detector's network: `channels` values a cell, cells `stride` floats apart, row by row.
package struct CellValues {
    package let base: UnsafePointer<Float>
    package let cells: Int
    package let channels: Int
    package let stride: Int

    package init(base: UnsafePointer<Float>, cells: Int, channels: Int, stride: Int) {
        self.base = base
        self.cells = cells
        self.channels = channels
        self.stride = stride
    }
}

/// What runs a detector's network on whole pictures. One thread at a time.
package protocol FrameEngine: AnyObject {
    /// `native` or `opencv`.
    var name: String { get }
    /// The picture lies in the upper left of `width` x `height`; the rest is to be as the network's own padding.
    func run(_ luma: ImageView, width: Int, height: Int) throws
    /// Of the last run, by its place in `OwnDetector.outputNames`; valid until the next run. Nil where the network's
    /// output has no such form.
    func output(_ place: Int) -> CellValues?
}

package final class OwnDetector: FaceDetector {
    package let name = "own"
    // Boxes are in YuNet's style: the net is trained on them.
    package let cropMapping = CropMapping(side: 0.90, of: .height, shiftX: 0.01, shiftY: 0)
    package let defaultScore: Float
    package let engine: any FrameEngine

    /// Each level halves the map that it is given, five times in all.
    package static let multiple = 32
    /// Classes, objects, boxes, points of the first stride, then of the next.
    package static let outputNames = YuNetDecoder.strides.flatMap { YuNetDecoder.outputNames(stride: $0) }
    package static let outputChannels = YuNetDecoder.strides.flatMap { _ in [1, 1, 4, 10] }
    // As the threshold was chosen with (training/detector/judge.py). A close-up is found by several strides, of which
    // the finer ones box a part of it: without the second, one double detection in three stays.
    private static let overlap: Float = 0.3
    private static let containment: Float = 0.7

    /// - Parameter score: the model file's `score.threshold`.
    package init(engine: any FrameEngine, score: Float) {
        self.engine = engine
        defaultScore = score
    }

    // A face that fills the picture is more than the net takes in at once; in a copy of half the size, which costs a
    // quarter, it is not. Below that size the full picture knows better.
    private static let leastOfHalf: Float = 96
    private let scaler = LumaScaler()

    package func detect(_ luma: ImageView, minimumScore: Float) throws(FacesError) -> [Detection] {
        let whole = try faces(in: luma, minimumScore: minimumScore)
        let longest = max(luma.width, luma.height)
        guard Float(min(luma.width, luma.height)) >= Self.leastOfHalf else { return whole }
        let half = try scaler.scale(luma, range: .full, longestSide: longest / 2)
        let large = try faces(in: half.view, minimumScore: minimumScore)
            .map { $0.scaled(x: half.horizontal, y: half.vertical) }
            .filter { $0.box.area >= Self.leastOfHalf * Self.leastOfHalf }
        return Suppression.keepBest(of: whole + large, overlap: Self.overlap, containment: Self.containment)
    }

    private func faces(in luma: ImageView, minimumScore: Float) throws(FacesError) -> [Detection] {
        _ = try luma.plane()
        let width = Self.padded(luma.width), height = Self.padded(luma.height)
        do {
            try engine.run(luma, width: width, height: height)
        } catch let error as FacesError {
            throw error
        } catch {
            throw .network(reason: "\(error)", width: width, height: height)
        }
        var heads: [YuNetDecoder.Head] = []
        for (index, stride) in YuNetDecoder.strides.enumerated() {
            let outputs = (0..<4).compactMap { engine.output(index * 4 + $0) }
            guard
                let head = YuNetDecoder.Head(
                    stride: stride, columns: width / stride, rows: height / stride, outputs: outputs)
            else {
                throw .network(reason: "its outputs do not have YuNet's shapes", width: width, height: height)
            }
            heads.append(head)
        }
        return YuNetDecoder(
            minimumScore: minimumScore, overlap: Self.overlap, containment: Self.containment,
            exponential: { expf($0) }
        ).decode(heads)
    }

    private static func padded(_ side: Int) -> Int { (side + multiple - 1) / multiple * multiple }
}
