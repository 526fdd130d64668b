// What a source says of itself, and what was counted while it was read; run.json prints both.

import CFFmpeg
import CFFmpegShims
import Core

package struct MediaInfo: Hashable, Sendable {
    /// FFmpeg's names: `mov,mp4,m4a,3gp,3g2,mj2`, `h264`, `yuv420p`.
    package var container: String
    package var codec: String
    package var pixelFormat: String
    /// Of the first frame, as displayed: upright and with square pixels.
    package var width: Int
    package var height: Int
    /// Clockwise turn that was applied, after a left-right mirror where `isMirrored`.
    package var rotationDegrees: Int
    package var isMirrored: Bool
    /// Nil where the container gives none or one that cannot be true.
    package var durationMicroseconds: Int64?
    package var frameRate: FrameRate?
    package var isPicture: Bool
    package var hasAudio: Bool
    package var bytes: Int64
}

package struct FrameRate: Hashable, Sendable {
    package var numerator: Int
    package var denominator: Int

    package init?(numerator: Int, denominator: Int) {
        guard numerator > 0, denominator > 0 else { return nil }
        self.numerator = numerator
        self.denominator = denominator
    }

    package var framesPerSecond: Double { Double(numerator) / Double(denominator) }
}

package struct MediaCounts: Hashable, Sendable {
    /// Of the video stream.
    package var packets = 0
    /// Frames that the decoder gave, those before `from` included.
    package var decoded = 0
    /// Of these, before `from`: never handed out.
    package var skippedBeforeStart = 0
    package var ptsRepaired = 0
    package var errors = 0
    /// Of the first five.
    package var firstErrors: [String] = []

    package init() {}

    mutating func note(_ message: String) {
        errors += 1
        if firstErrors.count < 5 { firstErrors.append(message) }
    }
}

/// How long a source says it is, with what cannot be true left out.
struct DeclaredDuration {
    /// Of the whole container.
    let container: Int64?
    /// Time at which the video stream ends, on the timeline's clock.
    let videoEnd: Int64?

    init(_ demuxer: Demuxer, _ stream: UnsafeMutablePointer<AVStream>) {
        let context = demuxer.context.pointee
        let bytes = demuxer.file.bytes
        /// Under 100 bits a second nothing is a video: a header that lies.
        func plausible(_ microseconds: Int64) -> Int64? {
            microseconds > 0 && Double(bytes) * 8 >= 100 * Double(microseconds) / 1_000_000 ? microseconds : nil
        }
        let isGuess = context.duration_estimation_method == AVFMT_DURATION_FROM_BITRATE
        container = isGuess || context.duration == cff_no_pts() ? nil : plausible(context.duration)

        let noPTS = cff_no_pts()
        let timeBase = stream.pointee.timeBase
        var length: Int64?
        if stream.pointee.duration != noPTS, !isGuess {
            length = plausible(timeBase.microseconds(ticks: stream.pointee.duration))
        } else if let tag = av_dict_get(stream.pointee.metadata, "DURATION", nil, 0) {
            var parsed: Int64 = 0
            if av_parse_time(&parsed, tag.pointee.value, 1) >= 0 { length = plausible(parsed) }
        }
        // A stream that outlasts its container is another lie.
        if let known = length, let container, known > container + 1_000_000 { length = nil }
        let start = stream.pointee.start_time == noPTS ? nil : timeBase.microseconds(ticks: stream.pointee.start_time)
        videoEnd = length.map { $0 + max((start ?? demuxer.startMicroseconds) - demuxer.startMicroseconds, 0) }
    }
}
