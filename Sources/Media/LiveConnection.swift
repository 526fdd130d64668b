// Demuxer and decoder of one connection, and the limits on how long they may be silent.

import CFFmpeg
import CFFmpegShims
import Core
import Glibc

/// Used by one thread at a time.
final class LiveConnection {
    let context: UnsafeMutablePointer<AVFormatContext>
    let stream: UnsafeMutablePointer<AVStream>
    let name: String
    private let watch: LiveWatch
    private let options: LiveOptions
    private let decoder: Decoder
    private let packet: Packet
    /// False for sources such as MJPEG: FFmpeg makes up times and a rate that nobody declared.
    let hasTimes: Bool
    private var hasEnded = false

    /// How long a camera that has nothing yet is left alone.
    private static let pauseMicroseconds: UInt32 = 4_000

    init(_ source: LiveSource, _ options: LiveOptions) throws(MediaError) {
        cff_log_install()
        self.options = options
        name = source.name
        watch = LiveWatch(now: options.now, isCancelled: options.isCancelled)
        packet = try Packet()
        watch.expect(within: options.connectSeconds)
        let context = try Self.open(source, watch)
        var closing: UnsafeMutablePointer<AVFormatContext>? = context
        do throws(MediaError) {
            watch.expect(within: options.firstFrameSeconds)
            stream = try Self.findVideo(context, source, watch, options.limits)
            decoder = try Decoder(
                stream: stream.pointee, threads: options.decoderThreads, maximumPixels: options.limits.maximumPixels,
                name: source.name, isLive: true)
        } catch {
            avformat_close_input(&closing)
            throw error
        }
        self.context = context
        hasTimes = context.pointee.iformat.pointee.flags & AVFMT_NOTIMESTAMPS == 0
    }

    deinit {
        var closing: UnsafeMutablePointer<AVFormatContext>? = context
        // RTSP says good-bye and waits for the answer: not long.
        watch.allowLast(seconds: 1)
        avformat_close_input(&closing)
    }

    private static func open(
        _ source: LiveSource, _ watch: LiveWatch
    ) throws(MediaError) -> UnsafeMutablePointer<AVFormatContext> {
        let format = try source.inputFormat()
        guard let context = avformat_alloc_context() else { throw .outOfMemory(whatFor: "a demuxer") }
        context.pointee.interrupt_callback = AVIOInterruptCB(
            callback: { opaque in
                guard let opaque else { return 0 }
                return Unmanaged<LiveWatch>.fromOpaque(opaque).takeUnretainedValue().isOver() ? 1 : 0
            },
            opaque: Unmanaged.passUnretained(watch).toOpaque())
        // The ioctl that waits for a camera's picture knows no interrupt callback.
        if source.kind == .v4l2 { context.pointee.flags |= AVFMT_FLAG_NONBLOCK }
        var settings = source.settings()
        defer { av_dict_free(&settings) }
        var opened: UnsafeMutablePointer<AVFormatContext>? = context
        let code = avformat_open_input(&opened, source.url.text, format, &settings)
        guard code == 0, let opened else { throw failure(code, source.name, watch) }
        return opened
    }

    private static func findVideo(
        _ context: UnsafeMutablePointer<AVFormatContext>, _ source: LiveSource, _ watch: LiveWatch,
        _ limits: MediaLimits
    ) throws(MediaError) -> UnsafeMutablePointer<AVStream> {
        guard context.pointee.nb_streams <= limits.maximumStreams else {
            throw .limitExceeded(
                path: source.name, limit: limits.streams, value: Int64(context.pointee.nb_streams))
        }
        var settings = [OpaquePointer?](repeating: nil, count: Int(context.pointee.nb_streams))
        for stream in settings.indices {
            av_dict_set_int(&settings[stream], "max_pixels", Int64(limits.maximumPixels), 0)
            av_dict_set_int(&settings[stream], "threads", 1, 0)
        }
        defer { for stream in settings.indices { av_dict_free(&settings[stream]) } }
        let code = avformat_find_stream_info(context, &settings)
        if watch.isCancelled || watch.isExpired || code < 0 { throw failure(code, source.name, watch) }
        let index = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nil, 0)
        guard index >= 0, let stream = context.pointee.streams[Int(index)] else {
            throw .unreachable(source: source.name, reason: "it has no video that can be decoded")
        }
        for other in 0..<Int(context.pointee.nb_streams) where other != Int(index) {
            context.pointee.streams[other]?.pointee.discard = AVDISCARD_ALL
        }
        return stream
    }

    private static func failure(_ code: Int32, _ name: String, _ watch: LiveWatch) -> MediaError {
        if watch.isCancelled { return .cancelled }
        if watch.isExpired { return .stalled(source: name, seconds: watch.allowedSeconds) }
        return .unreachable(source: name, reason: errorText(code))
    }

    var formatName: String { String(cString: context.pointee.iformat.pointee.name) }
    var codecName: String { String(cString: avcodec_get_name(stream.pointee.codecpar.pointee.codec_id)) }

    /// Decodes the next frame; false where the other side has ended the stream. Silence ends in an error.
    func decode(into frame: FramePixels, _ counts: inout MediaCounts) throws(MediaError) -> Bool {
        while true {
            let code = decoder.receive(into: frame.raw)
            // Packets that give no picture are silence too.
            if watch.isOver() { throw Self.failure(code, name, watch) }
            if code >= 0 {
                watch.expect(within: options.stallSeconds)
                return true
            }
            if code == cff_error_eof() { return false }
            if code != cff_error_try_again() {
                counts.note("a frame near packet \(counts.packets) cannot be decoded: \(errorText(code))")
            }
            if !hasEnded { try feed(&counts) }
        }
    }

    private func feed(_ counts: inout MediaCounts) throws(MediaError) {
        let code = av_read_frame(context, packet.raw)
        if code == cff_error_try_again() {
            usleep(Self.pauseMicroseconds)
            return
        }
        if code < 0 {
            if watch.isOver() || code == cff_error_exit() { throw Self.failure(code, name, watch) }
            // Multipart JPEG has no end of its own, and FFmpeg calls the end of the connection an error.
            guard code == cff_error_eof() || formatName == "mpjpeg" else {
                throw .unreachable(source: name, reason: errorText(code))
            }
            hasEnded = true
            _ = decoder.send(nil)
            return
        }
        defer { av_packet_unref(packet.raw) }
        guard packet.raw.pointee.stream_index == stream.pointee.index else { return }
        counts.packets += 1
        let sent = decoder.send(packet.raw)
        // It was drained before, so it is never full.
        if sent < 0 { counts.note("packet \(counts.packets) cannot be decoded: \(errorText(sent))") }
    }

    /// Nil where the source has no times.
    func presentationMicroseconds(of frame: FramePixels) -> Int64? {
        guard hasTimes else { return nil }
        let raw = frame.raw.pointee
        let ticks = raw.pts != cff_no_pts() ? raw.pts : raw.best_effort_timestamp
        return ticks == cff_no_pts() ? nil : stream.pointee.timeBase.microseconds(ticks: ticks)
    }
}
