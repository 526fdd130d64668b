// The loop between demuxer and decoder, and the account of what went wrong in it.

import CFFmpeg
import CFFmpegShims
import Core

/// Part of a `MediaReader`, and like it used by one thread at a time.
struct ReadState {
    var counts = MediaCounts()
    var isFinished = false
    private(set) var pixelFormat = ""

    private let demuxer: Demuxer
    private let stream: UnsafeMutablePointer<AVStream>
    private let duration: DeclaredDuration
    private let options: MediaOptions
    private let packet: Packet
    private let decoder: Decoder
    private var clock: FrameClock
    /// A packet waits until the decoder has room.
    private var packetWaits = false
    private var isDraining = false
    /// Whether reading went to the end of the file, so that a short video can be told.
    private var reachedEnd = false
    /// End of the last packet of any stream, on the timeline's clock.
    private var lastPacketEnd: Int64 = .min
    private var errorsInARow = 0

    /// Decoders that give nothing but errors while they are drained are left after so many.
    private static let maximumErrorsInARow = 10_000

    init(
        _ demuxer: Demuxer, _ stream: UnsafeMutablePointer<AVStream>, _ duration: DeclaredDuration,
        _ options: MediaOptions
    ) throws(MediaError) {
        self.demuxer = demuxer
        self.stream = stream
        self.duration = duration
        self.options = options
        packet = try Packet()
        decoder = try Decoder(
            stream: stream.pointee, threads: demuxer.isPicture ? 1 : options.decoderThreads,
            maximumPixels: options.limits.maximumPixels, name: demuxer.file.name)
        let rate = av_guess_frame_rate(demuxer.context, stream, nil)
        let step = rate.num > 0 && rate.den > 0 ? av_rescale(1_000_000, Int64(rate.den), Int64(rate.num)) : nil
        clock = FrameClock(
            timeBase: stream.pointee.timeBase, startMicroseconds: demuxer.startMicroseconds,
            declaredStepMicroseconds: step)
        for other in demuxer.streams where other != stream {
            // Sound is read on where only it can tell that the container ends later than the video.
            let isUseful = duration.videoEnd == nil && other.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_AUDIO
            other.pointee.discard = isUseful ? AVDISCARD_DEFAULT : AVDISCARD_ALL
        }
    }

    /// Decodes the next frame; false at the end.
    mutating func decode(into frame: FramePixels) throws(MediaError) -> Bool {
        while !isFinished {
            if options.isCancelled() { throw .cancelled }
            let code = decoder.receive(into: frame.raw)
            if code >= 0 {
                errorsInARow = 0
                return true
            }
            if code == cff_error_eof() {
                stop()
                return false
            }
            if code != cff_error_of_errno(11) {
                try noteError(code, "a frame")
                continue
            }
            try feed()
        }
        return false
    }

    /// Gives the decoder its next packet, or the news that there are no more.
    private mutating func feed() throws(MediaError) {
        if !packetWaits {
            guard try readVideoPacket() else {
                isDraining = true
                _ = decoder.send(nil)
                return
            }
        }
        packetWaits = false
        let code = decoder.send(packet.raw)
        if code == cff_error_of_errno(11) {
            packetWaits = true  // full: it takes the packet once a frame is out
            return
        }
        av_packet_unref(packet.raw)
        if code < 0 { try noteError(code, "a packet") }
    }

    private mutating func readVideoPacket() throws(MediaError) -> Bool {
        while true {
            if options.isCancelled() { throw .cancelled }
            let code = av_read_frame(demuxer.context, packet.raw)
            if code < 0 {
                if options.isCancelled() { throw .cancelled }
                reachedEnd = true
                if demuxer.file.failure != 0 {
                    counts.note("reading stopped: \(errorText(cff_error_of_errno(demuxer.file.failure)))")
                } else if code != cff_error_eof(), !demuxer.endsWithInvalidData {
                    counts.note("reading stopped: \(errorText(code))")
                }
                return false
            }
            notePacketEnd()
            guard packet.raw.pointee.stream_index == stream.pointee.index else {
                av_packet_unref(packet.raw)
                continue
            }
            counts.packets += 1
            if packet.raw.pointee.flags & AV_PKT_FLAG_CORRUPT != 0 {
                counts.note("packet \(counts.packets) is marked corrupt")
            }
            return true
        }
    }

