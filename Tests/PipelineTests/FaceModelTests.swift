// Our own detector's file on both engines: parity, odd pictures, odd files.

import Core
import Faces
import Foundation
import Inference
import Pipeline
import Results
import TestSupport
import Testing

private let tiny = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Golden/models/detector_tiny_64x96.onnx").path

/// The detector that comes along, where it does.
private let shipped = ModelSearch(
    environment: Sample.root.appending(path: "Sources/emotiond/Models").path, executable: "/nowhere/emotiond"
).find(ModelSearch.faceNames)?.path
private let notShipped: Comment = "no faces.onnx comes along yet"

private struct Picture: CustomStringConvertible {
    let width: Int, height: Int, pixels: [UInt8]
    var description: String { "\(width)x\(height)" }

    init(_ width: Int, _ height: Int, _ value: (Int, Int) -> UInt8) {
        (self.width, self.height) = (width, height)
        pixels = (0..<width * height).map { value($0 % width, $0 / width) }
    }

    init(_ width: Int, _ height: Int, filledWith value: UInt8) {
        (self.width, self.height) = (width, height)
        pixels = [UInt8](repeating: value, count: width * height)
    }

    func withView<Result>(_ body: (ImageView) throws -> Result) throws -> Result {
        try pixels.withUnsafeBufferPointer {
            let base = try #require($0.baseAddress)
            return try body(ImageView(base: base, width: width, height: height, strideBytes: width))
        }
    }

    static func noise(_ width: Int, _ height: Int, using random: inout SeededGenerator) -> Picture {
        var state = random
        defer { random = state }
        return Picture(width, height) { _, _ in UInt8.random(in: 0...255, using: &state) }
    }

    /// Soft bumps, which give a net of chance something to answer differently to.
    static func waves(_ width: Int, _ height: Int, _ step: Int) -> Picture {
        Picture(width, height) { x, y in UInt8(truncatingIfNeeded: x &* x / (step + 3) &+ y &* step &+ (x ^ y)) }
    }
}

@Suite(.serialized) struct FaceModelTests {
    init() { OpenCV.configure(threads: 1) }

    private func detector(_ engine: EngineChoice, _ path: String = tiny) throws -> OwnDetector {
        try FaceModel(path: Array(path.utf8)).detector(engine, level: KernelLevel.best().level)
    }

    private func values(_ detector: OwnDetector) throws -> [[Float]] {
        try OwnDetector.outputNames.indices.map { place in
            let cells = try #require(detector.engine.output(place))
            return (0..<cells.cells).flatMap { cell in
                (0..<cells.channels).map { cells.base[cell * cells.stride + $0] }
            }
        }
    }

    @Test(arguments: [tiny, shipped].compactMap { $0 })
    func `both engines give the same values and the same boxes`(path: String) throws {
        let native = try detector(.native, path), opencv = try detector(.opencv, path)
        var faces = 0
        // Sizes come again, so that plans are used again.
        for (step, (width, height)) in [(640, 360), (96, 64), (640, 360), (33, 65), (1, 1), (320, 20), (96, 64)]
            .enumerated()
        {
            let picture = Picture.waves(width, height, step)
            let ours = try picture.withView { try native.detect($0, minimumScore: 0.5) }
            let theirs = try picture.withView { try opencv.detect($0, minimumScore: 0.5) }
            for (place, (a, b)) in zip(try values(native), try values(opencv)).enumerated() {
                try #require(a.count == b.count)
                let largest = a.map(\.magnitude).max() ?? 0
                let off = zip(a, b).map { ($0 - $1).magnitude }.max() ?? 0
                #expect(off <= 1e-4 * max(largest, 1), "\(OwnDetector.outputNames[place]) of \(picture): off by \(off)")
            }
            faces += ours.count
            #expect(ours.count == theirs.count, "\(picture)")
            // Faces of nearly one score may change places.
            for face in ours {
                let partner = theirs.max { $0.box.overlap(with: face.box) < $1.box.overlap(with: face.box) }
                #expect((partner?.box.overlap(with: face.box) ?? 0) > 0.99, "\(face) of \(picture)")
                #expect(abs((partner?.score ?? 0) - face.score) < 1e-3, "\(face) of \(picture)")
            }
        }
        #expect(path != tiny || faces > 10, "a net of chance answers something")
    }

    @Test(arguments: [EngineChoice.native, .opencv])
    func `odd pictures are no crash, and each is answered as if it were the first`(engine: EngineChoice) throws {
        var random = SeededGenerator(TestSeed.current)
        let used = try detector(engine)
        let pictures =
            [(1, 1), (16, 16), (1280, 128), (128, 1280), (31, 33), (1, 640)].flatMap { width, height in
                [
                    Picture.noise(width, height, using: &random), Picture(width, height) { _, _ in 0 },
                    Picture(width, height) { _, _ in 255 },
                ]
            }
        for picture in pictures {
            let again = try picture.withView { try used.detect($0, minimumScore: 0.3) }
            let first = try picture.withView { try detector(engine).detect($0, minimumScore: 0.3) }
            #expect(again == first, "\(picture)")
        }
    }

