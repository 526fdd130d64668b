// Step 8: drawn pictures and the source's sound → annotated.mp4.

import CFFmpeg
import CFFmpegShims
package import Core

package enum AudioOutcome: Hashable, Sendable {
    case none
    case copied(codec: String)
    case transcoded(from: String)
    case dropped(reason: String)
}

package struct VideoWriteReport: Hashable, Sendable {
    /// FFmpeg's name of the encoder: `libx264` or `mpeg4`.
    package var encoder: String
    package var frames: Int
    package var audio: AudioOutcome
}

/// What a run's writer needs of a video in the making, in one piece or in segments. Used by one thread at a time.
package protocol VideoWriter: AnyObject {
    /// Adds a picture of the writer's size; times have to rise.
    func write(_ picture: WritablePicture, at time: Timestamp) throws(MediaError)
    /// Ends the file. The sound goes on to its end, or that of the part that was asked for.
    /// - Parameter cutsAudio: End the sound with the last picture, for a run that was interrupted.
    func finish(cutsAudio: Bool) throws(MediaError) -> VideoWriteReport
    /// Leaves off and removes what was written.
    func abandon()
}

/// Times as the encoder counts them, and the steps between them. Goes on from segment to segment.
struct VideoClock: Hashable, Sendable, Codable {
    /// Times of the two last pictures, in microseconds.
    private(set) var last: Int64?
    private(set) var lastStep: Int64
    private var lastTicks = Int64.min

    init(_ frameRate: FrameRate?) {
        lastStep = frameRate.map { Int64((1_000_000 / $0.framesPerSecond).rounded()) } ?? 40_000
    }

    mutating func ticks(_ time: Timestamp, _ timeBase: AVRational) -> Int64 {
        if let last, time.microseconds > last { lastStep = time.microseconds - last }
        last = time.microseconds
        // MPEG-4's coarser clock may round two times to one.
        lastTicks = max(
            av_rescale_q(time.microseconds, AVRational(num: 1, den: 1_000_000), timeBase), lastTicks &+ 1)
        return lastTicks
    }

    /// Time at which the last picture ends.
    var end: Int64 { (last ?? 0) + lastStep }
}

/// Used by one thread at a time, which need not be the one that made it.
package final class AnnotatedVideoWriter: VideoWriter, @unchecked Sendable {
    /// In order of preference; MPEG-4 is part of every FFmpeg.
    package static let encoders = ["libx264", "mpeg4"]

    let encoderName: String
    private(set) var clock: VideoClock
    private(set) var frames = 0
    private let output: VideoMuxing
    private let encoder: VideoEncoder
    private let size: (width: Int, height: Int)
    private let isCancelled: @Sendable () -> Bool

    /// - Parameters:
    ///   - frameRate: Of the source, as a hint for rate control; times are those given to `write`.
    ///   - audio: Where the sound comes from; faults in it never cost the video.
    package convenience init(
        path: [UInt8], width: Int, height: Int, frameRate: FrameRate? = nil, audio source: AudioSource? = nil,
        encoders: [String] = AnnotatedVideoWriter.encoders, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(MediaError) {
        try self.init(
            path: path, width: width, height: height, frameRate: frameRate, clock: VideoClock(frameRate),
            audio: source, encoders: encoders, isCancelled: isCancelled)
    }

    /// - Parameter clock: as the piece before this one left it.
    init(
        path: [UInt8], width: Int, height: Int, frameRate: FrameRate?, clock: VideoClock, audio source: AudioSource?,
        encoders: [String], isCancelled: @escaping @Sendable () -> Bool
    ) throws(MediaError) {
        precondition(width > 0 && height > 0 && width % 2 == 0 && height % 2 == 0, "4:2:0 video has even sides")
        encoder = try VideoEncoder(names: encoders, width: width, height: height, frameRate: frameRate)
        encoderName = encoder.name
        size = (width, height)
        self.clock = clock
        self.isCancelled = isCancelled
        guard let parameters = avcodec_parameters_alloc() else { throw .outOfMemory(whatFor: "an output stream") }
        var freeing: UnsafeMutablePointer<AVCodecParameters>? = parameters
        defer { avcodec_parameters_free(&freeing) }
        avcodec_parameters_from_context(parameters, encoder.context)
        output = try VideoMuxing(
            path: path, parameters: parameters, timeBase: encoder.timeBase, audio: source, isCancelled: isCancelled)
    }

    package func write(_ picture: WritablePicture, at time: Timestamp) throws(MediaError) {
        precondition(picture.width == size.width && picture.height == size.height, "pictures have the video's size")
        precondition(picture.range == .limited, "video is written in limited range")
        if isCancelled() { throw .cancelled }
        let ticks = clock.ticks(time, encoder.timeBase)
        frames += 1
        try encoder.encode((picture.pixels, ticks), writeVideo)
        try output.pumpAudio(upTo: time.microseconds)
    }

    package func finish(cutsAudio: Bool = false) throws(MediaError) -> VideoWriteReport {
        do {
            try encoder.encode(nil, writeVideo)
            try output.pumpAudio(upTo: cutsAudio ? clock.end : nil)
        } catch {
            output.abandon()
            throw error
        }
        try output.finish()
        return VideoWriteReport(encoder: encoder.name, frames: frames, audio: output.outcome)
    }

    package func abandon() { output.abandon() }

    private func writeVideo(_ packet: Packet) throws(MediaError) {
        // MP4 tells a frame's length by the next one's time; only the last needs to say it.
        packet.raw.pointee.duration = av_rescale_q(
            clock.lastStep, AVRational(num: 1, den: 1_000_000), encoder.timeBase)
        try output.writeVideo(packet, timeBase: encoder.timeBase)
    }
}
