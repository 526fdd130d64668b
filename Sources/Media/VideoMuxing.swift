// The end of the way of a video: its packets and the source's sound side by side into one MP4 file.

import CFFmpeg
import CFFmpegShims

/// Used by one thread at a time.
final class VideoMuxing {
    let file: OutputFile
    private let isCancelled: @Sendable () -> Bool
    private var muxer: MP4Muxer
    private var audio: AudioTrack?
    private(set) var outcome = AudioOutcome.none

    private static let videoStream: Int32 = 0
    private static let audioStream: Int32 = 1

    /// - Parameters:
    ///   - parameters: of the video, with the codec's header.
    ///   - source: where the sound comes from; faults in it never cost the video.
    init(
        path: [UInt8], parameters: UnsafeMutablePointer<AVCodecParameters>, timeBase: AVRational,
        audio source: AudioSource?, isCancelled: @escaping @Sendable () -> Bool
    ) throws(MediaError) {
        file = try OutputFile(path: path)
        self.isCancelled = isCancelled
        muxer = try MP4Muxer(file)
        do {
            try openStreams(source, parameters, timeBase)
        } catch {
            file.remove()
            throw error
        }
    }

    /// The sound as it is, else as AAC, else none: whatever MP4's header takes first.
    private func openStreams(
        _ source: AudioSource?, _ parameters: UnsafeMutablePointer<AVCodecParameters>, _ timeBase: AVRational
    ) throws(MediaError) {
        var reason = ""
        for mode in [AudioTrack.Mode.copy, .transcode] {
            guard let source else { break }
            do throws(MediaError) {
                guard let track = try openAudio(source, mode) else { continue }
                try writeHeader(parameters, timeBase, with: track)
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
        try writeHeader(parameters, timeBase, with: nil)
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

    private func writeHeader(
        _ parameters: UnsafeMutablePointer<AVCodecParameters>, _ timeBase: AVRational, with track: AudioTrack?
    ) throws(MediaError) {
        _ = try muxer.addStream(parameters: parameters, timeBase: timeBase)
        if let track { _ = try muxer.addStream(parameters: track.parameters, timeBase: track.timeBase) }
        try muxer.writeHeader()
    }

    func writeVideo(_ packet: Packet, timeBase: AVRational) throws(MediaError) {
        try muxer.write(packet, stream: Self.videoStream, timeBase: timeBase)
    }

    /// Brings the sound up to a time on the timeline, in microseconds; nil: to its end.
    func pumpAudio(upTo limit: Int64?) throws(MediaError) {
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

    func finish() throws(MediaError) {
        do {
            try muxer.finish()
        } catch {
            file.remove()
            throw error
        }
    }

    func abandon() { file.remove() }
}
