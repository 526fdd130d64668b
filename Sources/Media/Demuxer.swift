// Step 1: file → packets. Opens the container with a fixed list of formats and without leave to open anything else.

import CFFmpeg
import CFFmpegShims
import Core

/// Used by one thread at a time; `context` lives as long as the object.
final class Demuxer {
    let file: InputFile
    /// What a picture's own header claims; nil for containers.
    let pictureHeader: PictureHeader?
    let context: UnsafeMutablePointer<AVFormatContext>

    /// Containers and picture formats that are read. Not here, because they open other files or the network or are
    /// text: hls, dash, concat, sdp, rtsp, image2 (patterns), svg, subtitles, tty, lavfi.
    private static let formats = [
        "3g2", "3gp", "aiff", "apng", "asf", "av1", "avi", "bmp_pipe", "dirac", "dnxhd", "dv", "exr_pipe", "flv",
        "gem_pipe",
        "gif", "h261", "h263", "h264", "hevc", "ico", "ivf", "j2k_pipe", "jpeg_pipe", "jpegls_pipe", "jpegxl_pipe",
        "m4v",
        "matroska", "mjpeg", "mj2", "mov", "mp4", "mpeg", "mpegts", "mpegvideo", "mpjpeg", "mxf", "nut", "obu", "ogg",
        "pam_pipe", "pbm_pipe", "pcx_pipe", "pgm_pipe", "pgmyuv_pipe", "png_pipe", "ppm_pipe", "psd_pipe", "qdraw_pipe",
        "qoi_pipe", "rm", "sgi_pipe", "sunrast_pipe", "tiff_pipe", "vc1", "webm", "webp_pipe", "wtv", "xbm_pipe",
        "xpm_pipe",
        "yuv4mpegpipe",
    ].joined(separator: ",")

    init(path: [UInt8], limits: MediaLimits, isCancelled: @escaping @Sendable () -> Bool) throws(MediaError) {
        cff_log_install()
        file = try InputFile(path: path, isCancelled: isCancelled)
        guard file.bytes > 0 else { throw .notMedia(path: file.name, reason: "the file is empty") }
        let source = file
        pictureHeader = PictureHeader { source.bytes(at: $0, count: $1) }
        // Before FFmpeg allocates anything for it. Products of two 32-bit numbers fit.
        if let width = pictureHeader?.width, let height = pictureHeader?.height, width * height > limits.maximumPixels {
            throw .limitExceeded(path: file.name, limit: limits.pixels, value: Int64(width * height))
        }
        context = try Self.open(file, format: Self.namedFormat(path))
        if isPicture, file.bytes > limits.maximumPictureBytes {
            throw .limitExceeded(path: file.name, limit: limits.pictureBytes, value: file.bytes)
        }
        try checkStreams(limits)
        try probe(limits)
        try checkStreams(limits)
    }

    deinit {
        var closing: UnsafeMutablePointer<AVFormatContext>? = context
        avformat_close_input(&closing)
    }

    /// A row of JPEG pictures looks like one picture: only the name tells that it is a film.
    private static func namedFormat(_ path: [UInt8]) -> UnsafePointer<AVInputFormat>? {
        let name = String(decoding: path, as: UTF8.self).lowercased()
        return name.hasSuffix(".mjpeg") || name.hasSuffix(".mjpg") ? av_find_input_format("mjpeg") : nil
    }

    private static func open(
        _ file: InputFile, format: UnsafePointer<AVInputFormat>?
    ) throws(MediaError) -> UnsafeMutablePointer<AVFormatContext> {
        guard let context = avformat_alloc_context() else { throw .outOfMemory(whatFor: "a demuxer") }
        context.pointee.pb = file.io
        context.pointee.interrupt_callback = AVIOInterruptCB(
            callback: { InputFile.from($0)?.isCancelled() == true ? 1 : 0 },
            opaque: Unmanaged.passUnretained(file).toOpaque())
        // A data reference, a playlist, a second part: whatever a container asks for, there is nothing else to open.
        context.pointee.io_open = { _, _, _, _, _ in cff_error_of_errno(1) }

        var settings: OpaquePointer?
        defer { av_dict_free(&settings) }
        av_dict_set(&settings, "format_whitelist", formats, 0)
        av_dict_set(&settings, "protocol_whitelist", "none", 0)
        av_dict_set_int(&settings, "probesize", 5_000_000, 0)
        av_dict_set_int(&settings, "analyzeduration", 5_000_000, 0)

        var opened: UnsafeMutablePointer<AVFormatContext>? = context
        let code = avformat_open_input(&opened, "", format, &settings)
        guard code == 0, let opened else { throw openError(code, file) }
        return opened
    }

    private static func openError(_ code: Int32, _ file: InputFile) -> MediaError {
        if file.isCancelled() { return .cancelled }
        if file.failure != 0 { return .readFailed(path: file.name, code: cff_error_of_errno(file.failure)) }
        let reason =
            switch cff_errno_of_error(code) {
            case 0: errorText(code)
            // What the format list answers for a known format that is not on it; there is no better sign.
            case 22: "unknown or not an allowed format"
            // No system call failed: it is a table of impossible size, or the like.
            default: "its header makes no sense"
            }
        return .notMedia(path: file.name, reason: reason)
    }

