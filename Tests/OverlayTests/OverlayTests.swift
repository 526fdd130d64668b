import Core
import Overlay
import Testing

/// A 4:2:0 picture whose planes lie between guard bytes; rows are longer than the picture is wide.
private final class GuardedPicture {
    private static let guardBytes = 64, guardValue: UInt8 = 0xA5
    let width: Int
    let height: Int
    private let planes: [UnsafeMutableBufferPointer<UInt8>]
    private let sizes: [(width: Int, height: Int)]
    private let extra: Int

    init(width: Int, height: Int, extra: Int = 3, luma: UInt8 = 100, chroma: UInt8 = 128) {
        self.width = width
        self.height = height
        self.extra = extra
        let half = ((width + 1) / 2, (height + 1) / 2)
        sizes = [(width, height), half, half]
        planes = zip(sizes, [luma, chroma, chroma]).map { size, value in
            let stride = size.width + extra
            let memory = UnsafeMutableBufferPointer<UInt8>.allocate(
                capacity: stride * size.height + 2 * Self.guardBytes)
            memory.initialize(repeating: Self.guardValue)
            for y in 0..<size.height {
                for x in 0..<size.width { memory[Self.guardBytes + y * stride + x] = value }
            }
            return memory
        }
    }

    deinit { for plane in planes { plane.deallocate() } }

    func picture(_ range: LumaRange = .limited) throws -> PlanarPicture {
        let views = try (0..<3).map { index in
            MutableImageView(
                base: try #require(planes[index].baseAddress) + Self.guardBytes, width: sizes[index].width,
                height: sizes[index].height, strideBytes: sizes[index].width + extra)
        }
        return PlanarPicture(y: views[0], u: views[1], v: views[2], range: range)
    }

    /// Is everything that is no pixel as it was, the ends of the rows included?
    var guardsIntact: Bool {
        zip(planes, sizes).allSatisfy { plane, size in
            let stride = size.width + extra
            return plane.indices.allSatisfy { index in
                let at = index - Self.guardBytes
                let isPixel = at >= 0 && at < stride * size.height && at % stride < size.width
                return isPixel || plane[index] == Self.guardValue
            }
        }
    }

    func pixel(_ x: Int, _ y: Int) -> (y: UInt8, u: UInt8, v: UInt8) {
        let half = sizes[1].width + extra
        let chroma = Self.guardBytes + y / 2 * half + x / 2
        return (planes[0][Self.guardBytes + y * (width + extra) + x], planes[1][chroma], planes[2][chroma])
    }

    func luma(in columns: Range<Int>, _ rows: Range<Int>) -> [UInt8] {
        rows.flatMap { y in columns.map { pixel($0, y).y } }
    }
}

private func face(_ id: Int, _ box: Box, leading: Int = 3) -> FaceObservation {
    let values = (0..<7).map { $0 == leading ? Float(0.7) : 0.05 }
    return FaceObservation(
        id: id, box: box, confidence: 0.9, landmarks: nil, probabilities: Probabilities(values), status: .detected)
}

private func result(_ faces: [FaceObservation], seconds: Double = 0) -> FrameResult {
    FrameResult(index: 0, time: Timestamp(microseconds: Int64(seconds * 1e6)), faces: faces)
}

@Test func `nothing is written outside the planes at any size from 1 to 70`() throws {
    for size in 1...70 {
        for (width, height) in [(size, size), (size, 71 - size), (size * 4, size)] {
            let memory = GuardedPicture(width: width, height: height)
            var painter = Painter(labels: Emotion.names, notice: "no emotion model")
            let w = Float(width), h = Float(height)
            painter.draw(
                result([
                    face(1, Box(x: w / 4, y: h / 4, width: w / 2, height: h / 2)),
                    face(2, Box(x: -5, y: -5, width: w + 10, height: h + 10)),
                    face(3, Box(x: w - 1, y: h - 1, width: 40, height: 40)),
                ]), on: try memory.picture())
            #expect(memory.guardsIntact, "\(width)x\(height)")
        }
    }
}

@Test func `two hundred faces, and boxes anywhere, are drawn inside the picture`() throws {
    let memory = GuardedPicture(width: 333, height: 241)
    var painter = Painter(labels: Emotion.names)
    var faces = (0..<200).map { i in
        face(i + 1, Box(x: Float(i % 20) * 18 - 10, y: Float(i / 20) * 26 - 10, width: 15, height: 20), leading: i % 7)
    }
    for (i, value) in [Float.nan, .infinity, -.infinity, 1e30, -1e30, 1e9].enumerated() {
        faces.append(face(300 + i, Box(x: value, y: 0, width: 20, height: 20)))
        faces.append(face(400 + i, Box(x: 0, y: 0, width: value, height: value)))
    }
    faces.append(face(500, Box(x: 10, y: 10, width: 0, height: -3)))
    for _ in 0..<3 { painter.draw(result(faces), on: try memory.picture()) }
    #expect(memory.guardsIntact)
}