    @Test func `a picture of 8K is looked at as a whole`() throws {
        let picture = Picture(7680, 4320, filledWith: 90)
        _ = try picture.withView { try detector(.native).detect($0, minimumScore: 0.9) }
    }

    @Test func `a picture beyond the engine's memory is an error with a way out`() throws {
        let native = try detector(.native), byte: [UInt8] = [0]
        let error = byte.withUnsafeBufferPointer { buffer -> FacesError? in
            guard let base = buffer.baseAddress else { return nil }
            // Never read: the plan is refused first.
            let view = ImageView(base: base, width: 1 << 19, height: 1 << 19, strideBytes: 1 << 19)
            return #expect(throws: FacesError.self) { try native.detect(view) }
        }
        #expect(error?.description.contains("--detect-size") == true)
    }

    @Test(.enabled(if: shipped != nil, notShipped))
    func `the layers that are told of are those of the picture, not of its half`() throws {
        let detector = try detector(.native, try #require(shipped))
        _ = try Picture(640, 360, filledWith: 90).withView { try detector.detect($0) }
        let engine = try #require(detector.engine as? any ProfiledEngine)
        let layers = engine.callTimes(repeats: 1, clock: { 0 })
        // As training/detector/nets.py counts them for 640 x 384: training/reports/detector/settings.json.
        #expect(layers.map(\.multiplications).reduce(0, +) == 192_061_440)
    }

    @Test(.enabled(if: shipped != nil, notShipped))
    func `no face is found in a thousand pictures of noise and patterns`() throws {
        let detector = try detector(.native, try #require(shipped))
        var random = SeededGenerator(TestSeed.current)
        for round in 0..<1000 {
            let (a, b) = (Int.random(in: 1...40, using: &random), Int.random(in: 1...40, using: &random))
            let grain = 1 + round % 7, columns = 320 / grain + 1
            let noise = (0..<columns * (192 / grain + 1)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let picture = Picture(320, 192) { x, y in
                switch round % 4 {
                case 0: noise[y / grain * columns + x / grain]
                case 1: (x / a + y / b) % 2 == 0 ? 255 : 0
                case 2: UInt8(truncatingIfNeeded: x &* a &+ y &* b)
                default: UInt8(truncatingIfNeeded: (x &* x &+ y &* y) / (a &* 16))
                }
            }
            let faces = try picture.withView { try detector.detect($0) }
            #expect(faces.isEmpty, "round \(round): \(faces), seed \(random.seed)")
        }
    }

    // MARK: files

    /// The tiny model with some of its bytes replaced by as many others.
    private func refusal(_ old: String, _ new: String) throws -> String {
        precondition(old.utf8.count == new.utf8.count)
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: tiny)))
        let pattern = Array(old.utf8)
        var found = 0
        for start in bytes.indices.dropLast(pattern.count)
        where bytes[start..<start + pattern.count].elementsEqual(pattern) {
            bytes.replaceSubrange(start..<start + pattern.count, with: new.utf8)
            found += 1
        }
        try #require(found > 0, "\(old) is not in the file")
        let path = NSTemporaryDirectory() + "faces-\(UUID().uuidString).onnx"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        do throws(PipelineError) {
            _ = try FaceModel(path: Array(path.utf8)).detector(.native, level: .scalar)
            return "(accepted)"
        } catch {
            #expect(error.exit == .configuration && error.description.contains(path))
            return error.description
        }
    }

    @Test(arguments: [
        ("emotiond.kind", "emotiond.kinf", "no emotiond.kind"), ("face-detector", "face-detectos", "face-detectos"),
        ("input.mean", "input.meam", "lack input.mean"), ("input.scale", "input.scalf", "lack input.scale"),
        ("score.threshold", "score.threshole", "lack score.threshold"), ("0.60", "1.60", "between 0 and 1"),
        ("127.5", "127,5", "no number"), ("cls_8", "clz_8", "YuNet's shapes"),
    ])
    func `a file that lacks something is refused with a reason`(old: String, new: String, says: String) throws {
        let message = try refusal(old, new)
        #expect(message.contains(says), "\(message)")
    }

    @Test func `weights that are not those of the checksum are refused`() throws {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: tiny)))
        bytes[bytes.count / 3] ^= 1
        let path = NSTemporaryDirectory() + "faces-\(UUID().uuidString).onnx"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: PipelineError.self) { try FaceModel(path: Array(path.utf8)) }
    }
}
