// The last step: packets of one video and at most one sound stream → MP4 with its index in front.

import CFFmpeg
import CFFmpegShims

/// Used by one thread at a time.
final class MP4Muxer {
    private let file: OutputFile
    private let context: UnsafeMutablePointer<AVFormatContext>
    private(set) var isOpen = false

    init(_ file: OutputFile) throws(MediaError) {
        self.file = file
        var made: UnsafeMutablePointer<AVFormatContext>?
        let code = avformat_alloc_output_context2(&made, nil, "mp4", "output")
        guard let made else { throw .libraryFailed(operation: "making an MP4 muxer", code: code) }
        context = made
        made.pointee.pb = file.io
        made.pointee.flags |= AVFMT_FLAG_CUSTOM_IO
        made.pointee.opaque = Unmanaged.passUnretained(file).toOpaque()
        // FFmpeg's faststart opens the output by name to read it; it gets our file, whatever its name.
        made.pointee.io_open = { context, io, _, flags, _ in
            guard flags & AVIO_FLAG_WRITE == 0, let reader = OutputFile.from(context?.pointee.opaque)?.openReader()
            else {
                return cff_error_of_errno(1)
            }
            io?.pointee = reader
            return 0
        }
        made.pointee.io_close2 = { _, io in
            if let io { OutputFile.closeReader(io) }
            return 0
        }
        // Streams that pause are waited for as long as this; it bounds the packets held back.
        made.pointee.max_interleave_delta = 2_000_000
        // FLAC in MP4 counts as experimental in FFmpeg 5.1.
        made.pointee.strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL
    }

    deinit { avformat_free_context(context) }

    func addStream(parameters: UnsafeMutablePointer<AVCodecParameters>, timeBase: AVRational) throws(MediaError)
        -> Int32
    {
        guard let stream = avformat_new_stream(context, nil) else { throw .outOfMemory(whatFor: "an output stream") }
        avcodec_parameters_copy(stream.pointee.codecpar, parameters)
        // The container's own tag, not that of the file it came from.
        stream.pointee.codecpar.pointee.codec_tag = 0
        stream.pointee.time_base = timeBase
        return stream.pointee.index
    }

    func writeHeader() throws(MediaError) {
        var settings: OpaquePointer?
        defer { av_dict_free(&settings) }
        av_dict_set(&settings, "movflags", "+faststart", 0)
        // Edit lists count in this unit; the default of a millisecond would round the first frame's time.
        av_dict_set_int(&settings, "movie_timescale", 1_000_000, 0)
        let code = avformat_write_header(context, &settings)
        if code < 0 { throw file.error(code) }
        isOpen = true
    }

    /// Takes over the packet's data. `timeBase` is that of its time stamps.
    func write(_ packet: Packet, stream: Int32, timeBase: AVRational) throws(MediaError) {
        guard let target = context.pointee.streams[Int(stream)] else { return }
        packet.raw.pointee.stream_index = stream
        av_packet_rescale_ts(packet.raw, timeBase, target.pointee.time_base)
        packet.raw.pointee.pos = -1
        let code = av_interleaved_write_frame(context, packet.raw)
        if code < 0 || file.failure != 0 { throw file.error(code) }
    }

    func finish() throws(MediaError) {
        guard isOpen else { return }
        isOpen = false
        let code = av_write_trailer(context)
        if let io = file.io { avio_flush(io) }
        if code < 0 || file.failure != 0 { throw file.error(code) }
    }
}
