// A file from end to end: packets → decoded frames → upright frames with their times. The one way into a source for
// the pipeline; what happens to damaged parts is decided here.

import CFFmpeg
import CFFmpegShims
import Core

/// Used by one thread at a time, which need not be the one that made it; all calls block.
package final class MediaReader: @unchecked Sendable {
    package let info: MediaInfo
    package var counts: MediaCounts { state.counts }
    /// What was ignored or is out of the ordinary, in sentences.
    package var notes: [String] { converter.notes }

    private let demuxer: Demuxer
    private let options: MediaOptions
    private let converter: UprightConverter
    private let scalers: ScalerPool
    private var state: ReadState
    /// The first frame, decoded to know its size, until it is asked for.
    private var waiting: Frame?

    /// Opens the file and decodes up to its first frame.
    /// - Parameter path: Bytes as readdir gave them, without NUL.
    package init(path: [UInt8], options: MediaOptions = MediaOptions()) throws(MediaError) {
        self.options = options
        demuxer = try Demuxer(path: path, limits: options.limits, isCancelled: options.isCancelled)
        let name = demuxer.file.name
        guard let stream = demuxer.bestVideoStream else {
            throw .notMedia(path: name, reason: "it holds no video stream that can be decoded")
        }
        let duration = DeclaredDuration(demuxer, stream)
        try Self.check(duration, options.limits, name)
        scalers = ScalerPool()
        converter = UprightConverter(
            container: demuxer.context, stream: stream, limits: options.limits,
            headerOrientation: demuxer.pictureHeader?.exifOrientation, scalers: scalers)
        state = try ReadState(demuxer, stream, duration, options)

        guard let first = try Self.nextFrame(&state, demuxer, converter, scalers, options) else {
            // FFmpeg refuses such a size as it refuses damage, and only its log would tell.
            if demuxer.claimedPixels > options.limits.maximumPixels {
                throw .limitExceeded(path: name, limit: options.limits.pixels, value: demuxer.claimedPixels)
            }
            throw .damaged(path: name, reason: state.counts.firstErrors.first ?? "no frames")
        }
        waiting = first
        let parameters = stream.pointee.codecpar.pointee
        let rate = av_guess_frame_rate(demuxer.context, stream, nil)
        info = MediaInfo(
            container: demuxer.formatName, codec: String(cString: avcodec_get_name(parameters.codec_id)),
            pixelFormat: state.pixelFormat, width: first.width, height: first.height,
            rotationDegrees: converter.orientation.degrees, isMirrored: converter.orientation.isMirrored,
            durationMicroseconds: demuxer.isPicture ? nil : duration.container ?? duration.videoEnd,
            frameRate: demuxer.isPicture ? nil : FrameRate(numerator: Int(rate.num), denominator: Int(rate.den)),
            isPicture: demuxer.isPicture, hasAudio: demuxer.bestAudioStream(besides: stream) != nil,
            bytes: demuxer.file.bytes)
        // Only its size was wanted.
        if let from = options.from, first.time < from, !demuxer.isPicture {
            waiting = nil
            state.counts.skippedBeforeStart += 1
        }
    }

    private static func check(_ duration: DeclaredDuration, _ limits: MediaLimits, _ name: String) throws(MediaError) {
        // The smaller of two claims counts: either may be a lie, and frames are checked as they come.
        let claims = [duration.container, duration.videoEnd].compactMap { $0 }
        if let seconds = claims.min().map({ $0 / 1_000_000 }), seconds > limits.maximumDurationSeconds {
            throw .limitExceeded(path: name, limit: limits.duration, value: seconds)
        }
    }

    /// The next frame in presentation order; nil at the end, or at `to`.
    package func next() throws(MediaError) -> Frame? {
        if let frame = waiting {
            waiting = nil
            if let to = options.to, frame.time >= to { state.stop() } else { return frame }
        }
        return try Self.nextFrame(&state, demuxer, converter, scalers, options)
    }

    /// By DESIGN 4.4's rule: something was damaged, or the video ends well before the container says. Known at the end.
    package var isPartial: Bool { state.counts.errors > 0 || state.endsEarly }

    /// Static, because `init` needs it before `info` is known.
    private static func nextFrame(
        _ state: inout ReadState, _ demuxer: Demuxer, _ converter: UprightConverter, _ scalers: ScalerPool,
        _ options: MediaOptions
    ) throws(MediaError) -> Frame? {
        while !state.isFinished {
            let decoded = try FramePixels()
            guard try state.decode(into: decoded) else { break }
            let index = state.counts.decoded
            let time = try state.accept(decoded)
            if let to = options.to, time >= to, index > 0, !demuxer.isPicture {
                // Decoded on the way, but not part of what was asked for.
                state.stop()
                break
            }
            state.counts.decoded += 1
            if demuxer.isPicture { state.stop() }
            // The very first is converted all the same: its size belongs to the source.
            if index > 0, let from = options.from, time < from, !demuxer.isPicture {
                state.counts.skippedBeforeStart += 1
                continue
            }
            let upright = try converter.convert(decoded)
            return Frame(
                pixels: upright.pixels, index: index, time: time, isKey: decoded.raw.pointee.key_frame != 0,
                range: upright.isFullRange ? .full : .limited, scalers: scalers)
        }
        return nil
    }
}