@Test(arguments: [LumaRange.limited, .full])
func `a box has the colour of its leading emotion and its inside stays as it was`(range: LumaRange) throws {
    let memory = GuardedPicture(width: 640, height: 360)
    var painter = Painter(labels: Emotion.names)
    painter.draw(
        result([face(1, Box(x: 200, y: 100, width: 100, height: 120), leading: Emotion.angry.rawValue)]),
        on: try memory.picture(range))
    let edge = memory.pixel(200, 150)
    #expect(edge.v > 180 && edge.u < 128, "red has much V and little U")
    #expect(memory.luma(in: 204..<296, 104..<216).allSatisfy { $0 == 100 }, "nothing covers the face")
    let values = memory.luma(in: 0..<640, 0..<360)
    if range == .limited { #expect(values.allSatisfy { (16...235).contains($0) }) }
    #expect(memory.luma(in: 200..<320, 84..<98).contains { $0 > 200 }, "the label stands above the box")
}

@Test func `a face without probabilities, or with labels of another model, gets its id only`() throws {
    let memory = GuardedPicture(width: 320, height: 240)
    var painter = Painter(labels: ["a", "b"])
    var bare = face(1, Box(x: 100, y: 80, width: 60, height: 60))
    bare.probabilities = nil
    painter.draw(
        result([bare, face(2, Box(x: 200, y: 80, width: 60, height: 60))]), on: try memory.picture())
    #expect(memory.guardsIntact)
    #expect(memory.pixel(100, 100).y > 200, "white")
}

@Test func `panels of a few faces cover no face`() throws {
    for (width, height) in [(640, 360), (1920, 1080), (360, 640)] {
        let memory = GuardedPicture(width: width, height: height)
        var painter = Painter(labels: Emotion.names)
        let side = Float(min(width, height)) / 4
        let boxes = (0..<2).map { Box(x: Float(width) * (0.1 + 0.45 * Float($0)), y: side, width: side, height: side) }
        painter.draw(result(boxes.enumerated().map { face($0 + 1, $1) }), on: try memory.picture())
        for box in boxes {
            let inside = memory.luma(
                in: Int(box.x) + 8..<Int(box.x + box.width) - 8, Int(box.y) + 8..<Int(box.y + box.height) - 8)
            #expect(inside.allSatisfy { $0 == 100 }, "\(width)x\(height)")
        }
    }
}

@Test func `the strip puts a face's emotion at its time, and leaves gaps where nobody was`() {
    var strip = TimeStrip(duration: Timestamp(microseconds: 10_000_000))
    let box = Box(x: 0, y: 0, width: 10, height: 10)
    for step in 0..<100 {
        let seconds = Double(step) / 10
        let faces = (30..<60).contains(step) ? [] : [face(1, box, leading: step < 30 ? 3 : 4)]
        strip.add(result(faces, seconds: seconds))
    }
    func label(at seconds: Double) -> Int? {
        strip.label(lane: 0, column: Int(seconds / 10 * Double(TimeStrip.columns)))
    }
    #expect(label(at: 1) == 3 && label(at: 8) == 4 && label(at: 4.5) == nil)
    #expect(strip.usedLanes == 1)
}

@Test func `lanes are reused, so that many faces in turn need one`() {
    var strip = TimeStrip(duration: nil)
    let box = Box(x: 0, y: 0, width: 10, height: 10)
    for id in 1...500 {
        strip.add(result([face(id, box)], seconds: Double(id)))
        strip.add(result([], seconds: Double(id) + 0.5))
    }
    #expect(strip.usedLanes == 1)
    strip.add(result((1...20).map { face($0, box) }, seconds: 1000))
    #expect(strip.usedLanes == TimeStrip.lanes)
    #expect(strip.cursor == TimeStrip.columns - 1)
}

@Test func `times before the start, far ahead and backwards do no harm`() {
    for duration in [nil, Timestamp(microseconds: 1), Timestamp(microseconds: .max)] {
        var strip = TimeStrip(start: Timestamp(microseconds: .min), duration: duration)
        for micros in [0, Int64.max, .min, 5, -5] {
            strip.add(
                FrameResult(
                    index: nil, time: Timestamp(microseconds: micros),
                    faces: [face(1, Box(x: 0, y: 0, width: 9, height: 9))]))
            #expect((0..<TimeStrip.columns).contains(strip.cursor))
        }
    }
}
