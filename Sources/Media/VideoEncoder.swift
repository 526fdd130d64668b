// Pictures → H.264 packets, or MPEG-4 where this FFmpeg has no libx264.

import CFFmpeg
import CFFmpegShims
import Core

/// Used by one thread at a time.
final class VideoEncoder {
    let name: String
    let context: UnsafeMutablePointer<AVCodecContext>
    let timeBase: AVRational

    /// MPEG-4's time base has a denominator of 16 bits.
    private static let coarseRate: Int32 = 60_000

    /// - Parameter names: In order of preference; the first that FFmpeg has is taken.
    init(names: [String], width: Int, height: Int, frameRate: FrameRate?) throws(MediaError) {
        cff_log_install()
        guard let codec = names.lazy.compactMap({ avcodec_find_encoder_by_name($0) }).first else {
            throw .noEncoder(names: names)
        }
        guard let context = avcodec_alloc_context3(codec) else { throw .outOfMemory(whatFor: "an encoder") }
        self.context = context
        name = String(cString: codec.pointee.name)
        let isMPEG4 = codec.pointee.id == AV_CODEC_ID_MPEG4
        timeBase = AVRational(num: 1, den: isMPEG4 ? Self.coarseRate : 1_000_000)
        context.pointee.width = Int32(width)
        context.pointee.height = Int32(height)
        context.pointee.pix_fmt = AV_PIX_FMT_YUV420P
        context.pointee.color_range = AVCOL_RANGE_MPEG
        context.pointee.sample_aspect_ratio = AVRational(num: 1, den: 1)
        context.pointee.time_base = timeBase
        if let frameRate, let numerator = Int32(exactly: frameRate.numerator),
            let denominator = Int32(exactly: frameRate.denominator), frameRate.framesPerSecond <= 1000
        {
            context.pointee.framerate = AVRational(num: numerator, den: denominator)
        }
        // The parameters of the codec stand in the container's header.
        context.pointee.flags |= Int32(AV_CODEC_FLAG_GLOBAL_HEADER)
        context.pointee.thread_count = 2
        if isMPEG4 {
            context.pointee.flags |= Int32(AV_CODEC_FLAG_QSCALE)
            context.pointee.global_quality = 4 * FF_QP2LAMBDA
        }
        var settings: OpaquePointer?
        defer { av_dict_free(&settings) }
        if name == "libx264" {
            av_dict_set(&settings, "preset", "veryfast", 0)
            av_dict_set(&settings, "crf", "23", 0)
            // Frames looked ahead are frames held: few, so that memory stays low at 1080p.
            av_dict_set(&settings, "x264-params", "rc-lookahead=10:sync-lookahead=2:log-level=error", 0)
        }
        let code = avcodec_open2(context, codec, &settings)
        if code < 0 { throw .libraryFailed(operation: "opening the encoder \(name)", code: code) }
    }

    deinit {
        var closing: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&closing)
    }

    /// Encodes one picture, or what is still inside for nil, and hands out the packets that are ready.
    func encode(
        _ picture: (frame: FramePixels, ticks: Int64)?, _ take: (Packet) throws(MediaError) -> Void
    ) throws(MediaError) {
        if let picture {
            picture.frame.raw.pointee.pts = picture.ticks
            picture.frame.raw.pointee.pict_type = AV_PICTURE_TYPE_NONE
        }
        let code = avcodec_send_frame(context, picture?.frame.raw)
        if code < 0 { throw .libraryFailed(operation: "encoding with \(name)", code: code) }
        while true {
            let packet = try Packet()
            let code = avcodec_receive_packet(context, packet.raw)
            if code == cff_error_of_errno(11) || code == cff_error_eof() { return }
            if code < 0 { throw .libraryFailed(operation: "encoding with \(name)", code: code) }
            try take(packet)
        }
    }
}
