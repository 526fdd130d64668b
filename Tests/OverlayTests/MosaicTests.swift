import Core
import Overlay
import Testing

@Suite struct MosaicTests {
    /// A picture of noise in one block of memory.
    private final class Noise {
        let width: Int
        let height: Int
        private let memory: UnsafeMutableBufferPointer<UInt8>

        init(width: Int, height: Int) {
            self.width = width
            self.height = height
            memory = .allocate(capacity: width * height * 2)
            var random = UInt64(7)
            for i in memory.indices {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                memory[i] = UInt8(truncatingIfNeeded: random >> 56)
            }
        }

        deinit { memory.deallocate() }

        func picture() throws -> PlanarPicture {
            let base = try #require(memory.baseAddress), half = (width + 1) / 2, lines = (height + 1) / 2
            return PlanarPicture(
                y: MutableImageView(base: base, width: width, height: height, strideBytes: width),
                u: MutableImageView(base: base + width * height, width: half, height: lines, strideBytes: half),
                v: MutableImageView(
                    base: base + width * height + half * lines, width: half, height: lines, strideBytes: half),
                range: .limited)
        }

        var luma: [UInt8] { Array(memory[..<(width * height)]) }
    }

    private func face(_ box: Box, id: Int = 1) -> FaceObservation {
        FaceObservation(id: id, box: box, confidence: 1, landmarks: nil, probabilities: nil, status: .detected)
    }

    /// Columns of the picture's middle row that `draw` changed.
    private func changed(_ width: Int = 200, _ draw: (PlanarPicture) -> Void) throws -> Range<Int> {
        let noise = Noise(width: width, height: 120), before = noise.luma
        draw(try noise.picture())
        let row = (60 * width)..<(61 * width)
        let touched = row.filter { before[$0] != noise.luma[$0] }.map { $0 - 60 * width }
        return (touched.first ?? 0)..<((touched.last ?? -1) + 1)
    }

    @Test func `a face's surroundings are covered and the rest is left alone`() throws {
        var mosaic = Mosaic()
        let columns = try changed {
            mosaic.cover([face(Box(x: 80, y: 40, width: 40, height: 40))], at: .zero, on: $0)
        }
        #expect((68...72).contains(columns.lowerBound) && (128...130).contains(columns.upperBound), "\(columns)")
    }

    @Test func `a lost face stays covered for a second, and more and more of it`() throws {
        var mosaic = Mosaic()
        let box = Box(x: 80, y: 40, width: 40, height: 40)
        let first = try changed { mosaic.cover([face(box)], at: .zero, on: $0) }
        var widths: [Int] = [first.count]
        for time in [400_000, 800_000, 1_000_000] as [Int64] {
            widths.append(try changed { mosaic.cover([], at: Timestamp(microseconds: time), on: $0) }.count)
        }
        #expect(widths == widths.sorted() && widths[3] > widths[0], "\(widths)")
        #expect(try changed { mosaic.cover([], at: Timestamp(microseconds: 1_000_001), on: $0) }.isEmpty)
    }

    @Test func `boxes over the edge, of no size and of no number are harmless`() throws {
        var mosaic = Mosaic()
        let boxes = [
            Box(x: -500, y: -500, width: 20, height: 20), Box(x: 190, y: 110, width: 90, height: 90),
            Box(x: 0, y: 0, width: 0, height: 5), Box(x: .nan, y: 0, width: 5, height: 5),
            Box(x: 0, y: 0, width: .infinity, height: 5), Box(x: -5, y: -5, width: 1, height: 1),
        ]
        _ = try changed { picture in
            mosaic.cover(boxes.enumerated().map { face($1, id: $0) }, at: .zero, on: picture)
        }
        for (width, height) in [(1, 1), (2, 3), (7, 2)] {
            let noise = Noise(width: width, height: height)
            mosaic.cover([face(Box(x: 0, y: 0, width: 9, height: 9))], at: .zero, on: try noise.picture())
        }
    }
}

@Suite struct NoticeTests {
    /// Rows from the top that a notice takes of a black picture.
    private func rows(_ notice: String, width: Int) throws -> Int {
        let height = 240, bytes = width * height
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes * 2)
        defer { memory.deallocate() }
        memory.initialize(repeating: 100)
        let base = try #require(memory.baseAddress)
        var painter = Painter(labels: ["happy"], notice: notice)
        painter.draw(
            FrameResult(index: 0, time: .zero, faces: []),
            on: PlanarPicture(
                y: MutableImageView(base: base, width: width, height: height, strideBytes: width),
                u: MutableImageView(base: base + bytes, width: width / 2, height: height / 2, strideBytes: width / 2),
                v: MutableImageView(
                    base: base + bytes + bytes / 4, width: width / 2, height: height / 2, strideBytes: width / 2),
                range: .limited))
        return (0..<height / 2).reversed().first { y in (0..<width).contains { memory[y * width + $0] != 100 } } ?? 0
    }

    @Test func `a long notice is broken into lines, and never fills the picture`() throws {
        let short = try rows("recorded", width: 320), long = "this camera looks at expressions for a study of adverts"
        #expect(short > 5)
        #expect(try rows(long, width: 320) > short)
        #expect(try rows(long, width: 160) > rows(long, width: 320))
        let endless = Array(repeating: "word", count: 5000).joined(separator: " ")
        #expect(try rows(endless, width: 160) <= 120)
    }

    @Test func `a notice in other letters is drawn as far as it can be`() throws {
        #expect(try rows("Gesichtsausdrücke werden ausgewertet – für eine Prüfung", width: 640) > 5)
        #expect(try rows("表情を分析しています\n\u{7}", width: 640) > 5)
        _ = try rows("", width: 640)
    }
}
