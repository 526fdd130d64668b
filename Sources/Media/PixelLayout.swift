// Which pixel formats leave Media as they are, and what the others become.

import CFFmpeg

/// What of a pixel format matters here.
struct PixelLayout {
    /// Without the "j" of full-range formats, which is the same layout.
    let format: AVPixelFormat
    let isPlanar8: Bool
    let hasAlpha: Bool
    let isRGB: Bool
    let isGrey: Bool
    let chromaShiftX: Int
    let chromaShiftY: Int
    /// The "j" formats say full range by their name.
    let isNamedFullRange: Bool

    init?(_ raw: Int32) {
        let given = AVPixelFormat(rawValue: raw)
        guard let description = av_pix_fmt_desc_get(given)?.pointee,
            description.flags & UInt64(AV_PIX_FMT_FLAG_HWACCEL) == 0
        else { return nil }
        format = plainFormats[given.rawValue] ?? given
        isNamedFullRange = plainFormats[given.rawValue] != nil
        // A palette may have transparent entries.
        let isPalette = description.flags & UInt64(AV_PIX_FMT_FLAG_PAL) != 0
        hasAlpha = isPalette || description.flags & UInt64(AV_PIX_FMT_FLAG_ALPHA) != 0
        let isBitmap = given == AV_PIX_FMT_MONOBLACK || given == AV_PIX_FMT_MONOWHITE
        isRGB = isPalette || isBitmap || description.flags & UInt64(AV_PIX_FMT_FLAG_RGB) != 0
        isGrey = !isRGB && description.nb_components <= 2
        chromaShiftX = Int(description.log2_chroma_w)
        chromaShiftY = Int(description.log2_chroma_h)
        isPlanar8 = passing.contains(format.rawValue)
    }

    /// What a frame of this layout is converted to, before alpha is composed and the picture is turned.
    var conversionTarget: AVPixelFormat {
        if hasAlpha { return AV_PIX_FMT_YUVA444P }
        if isGrey { return AV_PIX_FMT_GRAY8 }
        if isRGB { return AV_PIX_FMT_YUV420P }
        return switch (chromaShiftX, chromaShiftY) {
        case (0, 0): AV_PIX_FMT_YUV444P
        case (1, 0): AV_PIX_FMT_YUV422P
        case (0, 1): AV_PIX_FMT_YUV440P
        default: AV_PIX_FMT_YUV420P
        }
    }

    /// This layout after exchanging x and y; nil where there is no such format.
    var transposed: AVPixelFormat? {
        if isGrey { return format }
        return switch (chromaShiftX, chromaShiftY) {
        case (0, 0), (1, 1), (2, 2): format
        case (1, 0): AV_PIX_FMT_YUV440P
        case (0, 1): AV_PIX_FMT_YUV422P
        default: nil
        }
    }
}

private let passing: Set<Int32> = Set(
    [
        AV_PIX_FMT_GRAY8, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV440P,
        AV_PIX_FMT_YUV411P, AV_PIX_FMT_YUV410P,
    ].map(\.rawValue))

private let plainFormats: [Int32: AVPixelFormat] = [
    AV_PIX_FMT_YUVJ420P.rawValue: AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ422P.rawValue: AV_PIX_FMT_YUV422P,
    AV_PIX_FMT_YUVJ444P.rawValue: AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUVJ440P.rawValue: AV_PIX_FMT_YUV440P,
    AV_PIX_FMT_YUVJ411P.rawValue: AV_PIX_FMT_YUV411P,
]
