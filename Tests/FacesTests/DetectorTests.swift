import Core
import Faces
import Foundation
import Testing

private func load(_ name: String) throws(FacesError) -> any FaceDetector {
    try DetectorLoader.load(path: TestData.path(name))
}

private func sizes() -> [(Int, Int)] {
    [(1, 1), (2, 3), (16, 16), (31, 33), (57, 72), (64, 7), (7, 64), (96, 96), (129, 65), (640, 1), (1, 640)]
}

private let modelsMissing: Comment = "the YuNet models are not there (EMOTIOND_TEST_DATA)"
private let picturesMissing: Comment = "models, pictures or the ffmpeg command are not there (EMOTIOND_TEST_DATA)"
private let hasCascade = (try? CascadeDetector()) != nil

@Suite(.serialized) struct DetectorTests {
    init() { OpenCV.configure(threads: 1) }

    @Test(.enabled(if: TestData.hasModels, modelsMissing))
    func `the two YuNets are told apart by their outputs`() throws {
        #expect(try load(TestData.yunet2022) is YuNet2022Detector)
        #expect(try load(TestData.yunet2023) is YuNet2023Detector)
    }

    @Test(
        .enabled(if: TestData.hasPictures, picturesMissing),
        arguments: [TestData.yunet2022, TestData.yunet2023])
    func `five people are five faces and one person is one, with landmarks inside the box`(model: String) throws {
        let detector = try load(model)
        for (name, count) in [(TestData.fivePeople, 5), (TestData.onePerson, 1)] {
            let picture = try TestData.grey(ofJPEG: name)
            let scaler = LumaScaler()
            let scaled = try scaler.scale(picture.view, range: .full, longestSide: 640)
            let faces = try detector.detect(scaled.view)
            #expect(faces.count == count, "\(name) by \(detector.name)")
            for face in faces {
                let points = try #require(face.landmarks).points
                #expect(points.allSatisfy { $0.x > face.box.x && $0.x < face.box.x + face.box.width })
                #expect(points[0].x < points[1].x && points[0].y < points[3].y)
                #expect((detector.defaultScore...1).contains(face.score))
            }
        }
    }

    @Test(.enabled(if: TestData.hasPictures && hasCascade, picturesMissing))
    func `the cascade finds the single face about where YuNet does`() throws {
        let picture = try TestData.grey(ofJPEG: TestData.onePerson)
        let cascade = try CascadeDetector()
        let found = try cascade.detect(picture.view), sure = try load(TestData.yunet2023).detect(picture.view)
        let a = try #require(found.first), b = try #require(sure.first)
        let squareA = cascade.cropMapping.square(for: a.box)
        let landmarks = try #require(b.landmarks)
        let squareB = try #require(CropTemplate.fer2013.square(for: landmarks))
        #expect(squareA.box.overlap(with: squareB.box) > 0.7, "every detector feeds the same kind of crop")
    }

    @Test(
        .enabled(if: TestData.hasModels, modelsMissing),
        arguments: [TestData.yunet2022, TestData.yunet2023])
    func `black pictures of any size hold nobody`(model: String) throws {
        let detector = try load(model)
        for (width, height) in sizes() {
            let black = Grey(width: width, height: height) { _, _ in 0 }
            #expect(try detector.detect(black.view).isEmpty, "\(width)x\(height)")
        }
    }

    @Test(.enabled(if: hasCascade, "opencv-data is not installed"))
    func `the cascade takes black pictures of any size`() throws {
        let detector = try CascadeDetector()
        for (width, height) in sizes() {
            let black = Grey(width: width, height: height) { _, _ in 0 }
            #expect(try detector.detect(black.view).isEmpty, "\(width)x\(height)")
        }
    }

    @Test func `a cascade's score rises with the votes and stays below 1`() {
        let scores = stride(from: Float(0), through: 200, by: 1).map(CascadeDetector.score(votes:))
        #expect(zip(scores, scores.dropFirst()).allSatisfy { $0 < $1 })
        #expect(scores.allSatisfy { (0..<1).contains($0) })
    }

    @Test func `no cascade is an error that says what to install`() {
        let error = #expect(throws: FacesError.self) { try CascadeDetector(searching: ["/nowhere/a.xml"]) }
        #expect(error?.description.contains("opencv-data") == true)
        #expect(error?.description.contains("/nowhere/a.xml") == true)
    }

