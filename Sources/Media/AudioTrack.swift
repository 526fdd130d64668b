// The source's sound on its way into the annotated video: a second reading of the same file, packet by packet as the
// video advances, copied where MP4 can carry it and turned into AAC where not.

import CFFmpeg
import CFFmpegShims
package import Core

/// Which sound goes into an annotated video.
package struct AudioSource: Sendable {
    package var path: [UInt8]
    package var from: Timestamp?
    package var to: Timestamp?
    package var limits: MediaLimits

    package init(path: [UInt8], from: Timestamp? = nil, to: Timestamp? = nil, limits: MediaLimits = MediaLimits()) {
        self.path = path
        self.from = from
        self.to = to
        self.limits = limits
    }
}

/// Used by one thread at a time.
final class AudioTrack {
    enum Mode { case copy, transcode }

    let timeBase: AVRational
    let parameters: UnsafeMutablePointer<AVCodecParameters>
    private let demuxer: Demuxer
    private let stream: UnsafeMutablePointer<AVStream>
    private let transcoder: AudioTranscoder?
    private let from: Int64?
    private let to: Int64?
    private let packet: Packet
    private var isAtEnd = false
    private var lastDTS: Int64?
    /// Of the last packet read, in microseconds of the timeline.
    private var position: Int64 = .min

    /// What players of MP4 are known to play.
    private static let copied: Set<UInt32> = Set(
        [
            AV_CODEC_ID_AAC, AV_CODEC_ID_MP3, AV_CODEC_ID_AC3, AV_CODEC_ID_EAC3, AV_CODEC_ID_ALAC, AV_CODEC_ID_OPUS,
            AV_CODEC_ID_FLAC,
        ].map(\.rawValue))

    static func canCopy(_ stream: UnsafeMutablePointer<AVStream>) -> Bool {
        copied.contains(stream.pointee.codecpar.pointee.codec_id.rawValue)
    }

    init(
        _ demuxer: Demuxer, _ stream: UnsafeMutablePointer<AVStream>, mode: Mode, source: AudioSource
    ) throws(MediaError) {
        self.demuxer = demuxer
        self.stream = stream
        from = source.from?.microseconds
        to = source.to?.microseconds
        packet = try Packet()
        switch mode {
        case .copy:
            transcoder = nil
            parameters = stream.pointee.codecpar
            timeBase = AVRational(num: stream.pointee.timeBase.numerator, den: stream.pointee.timeBase.denominator)
        case .transcode:
            let made = try AudioTranscoder(stream)
            transcoder = made
            parameters = made.parameters
            timeBase = made.timeBase
        }
        for other in demuxer.streams { other.pointee.discard = other == stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL }
    }

    /// Hands out packets up to `limit` on the timeline; nil: to the end. Their times count from the timeline's zero.
    func pump(upTo limit: Int64?, _ take: (Packet) throws(MediaError) -> Void) throws(MediaError) {
        while !isAtEnd, limit.map({ position < $0 }) ?? true {
            guard av_read_frame(demuxer.context, packet.raw) >= 0 else {
                isAtEnd = true
                break
            }
            defer { av_packet_unref(packet.raw) }
            guard packet.raw.pointee.stream_index == stream.pointee.index else { continue }
            try handle(take)
        }
        if isAtEnd { try transcoder?.finish(take) }
    }

    private func handle(_ take: (Packet) throws(MediaError) -> Void) throws(MediaError) {
        let noPTS = cff_no_pts()
        let stamp = packet.raw.pointee.pts != noPTS ? packet.raw.pointee.pts : packet.raw.pointee.dts
        if stamp != noPTS {
            position = stream.pointee.timeBase.microseconds(ticks: stamp) - demuxer.startMicroseconds
        }
        let length = stream.pointee.timeBase.microseconds(ticks: max(packet.raw.pointee.duration, 0))
        if let to, position >= to {
            isAtEnd = true
            return
        }
        if let from, position + length <= from { return }
        if let transcoder {
            let shift = stream.pointee.timeBase.ticks(ofMicroseconds: demuxer.startMicroseconds)
            return try transcoder.transcode(packet, shiftedBy: shift, take)
        }
        guard stamp != noPTS else { return }
        let shift = stream.pointee.timeBase.ticks(ofMicroseconds: demuxer.startMicroseconds)
        let copy = try Packet()
        av_packet_ref(copy.raw, packet.raw)
        // Sound has no reordering: one stamp serves as both, and has to rise.
        let dts = stamp - shift
        if let lastDTS, dts <= lastDTS { return }
        lastDTS = dts
        copy.raw.pointee.pts = dts
        copy.raw.pointee.dts = dts
        try take(copy)
    }
}

extension TimeBase {
    func ticks(ofMicroseconds microseconds: Int64) -> Int64 {
        av_rescale_q(
            microseconds, AVRational(num: 1, den: 1_000_000), AVRational(num: numerator, den: denominator))
    }
}
