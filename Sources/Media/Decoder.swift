// Step 2: packets → frames as the codec gives them. Frame threads; errors are the caller's to count.

import CFFmpeg
import CFFmpegShims

/// Used by one thread at a time (FFmpeg's own threads work inside).
final class Decoder {
    private let context: UnsafeMutablePointer<AVCodecContext>
    private let tally: OpaquePointer

    /// - Parameter isLive: Frames leave as soon as they can; frame threads would hold back one each.
    init(
        stream: AVStream, threads: Int, maximumPixels: Int, name: String, isLive: Bool = false
    ) throws(MediaError) {
        let codecID = stream.codecpar.pointee.codec_id
        guard let codec = avcodec_find_decoder(codecID) else {
            throw .notMedia(path: name, reason: "no decoder for \(String(cString: avcodec_get_name(codecID)))")
        }
        guard let context = avcodec_alloc_context3(codec), let tally = cff_tally_new() else {
            throw .outOfMemory(whatFor: "a decoder")
        }
        self.context = context
        self.tally = tally
        avcodec_parameters_to_context(context, stream.codecpar)
        context.pointee.pkt_timebase = stream.time_base
        context.pointee.max_pixels = Int64(maximumPixels)
        context.pointee.thread_count = Int32(max(threads, 1))
        context.pointee.thread_type = isLive ? FF_THREAD_SLICE : FF_THREAD_FRAME
        if isLive { context.pointee.flags |= Int32(bitPattern: UInt32(AV_CODEC_FLAG_LOW_DELAY)) }
        context.pointee.opaque = UnsafeMutableRawPointer(tally)
        let code = avcodec_open2(context, codec, nil)
        if code < 0 { throw .damaged(path: name, reason: "the decoder refuses it: \(errorText(code))") }
    }

    deinit {
        var closing: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&closing)
        cff_tally_free(tally)
    }

    /// nil: no more packets will come. Returns 0 or an AVERROR.
    func send(_ packet: UnsafeMutablePointer<AVPacket>?) -> Int32 { avcodec_send_packet(context, packet) }

    func receive(into frame: UnsafeMutablePointer<AVFrame>) -> Int32 { avcodec_receive_frame(context, frame) }

    /// Error lines that the decoder logged; more than it returns as codes, less certain to be damage.
    var loggedErrors: Int { Int(cff_tally_errors(tally)) }

    var firstLoggedError: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 200) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            cff_tally_first(tally, base, Int32(buffer.count))
            let line = String(cString: base)
            // Less FFmpeg's prefix, which holds an address: messages are the same on every run.
            guard line.hasPrefix("["), let end = line.firstRange(of: "] ") else { return line }
            return String(line[end.upperBound...])
        }
    }
}
