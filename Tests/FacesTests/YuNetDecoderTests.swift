import Core
import Faces
import Foundation
import Testing

/// Outputs of an empty picture of 64 x 32, to be written into.
private struct Outputs {
    var classes: [[Float]] = []
    var objects: [[Float]] = []
    var boxes: [[Float]] = []
    var points: [[Float]] = []

    init() {
        for stride in YuNetDecoder.strides {
            let cells = 64 / stride * (32 / stride)
            classes.append([Float](repeating: 0, count: cells))
            objects.append([Float](repeating: 0, count: cells))
            boxes.append([Float](repeating: 0, count: cells * 4))
            points.append([Float](repeating: 0, count: cells * 10))
        }
    }

    mutating func put(head: Int, cell: Int, class: Float, object: Float, box: [Float], points: [Float]) {
        classes[head][cell] = `class`
        objects[head][cell] = object
        boxes[head].replaceSubrange(cell * 4..<cell * 4 + 4, with: box)
        self.points[head].replaceSubrange(cell * 10..<cell * 10 + 10, with: points)
    }

    func decode(minimumScore: Float = 0.6) throws -> [Detection] {
        var heads: [YuNetDecoder.Head] = []
        return try withExtendedLifetime(self) {
            for (index, stride) in YuNetDecoder.strides.enumerated() {
                heads.append(
                    try #require(
                        YuNetDecoder.Head(
                            stride: stride, columns: 64 / stride, rows: 32 / stride,
                            classes: copy(classes[index]), objects: copy(objects[index]), boxes: copy(boxes[index]),
                            points: copy(points[index]))))
            }
            defer { for head in heads { free(head) } }
            return YuNetDecoder(minimumScore: minimumScore, overlap: 0.3, exponential: { expf($0) }).decode(heads)
        }
    }

    private func copy(_ values: [Float]) -> UnsafeBufferPointer<Float> {
        let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
        _ = buffer.initialize(from: values)
        return UnsafeBufferPointer(buffer)
    }

    private func free(_ head: YuNetDecoder.Head) {
        for buffer in [head.classes, head.objects, head.boxes, head.points] { buffer.deallocate() }
    }
}

@Test func `a cell becomes the box and the points that its offsets say`() throws {
    var outputs = Outputs()
    // Stride 8: 8 columns; cell 19 is column 3, row 2.
    outputs.put(
        head: 0, cell: 19, class: 0.81, object: 1, box: [0.5, 0.25, logf(2), logf(3)],
        points: [0, 0, 1, 0, 0.5, 0.5, 0, 1, 1, 1])
    let faces = try outputs.decode()
    let face = try #require(faces.first)
    #expect(faces.count == 1)
    #expect(abs(face.score - 0.9) < 1e-6)
    #expect(abs(face.box.width - 16) < 1e-4 && abs(face.box.height - 24) < 1e-4)
    #expect(abs(face.box.x - (28 - 8)) < 1e-4 && abs(face.box.y - (18 - 12)) < 1e-4)
    #expect(face.landmarks?.rightEye == Point(x: 24, y: 16))
    #expect(face.landmarks?.nose == Point(x: 28, y: 20))
    #expect(face.landmarks?.leftMouth == Point(x: 32, y: 24))
}

@Test func `cells below the score, with NaN or without end are no faces`() throws {
    var outputs = Outputs()
    let points = [Float](repeating: 0, count: 10)
    outputs.put(head: 0, cell: 0, class: 0.5, object: 0.5, box: [0, 0, 1, 1], points: points)
    outputs.put(head: 0, cell: 5, class: .nan, object: 1, box: [0, 0, 1, 1], points: points)
    outputs.put(head: 1, cell: 1, class: 1, object: 1, box: [0, 0, .infinity, 1], points: points)
    outputs.put(head: 2, cell: 0, class: 1, object: 1, box: [.nan, 0, 1, 1], points: points)
    #expect(try outputs.decode().isEmpty)
}

@Test func `one face in two heads is found once, by its better score`() throws {
    var outputs = Outputs()
    let points = [Float](repeating: 0, count: 10)
    outputs.put(head: 0, cell: 0, class: 0.7, object: 0.7, box: [1, 1, logf(2), logf(2)], points: points)
    outputs.put(head: 1, cell: 0, class: 0.9, object: 0.9, box: [0.5, 0.5, 0, 0], points: points)
    let faces = try outputs.decode()
    #expect(faces.count == 1)
    #expect(abs((faces.first?.score ?? 0) - 0.9) < 1e-6)
}

@Test func `buffers of another size make no head`() {
    let none = UnsafeBufferPointer<Float>(start: nil, count: 0)
    #expect(
        YuNetDecoder.Head(stride: 8, columns: 1, rows: 1, classes: none, objects: none, boxes: none, points: none)
            == nil)
}
