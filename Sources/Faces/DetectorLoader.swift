// Which detector a model file is for: told by the names of its outputs, not by its own.

package enum DetectorLoader {
    /// A YuNet of 2022 or of 2023.
    /// - Parameter score: the threshold that the file's metadata give, where they do.
    package static func load(path: [UInt8], score: Float? = nil) throws(FacesError) -> any FaceDetector {
        let names = try Network(path: path, what: "face detector").outputNames
        if YuNet2023Detector.places(in: names) != nil { return try YuNet2023Detector(path: path, score: score) }
        if Set(names).isSuperset(of: ["loc", "conf", "iou"]) { return try YuNet2022Detector(path: path) }
        throw .notADetector(path: String(decoding: path, as: UTF8.self), outputs: names)
    }

    package static func load(path: String, score: Float? = nil) throws(FacesError) -> any FaceDetector {
        try load(path: Array(path.utf8), score: score)
    }
}
