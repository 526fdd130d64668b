// The AVFrame behind Frame and WritablePicture: made, owned and freed here.

import CFFmpeg

/// Owns one `AVFrame` reference. Written only before it is shared, or by its only holder.
final class FramePixels: @unchecked Sendable {
    let raw: UnsafeMutablePointer<AVFrame>

    /// An empty one, to be filled by a decoder.
    init() throws(MediaError) {
        guard let raw = av_frame_alloc() else { throw .outOfMemory(whatFor: "a frame") }
        self.raw = raw
    }

    convenience init(format: AVPixelFormat, width: Int, height: Int) throws(MediaError) {
        try self.init()
        raw.pointee.format = format.rawValue
        raw.pointee.width = Int32(width)
        raw.pointee.height = Int32(height)
        if av_frame_get_buffer(raw, 0) < 0 { throw .outOfMemory(whatFor: "a frame of \(width)x\(height)") }
    }

    deinit {
        var freeing: UnsafeMutablePointer<AVFrame>? = raw
        av_frame_free(&freeing)
    }

    var width: Int { Int(raw.pointee.width) }
    var height: Int { Int(raw.pointee.height) }

    /// Planes of an 8-bit planar frame, each with its own size.
    var planes: [Plane] {
        guard let description = av_pix_fmt_desc_get(AVPixelFormat(rawValue: raw.pointee.format))?.pointee else {
            return []
        }
        let data = raw.pointee.data
        let strides = integers(of: raw.pointee.linesize)
        return [data.0, data.1, data.2, data.3].enumerated().compactMap { index, base in
            guard let base, index < Int(description.nb_components) else { return nil }
            let isChroma = index == 1 || index == 2
            let shiftX = isChroma ? Int(description.log2_chroma_w) : 0
            let shiftY = isChroma ? Int(description.log2_chroma_h) : 0
            return Plane(
                base: base, width: (width + (1 << shiftX) - 1) >> shiftX,
                height: (height + (1 << shiftY) - 1) >> shiftY,
                strideBytes: Int(strides[index]))
        }
    }

    /// Bytes of all planes, as long as it is held.
    var byteCount: Int { planes.reduce(0) { $0 + abs($1.strideBytes) * $1.height } }
}
