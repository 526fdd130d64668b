import COpenCV
import Core
import Faces
import Foundation
import Testing

/// Answers as it is told, cell by cell.
private final class ScriptedEngine: FrameEngine {
    let name = "scripted"
    private(set) var sizes: [[Int]] = []
    /// By place among the outputs; what is not there is zero.
    var cells: [Int: [Int: [Float]]] = [:]
    var missing: Int?
    var failure: (any Error)?
    private var memory: [UnsafeMutablePointer<Float>] = []
    private var outputs: [CellValues] = []

    deinit { for block in memory { block.deallocate() } }

    func run(_ luma: ImageView, width: Int, height: Int) throws {
        if let failure { throw failure }
        sizes.append([luma.width, luma.height, width, height])
        outputs = OwnDetector.outputChannels.enumerated().map { place, channels in
            let stride = YuNetDecoder.strides[place / 4], count = width / stride * (height / stride)
            // Boxes and points lie in something wider, as our engine has them.
            let step = channels == 1 ? 1 : 16
            let block = UnsafeMutablePointer<Float>.allocate(capacity: count * step)
            block.initialize(repeating: channels == 1 ? 0 : .nan, count: count * step)
            memory.append(block)
            for (cell, values) in cells[place] ?? [:] {
                for (index, value) in values.enumerated() { block[cell * step + index] = value }
            }
            return CellValues(base: block, cells: count, channels: channels, stride: step)
        }
    }

    func output(_ place: Int) -> CellValues? { place == missing ? nil : outputs[place] }
}

@Suite struct OwnDetectorTests {
    private let engine = ScriptedEngine()
    private var detector: OwnDetector { OwnDetector(engine: engine, score: 0.6) }

    @Test func `the engine gets sides that are multiples of 32, the picture as it is and its half`() throws {
        for (width, height) in [(640, 360), (1, 1), (16, 16), (32, 64), (3840, 384)] {
            _ = try detector.detect(Grey(width: width, height: height) { _, _ in 0 }.view)
        }
        #expect(
            engine.sizes == [
                [640, 360, 640, 384], [320, 180, 320, 192], [1, 1, 32, 32], [16, 16, 32, 32], [32, 64, 32, 64],
                [3840, 384, 3840, 384], [1920, 192, 1920, 192],
            ])
    }

    @Test func `the half adds large faces at their place in the picture, and only those`() throws {
        // In both pictures the same cells answer: column 1, row 1 of stride 32, with a box of 50 and one of 20 px.
        engine.cells = [
            8: [7: [1]], 9: [7: [0.81]], 10: [7: [0.5, 0.5, logf(50.0 / 32), logf(50.0 / 32)]],
            4: [44: [1]], 5: [44: [0.64]], 6: [44: [0.5, 0.5, logf(20.0 / 16), logf(20.0 / 16)]],
        ]
        let faces = try detector.detect(Grey(width: 384, height: 384) { _, _ in 0 }.view)
        let sides = faces.map { ($0.box.width * 10).rounded() / 10 }
        // 12 cells a row in the picture, 6 in the half: cell 7 is column 7, row 0 there and column 1, row 1 here.
        #expect(sides.filter { $0 == 100 }.count == 1)
        #expect(sides.filter { $0 == 40 }.isEmpty)
        let large = try #require(faces.first { $0.box.width > 99 })
        #expect(abs(large.box.centre.x - 96) < 1e-3 && abs(large.box.centre.y - 96) < 1e-3)
    }

    @Test func `a cell of the second stride becomes a face with its points`() throws {
        // 64 x 32 has 4 x 2 cells of stride 16; cell 5 is column 1, row 1.
        engine.cells = [
            4: [5: [0.81]], 5: [5: [1]], 6: [5: [0.5, 0.5, logf(2), logf(2)]],
            7: [5: [0, 0, 1, 0, 0.5, 0.5, 0, 1, 1, 1]],
        ]
        let face = try #require(try detector.detect(Grey(width: 64, height: 32) { _, _ in 0 }.view).first)
        #expect(abs(face.score - 0.9) < 1e-6)
        #expect(abs(face.box.x - 8) < 1e-4 && abs(face.box.y - 8) < 1e-4 && abs(face.box.width - 32) < 1e-4)
        #expect(face.landmarks?.leftEye == Point(x: 32, y: 16))
        #expect(face.landmarks?.leftMouth == Point(x: 32, y: 32))
    }

    @Test func `the file's threshold decides, unless another is asked for`() throws {
        let points = [Float](repeating: 0, count: 10)
        engine.cells = [0: [3: [0.5]], 1: [3: [0.5]], 2: [3: [0, 0, 1, 1]], 3: [3: points]]
        let picture = Grey(width: 64, height: 32) { _, _ in 0 }
        #expect(try detector.detect(picture.view).isEmpty)
        #expect(try detector.detect(picture.view, minimumScore: 0.4).count == 1)
    }

    @Test func `an engine that fails or lacks an output is an error that says so`() throws {
        let picture = Grey(width: 64, height: 32) { _, _ in 0 }
        engine.missing = 6
        #expect(throws: FacesError.network(reason: "its outputs do not have YuNet's shapes", width: 64, height: 32)) {
            try detector.detect(picture.view)
        }
        engine.failure = CocoaError(.fileNoSuchFile)
        let error = #expect(throws: FacesError.self) { try detector.detect(picture.view) }
        #expect(error?.description.contains("64x32") == true)
    }
}

@Test(arguments: 0..<200) func `our suppression keeps what OpenCV's keeps`(round: Int) throws {
    var random = SeededGenerator(seed: UInt64(round))
    let detections = (0..<Int.random(in: 1...60, using: &random)).map { _ in
        Detection(box: .random(using: &random), score: .random(in: 0.1...1, using: &random), landmarks: nil)
    }
    let boxes = detections.flatMap { [$0.box.x, $0.box.y, $0.box.width, $0.box.height] }
    var places = [Int32](repeating: 0, count: detections.count), kept = 0, error = ocv_error()
    let status = ocv_suppress(boxes, detections.map(\.score), detections.count, 0.45, &places, &kept, &error)
    #expect(status == ocv_ok)
    let ours = Suppression.keepBest(of: detections, overlap: 0.45)
    #expect(ours == places.prefix(kept).map { detections[Int($0)] }, "round \(round)")
}
