// A frame as the rest of the program sees it: upright, square pixels, 8-bit luma. Shared by reference, never copied.

import CFFmpeg
package import Core

/// Read-only after init, so that any thread may look at it.
package final class Frame: Sendable {
    /// Place in the source in presentation order, from 0.
    package let index: Int?
    package let time: Timestamp
    package let isKey: Bool
    package let width: Int
    package let height: Int
    package let range: LumaRange
    /// Memory that it holds, for the limits of queues.
    package let byteCount: Int
    private let pixels: FramePixels
    private let scalers: ScalerPool

    init(pixels: FramePixels, index: Int?, time: Timestamp, isKey: Bool, range: LumaRange, scalers: ScalerPool) {
        self.pixels = pixels
        self.index = index
        self.time = time
        self.isKey = isKey
        self.range = range
        self.scalers = scalers
        width = pixels.width
        height = pixels.height
        byteCount = pixels.byteCount
    }

    /// Lends the luma plane, which is the whole of what analysis needs, without a copy.
    package func withLuma<Result, Failure: Error>(
        _ body: (ImageView) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let luma = pixels.planes.first else { preconditionFailure("a frame has a luma plane") }
        return try withExtendedLifetime(pixels) { () throws(Failure) -> Result in
            try body(
                ImageView(base: luma.base, width: luma.width, height: luma.height, strideBytes: luma.strideBytes))
        }
    }

    /// A 4:2:0 copy to draw on, fitted into `width` x `height` (even numbers). A frame of that size, or of one pixel
    /// less, keeps its pixels in place; others are scaled and centred between black bars.
    /// - Parameter range: What the receiver wants: limited for video, full for JPEG.
    package func annotationPicture(width: Int, height: Int, range: LumaRange = .limited) throws(MediaError)
        -> WritablePicture
    {
        let fitted = Placement.fitting(width: self.width, height: self.height, intoWidth: width, height: height)
        let picture = try WritablePicture(width: width, height: height, range: range, placement: fitted)
        if fitted.width < width || fitted.height < height { picture.blacken() }
        let isSameSize = fitted.width == self.width && fitted.height == self.height
        if isSameSize, range == self.range, pixels.raw.pointee.format == AV_PIX_FMT_YUV420P.rawValue {
            picture.copy(pixels)
            return picture
        }
        let isFull = self.range == .full
        let key = ScalerKey(
            source: .init(
                width: self.width, height: self.height, format: pixels.raw.pointee.format, isFullRange: isFull),
            target: .init(
                width: fitted.width, height: fitted.height, format: AV_PIX_FMT_YUV420P.rawValue,
                isFullRange: range == .full))
        try scalers.with(key) { scaler throws(MediaError) in
            let corner = picture.corner
            try scaler.run(from: pixels.raw, to: corner.map(\.base), strides: corner.map { Int32($0.strideBytes) })
        }
        return picture
    }
}
