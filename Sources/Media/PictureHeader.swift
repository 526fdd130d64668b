// What a picture file claims about itself, read by us before FFmpeg sees it: the size, so that a bomb is refused with
// the limit's name, and the EXIF orientation of PNG, WebP and TIFF, which FFmpeg 5.1 does not report (that of JPEG
// comes with the frame). All claims are doubted; nothing is read but a few short pieces.

package struct PictureHeader: Equatable, Sendable {
    package var width: Int?
    package var height: Int?
    /// As stored: 1 to 8 mean something.
    package var exifOrientation: Int?

    /// Bytes at an offset, fewer at the end.
    package typealias Reader = (_ offset: Int, _ count: Int) -> [UInt8]

    /// Longest walk through chunks or segments.
    private static let maximumSteps = 4096

    /// Nil where the bytes are none of the formats known here.
    package init?(_ read: Reader) {
        let start = read(0, 32)
        if start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            readPNG(read)
        } else if start.starts(with: [0xFF, 0xD8, 0xFF]) {
            readJPEG(read)
        } else if start.starts(with: Array("RIFF".utf8)), start.dropFirst(8).starts(with: Array("WEBP".utf8)) {
            readWebP(read)
        } else if start.starts(with: Array("GIF8".utf8)) {
            (width, height) = (start.little16(6), start.little16(8))
        } else if start.starts(with: Array("BM".utf8)) {
            readBMP(start)
        } else if start.starts(with: Array("II*\0".utf8)) || start.starts(with: Array("MM\0*".utf8)) {
            readTIFF(read)
        } else {
            return nil
        }
    }

    private mutating func readPNG(_ read: Reader) {
        var offset = 8
        for _ in 0..<Self.maximumSteps {
            let head = read(offset, 8)
            guard let length = head.big32(0), head.count == 8 else { return }
            switch String(decoding: head[4..<8], as: UTF8.self) {
            case "IHDR":
                let body = read(offset + 8, 8)
                (width, height) = (body.big32(0), body.big32(4))
            case "eXIf":
                exifOrientation =
                    TIFFDirectory { at, count in read(offset + 8 + at, min(count, length - at)) }?.orientation
            case "IEND":
                return
            default:
                break
            }
            offset += 12 + length
        }
    }

    private mutating func readJPEG(_ read: Reader) {
        var offset = 2
        for _ in 0..<Self.maximumSteps {
            let head = read(offset, 9)
            guard head.count == 9, head[0] == 0xFF, let length = head.big16(2) else { return }
            let marker = head[1]
            if marker == 0xFF {  // fill byte
                offset += 1
            } else if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker) {
                (height, width) = (head.big16(5), head.big16(7))
                return
            } else if marker == 0xDA || marker == 0xD9 {
                return
            } else {
                offset += 2 + max(length, 2)
            }
        }
    }

    private mutating func readWebP(_ read: Reader) {
        var offset = 12
        for _ in 0..<Self.maximumSteps {
            let head = read(offset, 18)
            guard let length = head.little32(4) else { return }
            switch String(decoding: head[0..<4], as: UTF8.self) {
            case "VP8X":
                (width, height) = (head.little24(12).map { $0 + 1 }, head.little24(15).map { $0 + 1 })
            case "VP8L" where width == nil:
                guard let bits = head.little32(9) else { return }
                (width, height) = ((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
            case "VP8 " where width == nil:
                (width, height) = (head.little16(14).map { $0 & 0x3FFF }, head.little16(16).map { $0 & 0x3FFF })
            case "EXIF":
                // Some writers keep JPEG's six-byte mark in front.
                let skip = read(offset + 8, 6) == Array("Exif\0\0".utf8) ? 6 : 0
                exifOrientation =
                    TIFFDirectory { at, count in read(offset + 8 + skip + at, min(count, length - at)) }?.orientation
            default:
                break
            }
            offset += 8 + length + length % 2
        }
    }

    private mutating func readBMP(_ start: [UInt8]) {
        guard let headerBytes = start.little32(14) else { return }
        if headerBytes == 12 {
            (width, height) = (start.little16(18), start.little16(20))
        } else {
            // Negative height: rows from top to bottom.
            width = start.little32(18).map { Int(Int32(truncatingIfNeeded: $0).magnitude) }
            height = start.little32(22).map { Int(Int32(truncatingIfNeeded: $0).magnitude) }
        }
    }

    private mutating func readTIFF(_ read: Reader) {
        guard let directory = TIFFDirectory(read) else { return }
        (width, height, exifOrientation) = (directory.width, directory.height, directory.orientation)
    }
}

/// The first directory of a TIFF file, which is also what EXIF is.
private struct TIFFDirectory {
    var width: Int?
    var height: Int?
    var orientation: Int?

    init?(_ read: PictureHeader.Reader) {
        let head = read(0, 8)
        guard head.count == 8, head[0] == head[1], head[0] == 0x49 || head[0] == 0x4D else { return nil }
        let isLittle = head[0] == 0x49
        guard let offset = isLittle ? head.little32(4) : head.big32(4) else { return nil }
        let countBytes = read(offset, 2)
        guard let count = isLittle ? countBytes.little16(0) : countBytes.big16(0) else { return nil }
        let entries = read(offset + 2, 12 * min(count, 512))
        for entry in stride(from: 0, to: entries.count - 11, by: 12) {
            let tag = isLittle ? entries.little16(entry) : entries.big16(entry)
            let type = isLittle ? entries.little16(entry + 2) : entries.big16(entry + 2)
            let short = isLittle ? entries.little16(entry + 8) : entries.big16(entry + 8)
            let long = isLittle ? entries.little32(entry + 8) : entries.big32(entry + 8)
            let value = type == 3 ? short : type == 4 ? long : nil
            switch tag {
            case 256: width = value
            case 257: height = value
            case 274: orientation = value
            default: break
            }
        }
    }
}

extension [UInt8] {
    fileprivate func number(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
        offset >= 0 && offset + count <= self.count ? self[offset..<offset + count] : nil
    }
    fileprivate func big(_ offset: Int, _ count: Int) -> Int? { number(offset, count)?.reduce(0) { $0 << 8 | Int($1) } }
    fileprivate func little(_ offset: Int, _ count: Int) -> Int? {
        number(offset, count)?.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    fileprivate func big16(_ offset: Int) -> Int? { big(offset, 2) }
    fileprivate func big32(_ offset: Int) -> Int? { big(offset, 4) }
    fileprivate func little16(_ offset: Int) -> Int? { little(offset, 2) }
    fileprivate func little24(_ offset: Int) -> Int? { little(offset, 3) }
    fileprivate func little32(_ offset: Int) -> Int? { little(offset, 4) }
}
