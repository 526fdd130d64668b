import Media
import Testing

@Suite struct PictureHeaderTests {
    private func header(_ bytes: [UInt8]) -> PictureHeader? {
        PictureHeader { offset, count in
            offset >= 0 && offset < bytes.count ? Array(bytes[offset..<min(bytes.count, offset + max(count, 0))]) : []
        }
    }

    @Test func `a PNG's size is read`() {
        let png: [UInt8] =
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
            + [0, 0, 0x75, 0x30, 0, 0, 0, 7, 8, 2, 0, 0, 0]
        #expect(header(png)?.width == 30_000 && header(png)?.height == 7)
    }

    @Test func `a TIFF of either byte order gives size and orientation`() {
        let big: [UInt8] =
            Array("MM\0*".utf8) + [0, 0, 0, 8, 0, 2, 1, 0, 0, 3, 0, 0, 0, 1, 0, 9, 0, 0]
            + [1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]
        #expect(header(big)?.width == 9 && header(big)?.exifOrientation == 6)
    }

    @Test func `no bytes crash it`() {
        var random = SeededGenerator(state: 99)
        let starts: [[UInt8]] = [
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], [0xFF, 0xD8, 0xFF], Array("RIFF....WEBP".utf8),
            Array("GIF8".utf8),
            Array("BM".utf8), Array("II*\0".utf8), Array("MM\0*".utf8),
            Array("RIFF....WEBPEXIF".utf8) + [255, 255, 255, 255], Array("MM\0*".utf8) + [255, 255, 255, 250],
        ]
        for start in starts {
            for _ in 0..<300 {
                let rest = (0..<Int.random(in: 0...90, using: &random)).map { _ in
                    [0, 1, 255, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
                }
                _ = header(start + rest)
            }
            _ = header(start)
        }
        #expect(header([]) == nil)
    }
}
