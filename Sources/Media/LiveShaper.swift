// A decoded picture of a live source → the frame that is analysed: upright, the region that was asked for, scaled down.

import CFFmpeg
import Core

/// Used by one thread at a time.
final class LiveShaper {
    private(set) var pixelFormat = ""
    private let converter: UprightConverter
    private let scalers = ScalerPool()
    private let region: (x: Double, y: Double, width: Double, height: Double)?
    private let longestSide: Int?

    init(_ connection: LiveConnection, _ options: LiveOptions) {
        converter = UprightConverter(
            container: connection.context, stream: connection.stream, limits: options.limits, headerOrientation: nil,
            scalers: scalers)
        region = options.region
        longestSide = options.longestSide
    }

    var notes: [String] { converter.notes }
    var rotationDegrees: Int { converter.orientation.degrees }
    var isMirrored: Bool { converter.orientation.isMirrored }

    func frame(_ decoded: FramePixels, index: Int, time: Timestamp, isKey: Bool) throws(MediaError) -> Frame {
        if pixelFormat.isEmpty { pixelFormat = formatName(decoded.raw.pointee.format) }
        let upright = try converter.convert(decoded)
        cut(upright.pixels)
        let pixels = try scaledDown(upright.pixels, isFullRange: upright.isFullRange)
        return Frame(
            pixels: pixels, index: index, time: time, isKey: isKey, range: upright.isFullRange ? .full : .limited,
            scalers: scalers)
    }

    /// Moves the corners of the picture, which is nobody else's yet; no pixel is copied.
    private func cut(_ pixels: FramePixels) {
        guard let region else { return }
        /// Even numbers, so that luma and chroma begin at the same place.
        func place(_ share: Double, of side: Int) -> Int { Int(share * Double(side)) & ~1 }
        let left = min(place(region.x, of: pixels.width), max(pixels.width - 2, 0))
        let top = min(place(region.y, of: pixels.height), max(pixels.height - 2, 0))
        let width = min(max(place(region.width, of: pixels.width), 2), pixels.width - left)
        let height = min(max(place(region.height, of: pixels.height), 2), pixels.height - top)
        let frame = pixels.raw
        frame.pointee.crop_left = left
        frame.pointee.crop_top = top
        frame.pointee.crop_right = pixels.width - left - width
        frame.pointee.crop_bottom = pixels.height - top - height
        _ = av_frame_apply_cropping(frame, Int32(AV_FRAME_CROP_UNALIGNED))
    }

    private func scaledDown(_ pixels: FramePixels, isFullRange: Bool) throws(MediaError) -> FramePixels {
        guard let longestSide, max(pixels.width, pixels.height) > longestSide else { return pixels }
        let scale = Double(longestSide) / Double(max(pixels.width, pixels.height))
        func side(_ length: Int) -> Int { max(Int((Double(length) * scale / 2).rounded()) * 2, 2) }
        let format = pixels.raw.pointee.format
        let target = try FramePixels(
            format: AVPixelFormat(rawValue: format), width: side(pixels.width), height: side(pixels.height))
        let key = ScalerKey(
            source: .init(width: pixels.width, height: pixels.height, format: format, isFullRange: isFullRange),
            target: .init(width: target.width, height: target.height, format: format, isFullRange: isFullRange))
        try scalers.with(key) { scaler throws(MediaError) in
            let planes = target.planes
            try scaler.run(from: pixels.raw, to: planes.map(\.base), strides: planes.map { Int32($0.strideBytes) })
        }
        return target
    }
}