    private mutating func notePacketEnd() {
        let index = Int(packet.raw.pointee.stream_index)
        guard packet.raw.pointee.pts != cff_no_pts(), let of = demuxer.context.pointee.streams[index] else { return }
        let ticks = packet.raw.pointee.pts.addingReportingOverflow(max(packet.raw.pointee.duration, 0)).partialValue
        let end = of.pointee.timeBase.microseconds(ticks: ticks)
        lastPacketEnd = max(lastPacketEnd, end.subtractingReportingOverflow(demuxer.startMicroseconds).partialValue)
    }

    private mutating func noteError(_ code: Int32, _ what: String) throws(MediaError) {
        if code == cff_error_of_errno(12) { throw .outOfMemory(whatFor: "decoding \(demuxer.file.name)") }
        counts.note("\(what) near packet \(counts.packets) cannot be decoded: \(errorText(code))")
        errorsInARow += 1
        if isDraining, errorsInARow > Self.maximumErrorsInARow { isFinished = true }
    }

    /// Takes a decoded frame into the account and tells its time.
    mutating func accept(_ frame: FramePixels) throws(MediaError) -> Timestamp {
        let raw = frame.raw.pointee
        if pixelFormat.isEmpty { pixelFormat = formatName(raw.format) }
        let pixels = Int64(raw.width) * Int64(raw.height)
        if pixels > options.limits.maximumPixels {
            throw .limitExceeded(path: demuxer.file.name, limit: options.limits.pixels, value: pixels)
        }
        if raw.flags & AV_FRAME_FLAG_CORRUPT != 0 || raw.decode_error_flags != 0 {
            counts.note("frame \(counts.decoded) is damaged")
        }
        if demuxer.isPicture { return .zero }
        var ticks: Int64?
        if !demuxer.isRaw {
            // Where a container stores only decoding times (AVI), FFmpeg's estimate from them stands in.
            let known = raw.pts != cff_no_pts() ? raw.pts : raw.best_effort_timestamp
            ticks = known != cff_no_pts() ? known : nil
        }
        let time = clock.time(ofTicks: ticks)
        counts.ptsRepaired = clock.repaired
        let seconds = time.microseconds / 1_000_000
        if seconds > options.limits.maximumDurationSeconds {
            throw .limitExceeded(path: demuxer.file.name, limit: options.limits.duration, value: seconds)
        }
        return time
    }

    /// Nothing more is wanted. What the decoder only logged still counts: damage to HEVC or to a JPEG shows nowhere
    /// else, and whole files make no decoder log errors.
    mutating func stop() {
        isFinished = true
        if decoder.loggedErrors > 0, counts.errors == 0 { counts.note(decoder.firstLoggedError) }
    }

    /// The video ends before the container's word by more than the larger of 1 s and 2 %. The end of the last frame
    /// is what counts: at one frame in two seconds its PTS alone is always early.
    var endsEarly: Bool {
        guard reachedEnd, !demuxer.isPicture else { return false }
        if demuxer.isCutOff(stream) { return true }
        guard let lastEnd = clock.end?.microseconds else { return false }
        let end = duration.videoEnd == nil ? max(lastEnd, lastPacketEnd) : lastEnd
        guard let declared = duration.videoEnd ?? duration.container else { return false }
        return declared - end > max(1_000_000, declared / 50)
    }
}

/// Owns an `AVPacket`.
final class Packet {
    let raw: UnsafeMutablePointer<AVPacket>

    init() throws(MediaError) {
        guard let raw = av_packet_alloc() else { throw .outOfMemory(whatFor: "a packet") }
        self.raw = raw
    }

    deinit {
        var freeing: UnsafeMutablePointer<AVPacket>? = raw
        av_packet_free(&freeing)
    }
}
