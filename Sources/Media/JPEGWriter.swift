// One picture → one JPEG file: annotated.jpg and the frames that were asked for.

import CFFmpeg
import CFFmpegShims
import Core

/// - Parameter quality: 1…100 as usual; 90 is good.
package func writeJPEG(_ picture: WritablePicture, path: [UInt8], quality: Int = 90) throws(MediaError) {
    cff_log_install()
    let full = try fullRange(picture)
    guard let codec = avcodec_find_encoder_by_name("mjpeg") else { throw .noEncoder(names: ["mjpeg"]) }
    guard let context = avcodec_alloc_context3(codec) else { throw .outOfMemory(whatFor: "an encoder") }
    var freeing: UnsafeMutablePointer<AVCodecContext>? = context
    defer { avcodec_free_context(&freeing) }
    context.pointee.width = Int32(picture.width)
    context.pointee.height = Int32(picture.height)
    context.pointee.pix_fmt = AV_PIX_FMT_YUVJ420P
    context.pointee.color_range = AVCOL_RANGE_JPEG
    context.pointee.time_base = AVRational(num: 1, den: 25)
    context.pointee.thread_count = 1
    context.pointee.flags |= Int32(AV_CODEC_FLAG_QSCALE)
    // FFmpeg's scale runs from 2 (best) to 31.
    let scale = 2 + (100 - min(max(quality, 1), 100)) * 29 / 99
    context.pointee.global_quality = Int32(scale) * FF_QP2LAMBDA
    var code = avcodec_open2(context, codec, nil)
    if code < 0 { throw .libraryFailed(operation: "opening the JPEG encoder", code: code) }

    full.raw.pointee.format = AV_PIX_FMT_YUVJ420P.rawValue
    full.raw.pointee.quality = context.pointee.global_quality
    full.raw.pointee.pts = 0
    defer { full.raw.pointee.format = AV_PIX_FMT_YUV420P.rawValue }
    let packet = try Packet()
    code = avcodec_send_frame(context, full.raw)
    if code >= 0 { code = avcodec_receive_packet(context, packet.raw) }
    if code == cff_error_of_errno(11) {
        avcodec_send_frame(context, nil)
        code = avcodec_receive_packet(context, packet.raw)
    }
    if code < 0 { throw .libraryFailed(operation: "encoding a JPEG", code: code) }

    let file = try OutputFile(path: path)
    guard let io = file.io else { return }
    avio_write(io, packet.raw.pointee.data, packet.raw.pointee.size)
    avio_flush(io)
    if io.pointee.error < 0 || file.failure != 0 {
        file.remove()
        throw file.error(io.pointee.error)
    }
}

/// JPEG is full range; pictures made for it are already.
private func fullRange(_ picture: WritablePicture) throws(MediaError) -> FramePixels {
    if picture.range == .full { return picture.pixels }
    let target = try FramePixels(format: AV_PIX_FMT_YUV420P, width: picture.width, height: picture.height)
    func side(_ isFull: Bool) -> ScalerKey.Side {
        .init(
            width: picture.width, height: picture.height, format: AV_PIX_FMT_YUV420P.rawValue, isFullRange: isFull)
    }
    let planes = target.planes
    try Scaler(ScalerKey(source: side(false), target: side(true)))
        .run(from: picture.pixels.raw, to: planes.map(\.base), strides: planes.map { Int32($0.strideBytes) })
    return target
}