    @Test func `a missing, an empty, a text and a garbage file are errors that name the file`() throws {
        let missing = #expect(throws: FacesError.self) { try DetectorLoader.load(path: "/nowhere/yunet.onnx") }
        #expect(missing == .unreadable(path: "/nowhere/yunet.onnx", what: "face detector"))
        var random = SeededGenerator(seed: 3)
        let garbage = (0..<4000).map { _ in UInt8.random(in: 0...255, using: &random) }
        for bytes in [[], Array("This is no model.\n".utf8), garbage] {
            let file = try TemporaryFile(bytes)
            let error = #expect(throws: FacesError.self) { try DetectorLoader.load(path: file.path) }
            #expect(error?.description.contains(file.path) == true, "\(String(describing: error))")
        }
        let folder = #expect(throws: FacesError.self) { try DetectorLoader.load(path: NSTemporaryDirectory()) }
        #expect(folder != nil)
        #expect(throws: FacesError.self) { try CascadeDetector(path: Array("/etc/hostname".utf8)) }
    }

    @Test(.enabled(if: TestData.hasModels, modelsMissing))
    func `a truncated model is an error at any length`() throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: TestData.path(TestData.yunet2023)))
        for length in [1, 100, 5000, whole.count / 2, whole.count - 1] {
            let file = try TemporaryFile(whole.prefix(length))
            #expect(throws: FacesError.self, "\(length) bytes") {
                let detector = try DetectorLoader.load(path: file.path)
                _ = try detector.detect(Grey(width: 64, height: 64) { x, y in UInt8(x ^ y) }.view)
            }
        }
    }

    @Test(.enabled(if: TestData.hasPictures, picturesMissing))
    func `a still picture shown again and again is detected seldom and keeps its ids`() throws {
        let picture = try TestData.grey(ofJPEG: TestData.fivePeople)
        let finder = FaceFinder(detector: try load(TestData.yunet2023), settings: AnalysisSettings())
        for step in 0..<24 {
            let faces = try finder.process(
                luma: picture.view, range: .full, time: Timestamp(microseconds: Int64(step) * 33_333))
            #expect(faces.map(\.id) == [1, 2, 3, 4, 5], "picture \(step)")
            #expect(faces.allSatisfy { $0.box.x >= 0 && $0.box.x < Float(picture.width) })
            #expect(faces.allSatisfy { (0...1).contains($0.confidence) })
        }
        #expect(finder.detectionsRun <= 5)
        #expect(finder.statistics.cuts == 0 && finder.statistics.tracks == 5)
    }

    @Test(.enabled(if: TestData.hasPictures, picturesMissing))
    func `a cut brings a detection at once and new ids, a change of size keeps them`() throws {
        let five = try TestData.grey(ofJPEG: TestData.fivePeople)
        let one = try TestData.grey(ofJPEG: TestData.onePerson)
        let half = Grey(width: one.width / 2, height: one.height / 2) { x, y in one[2 * x, 2 * y] }
        let finder = FaceFinder(detector: try load(TestData.yunet2023), settings: AnalysisSettings())
        func show(_ picture: Grey, _ step: Int64) throws -> [TrackedFace] {
            try finder.process(luma: picture.view, range: .full, time: Timestamp(microseconds: step * 40_000))
        }
        #expect(try show(five, 0).count == 5)
        #expect(try show(one, 1).map(\.id) == [6])
        #expect(try show(half, 2).map(\.id) == [6])
        #expect(finder.detectionsRun == 3)
    }

    @Test(.enabled(if: TestData.hasModels, modelsMissing))
    func `odd pictures in a row are taken as they come`() throws {
        let finder = FaceFinder(detector: try load(TestData.yunet2023), settings: AnalysisSettings())
        for (step, (width, height)) in (sizes() + [(7680, 24), (24, 3000)]).enumerated() {
            let picture = Grey(width: width, height: height) { x, y in UInt8(truncatingIfNeeded: x &* 7 ^ y &* 13) }
            for range in [LumaRange.full, .limited] {
                _ = try finder.process(
                    luma: picture.view, range: range, time: Timestamp(microseconds: Int64(-step) * 1_000_000))
            }
        }
    }
}
