// Pieces of a video, one behind the other, with the source's sound → one MP4 file. Packets are moved, not coded again.

import CFFmpeg
import CFFmpegShims
import Core
import Glibc

/// Used by one thread at a time.
final class VideoJoin {
    private let segments: [[UInt8]]
    private let output: VideoMuxing
    private let isCancelled: @Sendable () -> Bool
    private let header: [UInt8]
    private let lastStep: Int64
    private var lastDTS = Int64.min
    private var frames = 0

    var audio: AudioOutcome { output.outcome }

    /// - Parameters:
    ///   - segments: one or more, of one encoder and one size, at their times in the whole.
    ///   - lastStep: how long the last picture stands, in microseconds.
    init(
        segments: [[UInt8]], lastStep: Int64, target: [UInt8], audio: AudioSource?,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws(MediaError) {
        self.segments = segments
        self.lastStep = lastStep
        self.isCancelled = isCancelled
        guard let first = segments.first else { throw .cannotCreate(path: displayName(ofPath: target), code: 0) }
        let (demuxer, stream) = try Self.open(first, isCancelled)
        header = Self.header(of: stream)
        output = try withExtendedLifetime(demuxer) { () throws(MediaError) in
            try VideoMuxing(
                path: target, parameters: stream.pointee.codecpar, timeBase: stream.pointee.time_base, audio: audio,
                isCancelled: isCancelled)
        }
    }

    /// Returns the number of frames written.
    /// - Parameter end: where the sound ends, in microseconds; nil: at its own end.
    func run(cutsAudioAt end: Int64?) throws(MediaError) -> Int {
        do {
            for segment in segments { try append(segment) }
            try output.pumpAudio(upTo: end)
        } catch {
            output.abandon()
            throw error
        }
        try output.finish()
        return frames
    }

    func abandon() { output.abandon() }

    private func append(_ path: [UInt8]) throws(MediaError) {
        let (demuxer, stream) = try Self.open(path, isCancelled)
        let timeBase = stream.pointee.time_base
        guard Self.header(of: stream) == header else {
            throw .segmentsDiffer(path: demuxer.file.name, expected: header.count, found: Self.header(of: stream).count)
        }
        while true {
            if isCancelled() { throw .cancelled }
            let packet = try Packet()
            let code = av_read_frame(demuxer.context, packet.raw)
            if code == cff_error_eof() { return }
            if code < 0 { throw .readFailed(path: demuxer.file.name, code: code) }
            // The encoder of a piece starts counting its delay anew, so its first decoding times may lie before the
            // last ones of the piece before. There is room behind those: presentation times rise from piece to piece.
            lastDTS = max(packet.raw.pointee.dts, lastDTS &+ 1)
            packet.raw.pointee.dts = lastDTS
            // As where the video is written in one piece: only the last frame's length counts.
            packet.raw.pointee.duration = av_rescale_q(lastStep, AVRational(num: 1, den: 1_000_000), timeBase)
            let time = stream.pointee.timeBase.microseconds(ticks: packet.raw.pointee.pts)
            try output.writeVideo(packet, timeBase: timeBase)
            frames += 1
            try output.pumpAudio(upTo: time)
        }
    }

    private static func open(
        _ path: [UInt8], _ isCancelled: @escaping @Sendable () -> Bool
    ) throws(MediaError) -> (demuxer: Demuxer, stream: UnsafeMutablePointer<AVStream>) {
        let demuxer = try Demuxer(path: path, limits: MediaLimits(), isCancelled: isCancelled)
        guard let stream = demuxer.streams.first else {
            throw .notMedia(path: demuxer.file.name, reason: "the piece of video holds no stream")
        }
        return (demuxer, stream)
    }

    private static func header(of stream: UnsafeMutablePointer<AVStream>) -> [UInt8] {
        let parameters = stream.pointee.codecpar.pointee
        guard let bytes = parameters.extradata else { return [] }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(parameters.extradata_size)))
    }
}

/// Gone already is fine.
func removeFile(_ path: [UInt8]) { unlink(cString(path)) }
