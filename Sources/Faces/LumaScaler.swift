// The copy of a frame's luma that detector and tracker look at: full range, longest side bounded.

import COpenCV
package import Core

/// Luma for analysis. The view is valid until the scaler's next picture, and no longer than the frame's own plane,
/// which it is when nothing had to be done.
package struct ScaledLuma {
    package let view: ImageView
    /// Pixels of the full picture per pixel of this one.
    package let horizontal: Float
    package let vertical: Float
}

/// One thread at a time. Keeps its buffer from picture to picture.
package final class LumaScaler {
    private var buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 0)

    package init() {}

    deinit { buffer.deallocate() }

    /// Never makes a picture larger: small faces gain nothing from invented pixels, and the detector's time would be
    /// wasted.
    package func scale(_ luma: ImageView, range: LumaRange, longestSide: Int) throws(FacesError) -> ScaledLuma {
        let size = Self.size(width: luma.width, height: luma.height, longestSide: longestSide)
        return try scale(luma, range: range, to: size)
    }

    /// To exactly that width, smaller pictures enlarged: where detectors are judged by the sizes of faces, all
    /// pictures must be of one scale.
    package func scale(_ luma: ImageView, range: LumaRange, width: Int) throws(FacesError) -> ScaledLuma {
        try scale(luma, range: range, to: Self.size(width: luma.width, height: luma.height, asWide: width))
    }

    private func scale(
        _ luma: ImageView, range: LumaRange, to size: (width: Int, height: Int)
    ) throws(FacesError) -> ScaledLuma {
        let (width, height) = size
        let resized = width != luma.width || height != luma.height
        if !resized && range == .full { return ScaledLuma(view: luma, horizontal: 1, vertical: 1) }

        if buffer.count < width * height {
            buffer.deallocate()
            buffer = .allocate(capacity: width * height)
        }
        guard let base = buffer.baseAddress else { throw .outOfMemory(step: "scaling a picture") }
        let target = MutableImageView(base: base, width: width, height: height, strideBytes: width)
        let source = try luma.plane(), plane = try target.plane()
        if resized { try OpenCV.run("scaling a picture") { ocv_resize(source, plane, $0) } }
        if range == .limited {
            let from = resized ? try target.view.plane() : source
            try OpenCV.run("scaling a picture") { error in
                LumaTable.fullRange.withUnsafeBufferPointer { table in
                    table.baseAddress.map { ocv_lookup(from, $0, plane, error) } ?? ocv_failed
                }
            }
        }
        return ScaledLuma(
            view: target.view, horizontal: Float(luma.width) / Float(width),
            vertical: Float(luma.height) / Float(height))
    }

    package static func size(width: Int, height: Int, longestSide: Int) -> (width: Int, height: Int) {
        let longest = max(width, height), limit = max(longestSide, 1)
        guard longest > limit else { return (width, height) }
        func scaled(_ side: Int) -> Int { max((side * limit + longest / 2) / longest, 1) }
        return (scaled(width), scaled(height))
    }

    /// Of a copy that is `newWidth` wide.
    package static func size(width: Int, height: Int, asWide newWidth: Int) -> (width: Int, height: Int) {
        (newWidth, max((height * newWidth + width / 2) / width, 1))
    }
}

/// Limited range (16…235) as full range, rounded to nearest and clamped.
enum LumaTable {
    static let fullRange: [UInt8] = (0...255).map { value in
        UInt8(clamping: ((value - 16) * 255 * 2 + (value >= 16 ? 219 : -219)) / (2 * 219))
    }
}
