// YuNet, in the two forms that users have. Both are trained on colour and get grey in three equal channels: that saves
// the conversion of every frame, lowers their scores and so some points of recall, and hardly touches their order
// (docs/benchmarks.md, "Face detection: quality").

import COpenCV
package import Core
import Glibc

/// `face_detection_yunet_2022mar.onnx`, by OpenCV's own wrapper.
package final class YuNet2022Detector: FaceDetector {
    package let name = "yunet-2022mar"
    package let cropMapping = CropMapping(side: 0.91, of: .height, shiftX: 0.01, shiftY: 0)
    package let defaultScore: Float = 0.85
    private let handle: OpaquePointer
    private var found = [ocv_face](repeating: ocv_face(), count: 512)

    package init(path: [UInt8]) throws(FacesError) {
        var made: OpaquePointer?
        try OpenCV.read(path, what: "YuNet model of 2022") { ocv_yunet_read($0, 0.3, &made, $1) }
        guard let made else {
            throw .notAModel(path: String(decoding: path, as: UTF8.self), what: "YuNet model of 2022", reason: "")
        }
        handle = made
    }

    deinit { ocv_yunet_free(handle) }

    package func detect(_ luma: ImageView, minimumScore: Float) throws(FacesError) -> [Detection] {
        let plane = try luma.plane()
        var count = 0
        let handle = handle
        try OpenCV.run("the face detector") { error in
            found.withUnsafeMutableBufferPointer { faces in
                faces.baseAddress.map {
                    ocv_yunet_detect(handle, plane, minimumScore, $0, faces.count, &count, error)
                } ?? ocv_failed
            }
        }
        return found.prefix(count).map { Detection($0, score: min(max($0.score, 0), 1), hasLandmarks: true) }
            .filter(\.isSound)
    }
}

/// `face_detection_yunet_2023mar.onnx` and whatever answers in its form, by cv::dnn and a decoder of ours: the
/// wrapper of OpenCV 4.6 looks for the outputs of 2022.
package final class YuNet2023Detector: FaceDetector {
    package let name = "yunet-2023mar"
    package let cropMapping = CropMapping(side: 0.90, of: .height, shiftX: 0.01, shiftY: 0)
    package let defaultScore: Float
    private let network: Network
    /// For each stride the places of its four outputs.
    private let places: [[Int]]

    /// Sums of layers of different strides fit only where the sides are multiples of the largest.
    private static let multiple = 32

    /// - Parameter score: the file's own `score.threshold`, where it has one.
    package init(path: [UInt8], score: Float? = nil) throws(FacesError) {
        let network = try Network(path: path, what: "face detector")
        guard let places = Self.places(in: network.outputNames) else {
            throw .notADetector(path: String(decoding: path, as: UTF8.self), outputs: network.outputNames)
        }
        self.network = network
        self.places = places
        defaultScore = score ?? 0.6
    }

    static func places(in names: [String]) -> [[Int]]? {
        var places: [[Int]] = []
        for stride in YuNetDecoder.strides {
            let found = YuNetDecoder.outputNames(stride: stride).compactMap(names.firstIndex(of:))
            guard found.count == 4 else { return nil }
            places.append(found)
        }
        return places
    }

    package func detect(_ luma: ImageView, minimumScore: Float) throws(FacesError) -> [Detection] {
        try network.run(luma: luma, multiple: Self.multiple)
        let width = (luma.width + Self.multiple - 1) / Self.multiple * Self.multiple
        let height = (luma.height + Self.multiple - 1) / Self.multiple * Self.multiple
        var heads: [YuNetDecoder.Head] = []
        for (stride, place) in zip(YuNetDecoder.strides, places) {
            guard
                let head = YuNetDecoder.Head(
                    stride: stride, columns: width / stride, rows: height / stride,
                    classes: network.output(place[0]), objects: network.output(place[1]),
                    boxes: network.output(place[2]), points: network.output(place[3]))
            else {
                throw .openCV(step: "the face detector", reason: "its outputs do not have YuNet's shapes")
            }
            heads.append(head)
        }
        return YuNetDecoder(minimumScore: minimumScore, overlap: 0.3, exponential: { expf($0) }).decode(heads)
    }
}

extension Detection {
    init(_ face: ocv_face, score: Float, hasLandmarks: Bool) {
        let p = face.points
        self.init(
            box: Box(x: face.x, y: face.y, width: face.width, height: face.height), score: score,
            landmarks: hasLandmarks
                ? Landmarks(
                    rightEye: Point(x: p.0, y: p.1), leftEye: Point(x: p.2, y: p.3), nose: Point(x: p.4, y: p.5),
                    rightMouth: Point(x: p.6, y: p.7), leftMouth: Point(x: p.8, y: p.9))
                : nil)
    }

    /// No NaN, no infinity, some area.
    var isSound: Bool {
        box.x.isFinite && box.y.isFinite && box.width.isFinite && box.height.isFinite && score.isFinite
            && box.width > 0 && box.height > 0
            && (landmarks?.points.allSatisfy { $0.x.isFinite && $0.y.isFinite } ?? true)
    }
}