    /// Looks into the streams, which decodes first frames: never larger ones than the limit, on this thread only.
    private func probe(_ limits: MediaLimits) throws(MediaError) {
        let count = Int(context.pointee.nb_streams)
        var settings = [OpaquePointer?](repeating: nil, count: count)
        for stream in settings.indices {
            av_dict_set_int(&settings[stream], "max_pixels", Int64(limits.maximumPixels), 0)
            av_dict_set_int(&settings[stream], "threads", 1, 0)
        }
        defer { for stream in settings.indices { av_dict_free(&settings[stream]) } }
        let code = avformat_find_stream_info(context, &settings)
        if file.isCancelled() { throw .cancelled }
        if file.failure != 0 { throw .readFailed(path: file.name, code: cff_error_of_errno(file.failure)) }
        if code < 0 { throw .notMedia(path: file.name, reason: errorText(code)) }
    }

    private func checkStreams(_ limits: MediaLimits) throws(MediaError) {
        if context.pointee.nb_streams > limits.maximumStreams {
            throw .limitExceeded(path: file.name, limit: limits.streams, value: Int64(context.pointee.nb_streams))
        }
    }

    var streams: [UnsafeMutablePointer<AVStream>] {
        (0..<Int(context.pointee.nb_streams)).compactMap { context.pointee.streams[$0] }
    }

    var formatName: String { String(cString: context.pointee.iformat.pointee.name) }

    /// Zero of all times of this source; 0 where the container gives none.
    var startMicroseconds: Int64 {
        context.pointee.start_time == cff_no_pts() ? 0 : context.pointee.start_time
    }

    /// The format carries no time stamps: those that FFmpeg makes up are in decoding order and worth nothing.
    var isRaw: Bool {
        context.pointee.iformat.pointee.flags & AVFMT_NOTIMESTAMPS != 0 || formatName == "mpegvideo"
    }

    /// Multipart JPEG has no end of its own, and FFmpeg calls the end of the file invalid data.
    var endsWithInvalidData: Bool { formatName == "mpjpeg" }

    /// The index of an MP4 names a place behind the end of the file: it was cut off.
    func isCutOff(_ stream: UnsafeMutablePointer<AVStream>) -> Bool {
        guard formatName.hasPrefix("mov") else { return false }
        let count = avformat_index_get_entries_count(stream)
        guard count > 0, let entry = avformat_index_get_entry(stream, count - 1) else { return false }
        return entry.pointee.pos.addingReportingOverflow(Int64(entry.pointee.size)).partialValue > file.bytes
    }

    /// The largest frame that a container claims, which its codec need not agree to.
    var claimedPixels: Int64 {
        streams.filter { $0.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO }
            .map {
                Int64(max($0.pointee.codecpar.pointee.width, 0)) * Int64(max($0.pointee.codecpar.pointee.height, 0))
            }
            .max() ?? 0
    }

    /// One picture, whatever number of frames it holds.
    var isPicture: Bool {
        let name = formatName
        if name.hasSuffix("_pipe") || ["gif", "apng", "ico"].contains(name) { return true }
        guard let brand = av_dict_get(context.pointee.metadata, "major_brand", nil, 0) else { return false }
        return ["avif", "avis", "mif1", "heic"].contains(String(cString: brand.pointee.value))
    }

    /// The default one, else the largest, else the first, of those that are no cover and can be decoded.
    var bestVideoStream: UnsafeMutablePointer<AVStream>? {
        let candidates = streams.filter { stream in
            stream.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO
                && stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC == 0
                && avcodec_find_decoder(stream.pointee.codecpar.pointee.codec_id) != nil
        }
        func rank(_ stream: UnsafeMutablePointer<AVStream>) -> (Int, Int, Int, Int) {
            let parameters = stream.pointee.codecpar.pointee
            let area = Int(max(parameters.width, 0)) * Int(max(parameters.height, 0))
            let isDefault = stream.pointee.disposition & AV_DISPOSITION_DEFAULT != 0
            return (area > 0 ? 1 : 0, isDefault ? 1 : 0, area, -Int(stream.pointee.index))
        }
        return candidates.max { rank($0) < rank($1) }
    }

    func bestAudioStream(besides video: UnsafeMutablePointer<AVStream>?) -> UnsafeMutablePointer<AVStream>? {
        let index = av_find_best_stream(context, AVMEDIA_TYPE_AUDIO, -1, video?.pointee.index ?? -1, nil, 0)
        return index >= 0 ? context.pointee.streams[Int(index)] : nil
    }
}

extension AVStream {
    /// Nonsense fractions become microseconds.
    var timeBase: TimeBase {
        time_base.num > 0 && time_base.den > 0
            ? TimeBase(numerator: time_base.num, denominator: time_base.den)
            : TimeBase(numerator: 1, denominator: 1_000_000)
    }
}
