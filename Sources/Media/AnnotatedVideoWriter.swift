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

/// Used by one thread at a time, which need not be the one that made it.
package final class AnnotatedVideoWriter: @unchecked Sendable {
    /// In order of preference; MPEG-4 is part of every FFmpeg.
    package static let encoders = ["libx264", "mpeg4"]

    private let file: OutputFile
    private let encoder: VideoEncoder
    private let size: (width: Int, height: Int)
    private let isCancelled: @Sendable () -> Bool
    private var muxer: MP4Muxer
    private var audio: AudioTrack?
    private var outcome = AudioOutcome.none
    private var frames = 0
    /// Times of the two last pictures, in microseconds.
    private var last: Int64?
    private var lastStep: Int64
    private var lastTicks = Int64.min

    private static let videoStream: Int32 = 0
    private static let audioStream: Int32 = 1

    /// - Parameters:
    ///   - frameRate: Of the source, as a hint for rate control; times are those given to `write`.
    ///   - audio: Where the sound comes from; faults in it never cost the video.
    package init(
        path: [UInt8], width: Int, height: Int, frameRate: FrameRate? = nil, audio source: AudioSource? = nil,
        encoders: [String] = AnnotatedVideoWriter.encoders, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws(MediaError) {
        precondition(width > 0 && height > 0 && width % 2 == 0 && height % 2 == 0, "4:2:0 video has even sides")
        encoder = try VideoEncoder(names: encoders, width: width, height: height, frameRate: frameRate)
        file = try OutputFile(path: path)
        size = (width, height)
        self.isCancelled = isCancelled
        lastStep = frameRate.map { Int64((1_000_000 / $0.framesPerSecond).rounded()) } ?? 40_000
        muxer = try MP4Muxer(file)
        do {
            try openStreams(source)
        } catch {
            file.remove()
            throw error
        }
    }

    /// The sound as it is, else as AAC, else none: whatever MP4's header takes first.
    private func openStreams(_ source: AudioSource?) throws(MediaError) {
        var reason = ""
        for mode in [AudioTrack.Mode.copy, .transcode] {
            guard let source else { break }
            do throws(MediaError) {
                guard let track = try openAudio(source, mode) else { continue }
                try writeHeader(with: track)
                audio = track
                return
            } catch {
                if file.failure != 0 { throw error }
                reason = "\(error)"
                muxer = try MP4Muxer(file)
                file.rewind()
            }
        }
        if outcome != .none { outcome = .dropped(reason: reason) }
        try writeHeader(with: nil)
    }

    /// Nil where there is no sound, or none that can be copied.
    private func openAudio(_ source: AudioSource, _ mode: AudioTrack.Mode) throws(MediaError) -> AudioTrack? {
        let demuxer = try Demuxer(path: source.path, limits: source.limits, isCancelled: isCancelled)
        guard let stream = demuxer.bestAudioStream(besides: demuxer.bestVideoStream) else { return nil }
        let codec = String(cString: avcodec_get_name(stream.pointee.codecpar.pointee.codec_id))
        // Said before it is tried, so that a failure is one of sound and not its absence.
        outcome = mode == .copy ? .copied(codec: codec) : .transcoded(from: codec)
        if mode == .copy, !AudioTrack.canCopy(stream) { return nil }
        return try AudioTrack(demuxer, stream, mode: mode, source: source)
    }

    private func writeHeader(with track: AudioTrack?) throws(MediaError) {
        guard let parameters = avcodec_parameters_alloc() else { throw .outOfMemory(whatFor: "an output stream") }
        var freeing: UnsafeMutablePointer<AVCodecParameters>? = parameters
        defer { avcodec_parameters_free(&freeing) }
        avcodec_parameters_from_context(parameters, encoder.context)
        _ = try muxer.addStream(parameters: parameters, timeBase: encoder.timeBase)
        if let track { _ = try muxer.addStream(parameters: track.parameters, timeBase: track.timeBase) }
        try muxer.writeHeader()
    }

    /// Adds a picture of the writer's size; times have to rise.
    package func write(_ picture: WritablePicture, at time: Timestamp) throws(MediaError) {
        precondition(picture.width == size.width && picture.height == size.height, "pictures have the video's size")
        precondition(picture.range == .limited, "video is written in limited range")
        if isCancelled() { throw .cancelled }
        if let last, time.microseconds > last { lastStep = time.microseconds - last }
        last = time.microseconds
        // MPEG-4's coarser clock may round two times to one.
        let ticks = max(
            av_rescale_q(time.microseconds, AVRational(num: 1, den: 1_000_000), encoder.timeBase), lastTicks &+ 1)
        lastTicks = ticks
        frames += 1
        try encoder.encode((picture.pixels, ticks), writeVideo)
        try pumpAudio(upTo: time.microseconds)
    }

    /// Ends the file. The sound goes on to its end, or that of the part that was asked for.
    /// - Parameter cutsAudio: End the sound with the last picture, for a run that was interrupted.
    package func finish(cutsAudio: Bool = false) throws(MediaError) -> VideoWriteReport {
        do {
            try encoder.encode(nil, writeVideo)
            try pumpAudio(upTo: cutsAudio ? (last ?? 0) + lastStep : nil)
            try muxer.finish()
        } catch {
            file.remove()
            throw error
        }
        return VideoWriteReport(encoder: encoder.name, frames: frames, audio: outcome)
    }

    /// Leaves off and removes what was written.
    package func abandon() { file.remove() }

    private func writeVideo(_ packet: Packet) throws(MediaError) {
        // MP4 tells a frame's length by the next one's time; only the last needs to say it.
        packet.raw.pointee.duration = av_rescale_q(lastStep, AVRational(num: 1, den: 1_000_000), encoder.timeBase)
        try muxer.write(packet, stream: Self.videoStream, timeBase: encoder.timeBase)
    }

    private func pumpAudio(upTo limit: Int64?) throws(MediaError) {
        guard let audio else { return }
        do throws(MediaError) {
            try audio.pump(upTo: limit) { packet throws(MediaError) in
                try muxer.write(packet, stream: Self.audioStream, timeBase: audio.timeBase)
            }
        } catch {
            // A failing disk is the writer's fault; anything else ends the sound and leaves the video.
            if file.failure != 0 { throw error }
            self.audio = nil
            outcome = .dropped(reason: "\(error)")
        }
    }
}
