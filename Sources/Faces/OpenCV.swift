// The boundary to the shim: views become planes, statuses become errors.

import COpenCV
import Core

/// OpenCV's process-wide settings.
package enum OpenCV {
    package static var version: String { String(cString: ocv_version()) }

    /// Threads that OpenCV may use within one call, for the whole process: to be called once, before any detector
    /// works. OpenCV's own messages are kept off stderr from then on.
    package static func configure(threads: Int) {
        _ = ocv_configure(Int32(clamping: max(threads, 1)))
    }

    /// Runs a call of the shim and turns its status into an error.
    static func run(
        _ step: String, _ call: (UnsafeMutablePointer<ocv_error>) -> ocv_status
    ) throws(FacesError) {
        var error = ocv_error()
        let status = call(&error)
        switch status {
        case ocv_ok: return
        case ocv_out_of_memory: throw .outOfMemory(step: step)
        default: throw .openCV(step: step, reason: text(of: error))
        }
    }

    /// The same for calls that read a file, where the fault is the file's.
    static func read(
        _ path: [UInt8], what: String,
        _ call: (UnsafePointer<CChar>, UnsafeMutablePointer<ocv_error>) -> ocv_status
    ) throws(FacesError) {
        let name = String(decoding: path, as: UTF8.self)
        var error = ocv_error()
        let status = (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { call($0, &error) } ?? ocv_failed
        }
        switch status {
        case ocv_ok: return
        case ocv_out_of_memory: throw .outOfMemory(step: "reading \(name)")
        case ocv_unreadable: throw .unreadable(path: name, what: what)
        case ocv_too_large: throw .notAModel(path: name, what: what, reason: "it is larger than 1 GiB, or a folder")
        default: throw .notAModel(path: name, what: what, reason: text(of: error))
        }
    }

    private static func text(of error: ocv_error) -> String {
        withUnsafeBytes(of: error.text) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                .split(separator: "\n").joined(separator: " ")
        }
    }
}

extension ImageView {
    /// - Throws: `tooLarge` where OpenCV's integers would not do.
    func plane() throws(FacesError) -> ocv_plane {
        guard width <= 1 << 20, height <= 1 << 20 else { throw .tooLarge(width: width, height: height) }
        return ocv_plane(
            base: base, width: Int32(width), height: Int32(height), stride_bytes: Int64(strideBytes))
    }
}

extension MutableImageView {
    func plane() throws(FacesError) -> ocv_mutable_plane {
        guard width <= 1 << 20, height <= 1 << 20 else { throw .tooLarge(width: width, height: height) }
        return ocv_mutable_plane(
            base: base, width: Int32(width), height: Int32(height), stride_bytes: Int64(strideBytes))
    }
}
