// Conversion of whole pictures by libswscale: depth, colour model, subsampling, range and size in one step.
// Always BT.601, and exact rounding, so that a picture gives the same luma on every machine.

import CFFmpeg
import Synchronization

/// What a scaler does; frames of the same key can use the same one.
struct ScalerKey: Hashable, Sendable {
    struct Side: Hashable, Sendable {
        var width: Int
        var height: Int
        var format: Int32
        var isFullRange: Bool
    }
    var source: Side
    var target: Side
}

/// Used by one thread at a time.
final class Scaler {
    let key: ScalerKey
    private let context: OpaquePointer

    init(_ key: ScalerKey) throws(MediaError) {
        self.key = key
        guard let context = sws_alloc_context() else { throw .outOfMemory(whatFor: "a scaler") }
        self.context = context
        let object = UnsafeMutableRawPointer(context)
        let settings: [(String, Int)] = [
            ("srcw", key.source.width), ("srch", key.source.height), ("src_format", Int(key.source.format)),
            ("dstw", key.target.width), ("dsth", key.target.height), ("dst_format", Int(key.target.format)),
            ("src_range", key.source.isFullRange ? 1 : 0), ("dst_range", key.target.isFullRange ? 1 : 0),
            ("sws_flags", Int(SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT)),
        ]
        // Ranges have to be known before init: a converter chosen without them would stay.
        for (name, value) in settings { av_opt_set_int(object, name, Int64(value), 0) }
        let code = sws_init_context(context, nil, nil)
        if code < 0 {
            throw .libraryFailed(operation: "a conversion from \(formatName(key.source.format))", code: code)
        }
    }

    deinit { sws_freeContext(context) }

    /// Converts a whole picture. `planes` are where the target's begin, which may be inside a larger picture.
    func run(
        from source: UnsafeMutablePointer<AVFrame>, to planes: [UnsafeMutablePointer<UInt8>?], strides: [Int32]
    ) throws(MediaError) {
        let data = pointers(of: source.pointee.data)
        let linesizes = integers(of: source.pointee.linesize)
        let code = sws_scale(context, data, linesizes, 0, Int32(key.source.height), planes, strides)
        if code < 0 { throw .libraryFailed(operation: "a conversion of a frame", code: code) }
    }
}

/// Scalers waiting for the next frame of their kind. Frames of one reader are converted on several threads.
final class ScalerPool: Sendable {
    private let idle = Mutex<[Loan]>([])

    /// Moves a scaler between threads; the mutex hands it to one at a time.
    private struct Loan: @unchecked Sendable { let scaler: Scaler }

    func with(_ key: ScalerKey, _ body: (Scaler) throws(MediaError) -> Void) throws(MediaError) {
        let waiting = idle.withLock { loans -> Loan? in
            loans.firstIndex { $0.scaler.key == key }.map { loans.remove(at: $0) }
        }
        let loan = if let waiting { waiting } else { Loan(scaler: try Scaler(key)) }
        try body(loan.scaler)
        idle.withLock { loans in
            // A source that changes its size keeps no more than a few.
            if loans.count >= 4 { loans.removeFirst() }
            loans.append(loan)
        }
    }
}

func formatName(_ format: Int32) -> String {
    av_get_pix_fmt_name(AVPixelFormat(rawValue: format)).map { String(cString: $0) } ?? "an unknown pixel format"
}

typealias EightPointers = (
    UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?,
    UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?,
    UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?
)

func pointers(of planes: EightPointers) -> [UnsafePointer<UInt8>?] {
    [planes.0, planes.1, planes.2, planes.3].map { $0.map { UnsafePointer($0) } }
}

func integers(of sizes: (Int32, Int32, Int32, Int32, Int32, Int32, Int32, Int32)) -> [Int32] {
    [sizes.0, sizes.1, sizes.2, sizes.3]
}
