// A network in cv::dnn: the shim's handle with an owner.

import COpenCV
import Core

/// Runs ONNX files by cv::dnn. One thread at a time.
final class Network {
    private let handle: OpaquePointer

    init(path: [UInt8], what: String) throws(FacesError) {
        var made: OpaquePointer?
        try OpenCV.read(path, what: what) { ocv_net_read_file($0, &made, $1) }
        guard let made else {
            throw .notAModel(path: String(decoding: path, as: UTF8.self), what: what, reason: "")
        }
        handle = made
    }

    init(bytes: UnsafeBufferPointer<UInt8>, name: String, what: String) throws(FacesError) {
        guard let base = bytes.baseAddress else { throw .notAModel(path: name, what: what, reason: "it is empty") }
        var made: OpaquePointer?
        do throws(FacesError) {
            try OpenCV.run("reading \(name)") { ocv_net_read_bytes(base, bytes.count, &made, $0) }
        } catch .openCV(_, let reason) {
            throw .notAModel(path: name, what: what, reason: reason)
        }
        guard let made else { throw .notAModel(path: name, what: what, reason: "") }
        handle = made
    }

    deinit { ocv_net_free(handle) }

    var outputNames: [String] {
        (0..<ocv_net_output_count(handle)).map { String(cString: ocv_net_output_name(handle, $0)) }
    }

    func run(_ input: UnsafePointer<Float>, batch: Int, channels: Int, height: Int, width: Int) throws(FacesError) {
        try OpenCV.run("a network") {
            ocv_net_run(
                handle, input, Int32(clamping: batch), Int32(clamping: channels), Int32(clamping: height),
                Int32(clamping: width), $0)
        }
    }

    /// Runs on a grey picture, three channels alike, padded to multiples of `multiple`.
    func run(luma: ImageView, multiple: Int) throws(FacesError) {
        let plane = try luma.plane()
        try OpenCV.run("the face detector") { ocv_net_run_luma(handle, plane, Int32(clamping: multiple), $0) }
    }

    /// Runs on a grey picture in one channel, (v - mean) * scale, in the upper left of `width` x `height`; the rest is 0.
    func run(luma: ImageView, width: Int, height: Int, mean: Float, scale: Float) throws(FacesError) {
        let plane = try luma.plane()
        try OpenCV.run("the face detector") {
            ocv_net_run_grey(handle, plane, Int32(clamping: width), Int32(clamping: height), mean, scale, $0)
        }
    }

    /// Of the last run; valid until the next.
    func output(_ index: Int) -> UnsafeBufferPointer<Float> {
        var count = 0
        let values = ocv_net_output(handle, index, &count)
        return UnsafeBufferPointer(start: values, count: values == nil ? 0 : count)
    }
}
