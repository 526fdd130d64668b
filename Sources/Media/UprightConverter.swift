// Step 3: what the decoder gives → upright, square-pixelled, 8-bit planar. The common frame passes untouched.

import CFFmpeg
import CFFmpegShims

/// Used by one thread at a time.
final class UprightConverter {
    struct Upright {
        let pixels: FramePixels
        let isFullRange: Bool
    }

    private let longestSide: Int
    private let scalers: ScalerPool
    private let fallbackOrientation: Orientation
    private let container: UnsafeMutablePointer<AVFormatContext>
    private let stream: UnsafeMutablePointer<AVStream>
    /// What was ignored, each said once.
    private(set) var notes: [String] = []
    /// That of the last frame.
    private(set) var orientation = Orientation.upright

    /// - Parameter headerOrientation: From the picture's own header, where FFmpeg reports none.
    init(
        container: UnsafeMutablePointer<AVFormatContext>, stream: UnsafeMutablePointer<AVStream>, limits: MediaLimits,
        headerOrientation: Int?, scalers: ScalerPool
    ) {
        self.container = container
        self.stream = stream
        self.scalers = scalers
        longestSide = limits.longestStretchedSide
        var size = 0
        var known: Orientation?
        var notes: [String] = []
        if let matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size) {
            known = Orientation(displayMatrix: numbers(UnsafeRawPointer(matrix), bytes: Int(size)))
            if known == nil { notes.append("the display matrix is no right angle and was ignored") }
        } else if let headerOrientation {
            known = Orientation(exif: headerOrientation)
            if known == nil { notes.append("EXIF orientation \(headerOrientation) means nothing and was ignored") }
        }
        fallbackOrientation = known ?? .upright
        self.notes = notes
    }

    func convert(_ decoded: FramePixels) throws(MediaError) -> Upright {
        guard let layout = PixelLayout(decoded.raw.pointee.format) else {
            throw .libraryFailed(
                operation: "use of \(formatName(decoded.raw.pointee.format)) frames", code: cff_error_of_errno(38))
        }
        orientation = orientation(of: decoded)
        let size = squareSize(of: decoded)
        let isFull = isFullRange(decoded, layout)
        // Bottom-up rows (negative strides) are straightened by the converter.
        let rowsRunDown = decoded.planes.allSatisfy { $0.strideBytes >= $0.width }
        let turnsInto = orientation.transposed ? layout.transposed : layout.format
        let passes = layout.isPlanar8 && turnsInto != nil && rowsRunDown && size == (decoded.width, decoded.height)
        var pixels = decoded
        if !passes {
            var target = layout.conversionTarget
            if layout.isPlanar8, turnsInto != nil { target = layout.format }
            pixels = try scaled(decoded, layout, to: target, size: size, isFull: isFull)
        }
        if orientation != .upright { pixels = try turned(pixels) }
        return Upright(pixels: pixels, isFullRange: isFull)
    }

    private func isFullRange(_ frame: FramePixels, _ layout: PixelLayout) -> Bool {
        switch frame.raw.pointee.color_range {
        case AVCOL_RANGE_JPEG: true
        case AVCOL_RANGE_MPEG: layout.isRGB
        // Untagged: grey is full, as libswscale takes it; YUV is limited, as video has it.
        default: layout.isNamedFullRange || layout.isRGB || layout.isGrey
        }
    }

    private func orientation(of frame: FramePixels) -> Orientation {
        guard let side = av_frame_get_side_data(frame.raw, AV_FRAME_DATA_DISPLAYMATRIX) else {
            return fallbackOrientation
        }
        let matrix = numbers(UnsafeRawPointer(side.pointee.data), bytes: side.pointee.size)
        if let known = Orientation(displayMatrix: matrix) { return known }
        note("a frame's display matrix is no right angle and was ignored")
        return fallbackOrientation
    }

    /// Size with square pixels: the width is stretched, or shrunk, by the pixel aspect.
    private func squareSize(of frame: FramePixels) -> (Int, Int) {
        let coded = (frame.width, frame.height)
        let aspect = av_guess_sample_aspect_ratio(container, stream, frame.raw)
        guard aspect.num > 0, aspect.den > 0, aspect.num != aspect.den else { return coded }
        let exact = Double(frame.width) * Double(aspect.num) / Double(aspect.den)
        let width = max(exact.rounded(), 1)
        if width > Double(max(longestSide, frame.width)) {
            note(
                "pixel aspect \(aspect.num):\(aspect.den) would stretch the frame past the pixel limit and was ignored")
            return coded
        }
        return (Int(width), frame.height)
    }

    private func scaled(
        _ frame: FramePixels, _ layout: PixelLayout, to format: AVPixelFormat, size: (Int, Int), isFull: Bool
    ) throws(MediaError) -> FramePixels {
        let target = try FramePixels(format: format, width: size.0, height: size.1)
        let key = ScalerKey(
            source: .init(
                width: frame.width, height: frame.height, format: layout.format.rawValue,
                isFullRange: isFull && !layout.isRGB),
            target: .init(width: size.0, height: size.1, format: format.rawValue, isFullRange: isFull))
        try scalers.with(key) { scaler throws(MediaError) in
            let planes = target.planes
            try scaler.run(from: frame.raw, to: planes.map(\.base), strides: planes.map { Int32($0.strideBytes) })
        }
        if layout.hasAlpha { composeOverWhite(target, isFull: isFull) }
        return target
    }

    private func composeOverWhite(_ frame: FramePixels, isFull: Bool) {
        let planes = frame.planes
        guard planes.count == 4 else { return }
        planes[0].compose(over: isFull ? 255 : 235, alpha: planes[3])
        planes[1].compose(over: 128, alpha: planes[3])
        planes[2].compose(over: 128, alpha: planes[3])
        // The same planes without the fourth.
        frame.raw.pointee.format = AV_PIX_FMT_YUV444P.rawValue
    }

    private func turned(_ frame: FramePixels) throws(MediaError) -> FramePixels {
        guard let layout = PixelLayout(frame.raw.pointee.format) else { return frame }
        let format = orientation.transposed ? layout.transposed ?? layout.format : layout.format
        let size = orientation.size(width: frame.width, height: frame.height)
        let target = try FramePixels(format: format, width: size.width, height: size.height)
        for (from, to) in zip(frame.planes, target.planes) { from.turn(orientation, into: to) }
        return target
    }

    private func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }
}

/// The nine numbers of a display matrix, which need not be aligned.
private func numbers(_ base: UnsafeRawPointer, bytes: Int) -> [Int32] {
    stride(from: 0, to: min(bytes, 36) - 3, by: 4).map { base.loadUnaligned(fromByteOffset: $0, as: Int32.self) }
}
