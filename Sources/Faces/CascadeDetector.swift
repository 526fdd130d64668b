// OpenCV's boosted cascades: what is there when no YuNet file is given. Slow, frontal faces only, no landmarks.

import COpenCV
package import Core

package final class CascadeDetector: FaceDetector {
    package let name: String
    package let cropMapping = CropMapping(side: 1.02, of: .height, shiftX: 0.01, shiftY: 0.01)
    /// The score of three agreeing windows, OpenCV's own default.
    package let defaultScore = CascadeDetector.score(votes: 3)
    private let handle: OpaquePointer
    private var found = [ocv_face](repeating: ocv_face(), count: 512)

    private static let scaleStep = 1.1
    /// Smaller faces make mostly false alarms with these cascades.
    private static let minimumSide = 24

    /// `haarcascade_frontalface_alt2.xml` in Debian's places, then in OpenCV's own.
    package static let usualFiles = [
        "/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml",
        "/usr/local/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml",
        "/usr/share/opencv/haarcascades/haarcascade_frontalface_alt2.xml",
    ]

    package init(path: [UInt8]) throws(FacesError) {
        var made: OpaquePointer?
        try OpenCV.read(path, what: "face cascade") { ocv_cascade_read($0, &made, $1) }
        guard let made else {
            throw .notAModel(path: String(decoding: path, as: UTF8.self), what: "face cascade", reason: "")
        }
        handle = made
        let file = path.split(separator: UInt8(ascii: "/")).last.map { String(decoding: $0, as: UTF8.self) } ?? ""
        name = file.hasSuffix(".xml") ? String(file.dropLast(4)) : "cascade"
    }

    /// The first of `paths` that can be loaded.
    package convenience init(searching paths: [String] = CascadeDetector.usualFiles) throws(FacesError) {
        for path in paths {
            var probe: OpaquePointer?
            if (try? OpenCV.read(Array(path.utf8), what: "", { ocv_cascade_read($0, &probe, $1) })) != nil {
                ocv_cascade_free(probe)
                try self.init(path: Array(path.utf8))
                return
            }
        }
        throw .noCascade(searched: paths)
    }

    deinit { ocv_cascade_free(handle) }

    /// A cascade has no probability; what it has is how many neighbouring windows agree, n. As a score: n / (n + 3),
    /// which rises with n, is 0.5 at OpenCV's default of three and stays below 1. (The alternative, the last stage's
    /// sum, is only to be had together with windows that were rejected late, and then faces drown in false alarms.)
    package static func score(votes: Float) -> Float { votes / (votes + 3) }

    package func detect(_ luma: ImageView, minimumScore: Float) throws(FacesError) -> [Detection] {
        let plane = try luma.plane()
        // A cascade's own window must fit; smaller pictures make it throw.
        guard luma.width >= Self.minimumSide, luma.height >= Self.minimumSide else { return [] }
        var count = 0
        let handle = handle
        try OpenCV.run("the face cascade") { error in
            found.withUnsafeMutableBufferPointer { faces in
                faces.baseAddress.map {
                    ocv_cascade_detect(
                        handle, plane, Self.scaleStep, 3, Int32(Self.minimumSide), $0, faces.count, &count, error)
                } ?? ocv_failed
            }
        }
        return found.prefix(count).map { Detection($0, score: Self.score(votes: $0.score), hasLandmarks: false) }
            .filter { $0.isSound && $0.score >= minimumScore }
            .sorted { ($1.score, $0.box.x, $0.box.y) < ($0.score, $1.box.x, $1.box.y) }
    }
}
