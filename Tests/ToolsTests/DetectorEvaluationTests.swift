// The protocol on made-up detections: against training/detector/judge.py, and on cases worked out by hand.

import Core
import Faces
import Foundation
import TestSupport
import Testing
import Tools

/// The pictures of Tests/Golden/detector_figures.py, draw for draw.
private struct MadeUp {
    private var random = SeededGenerator(14)

    private mutating func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

    private mutating func box() -> [Int] {
        let side = 6 + below(90)
        return [below(560), below(400), side, side + below(20)]
    }

    private mutating func point(in box: [Int]) -> Point {
        let x = box[0] + below(box[2])
        return Point(x: Float(x), y: Float(box[1] + below(box[3])))
    }

    private mutating func detection(score: Int, _ box: [Int]) -> Detection {
        let points = (0..<5).map { _ in point(in: box) }
        return Detection(box: Box(box), score: Float(score) / 1000, landmarks: Landmarks(points))
    }

    mutating func next() -> (picture: DetectorEvaluation.Picture, detections: [Detection]) {
        let source = ["alpha", "beta", "gamma", "negatives"][below(4)], isEmpty = source == "negatives"
        let isComplete = isEmpty || below(4) > 0
        var faces: [DetectorEvaluation.Face] = [], found: [Detection] = []
        for _ in 0..<(isEmpty ? 0 : 1 + below(5)) {
            let place = box()
            let origin: DetectorEvaluation.Face.Origin = [.human, .derived, .teacher][below(3)]
            let isIgnored = below(5) == 0
            let clicks = (0..<4).map { _ in point(in: place) }
            faces.append(
                DetectorEvaluation.Face(
                    box: Box(place), origin: origin, isIgnored: isIgnored,
                    clicks: origin == .derived
                        ? .init(rightEye: clicks[0], leftEye: clicks[1], mouth: clicks[3]) : nil))
            for _ in 0..<[0, 1, 1, 1, 2][below(5)] {
                let near = place.map { $0 + below(1 + place[2] / 3) - place[2] / 6 }
                found.append(detection(score: below(1000), near))
            }
        }
        for _ in 0..<below(3) {
            let place = box()
            found.append(detection(score: below(700), place))
        }
        let order = found.indices.sorted { (found[$1].score, $0) < (found[$0].score, $1) }
        return (
            DetectorEvaluation.Picture(file: "", source: source, isComplete: isComplete, faces: faces),
            order.map { found[$0] }
        )
    }
}

extension Box {
    fileprivate init(_ numbers: [Int]) {
        self.init(x: Float(numbers[0]), y: Float(numbers[1]), width: Float(numbers[2]), height: Float(numbers[3]))
    }
}

extension Landmarks {
    fileprivate init(_ p: [Point]) {
        self.init(rightEye: p[0], leftEye: p[1], nose: p[2], rightMouth: p[3], leftMouth: p[4])
    }
}

private func isClose(_ a: Double?, _ b: Double, within tolerance: Double = 1e-12) -> Bool {
    a.map { abs($0 - b) <= tolerance } ?? false
}

@Suite struct DetectorEvaluationTests {
    /// python Tests/Golden/detector_figures.py
    @Test func `four hundred made-up pictures get the figures of the training code`() {
        var cases = MadeUp()
        var e = DetectorEvaluation(score: 0.4)
        for _ in 0..<400 {
            let (picture, detections) = cases.next()
            e.add(picture, detections)
        }
        #expect(e.pictures == 400 && e.all.faces == 493)
        #expect(isClose(e.all.recall, 0.4847870182555781))
        #expect(isClose(e.precision, 0.6937669376693767))
        #expect(isClose(e.falsePerHundred, 49.523809523809526))
        #expect(isClose(e.all.averagePrecision, 0.5699640850979477))
        // There in single precision.
        #expect(isClose(e.landmarkError, 1.2141294479370117, within: 1e-6))
        let sizes = [
            (33, 0.45454545454545453), (97, 0.4742268041237113), (171, 0.5672514619883041), (192, 0.421875),
        ]
        for (row, (faces, recall)) in zip(e.bySize, sizes) {
            #expect(row.figures.faces == faces && isClose(row.figures.recall, recall), "\(row)")
        }
        let sources = [
            ("alpha", 151, 0.5099337748344371, 0.6370386810246208),
            ("beta", 173, 0.4682080924855491, 0.6476474422827994),
            ("gamma", 169, 0.47928994082840237, 0.5567160549661971),
        ]
        #expect(e.bySource.map(\.source) == sources.map(\.0))
        for (row, (_, faces, recall, precision)) in zip(e.bySource, sources) {
            #expect(row.figures.faces == faces && isClose(row.figures.recall, recall), "\(row)")
            #expect(isClose(row.figures.averagePrecision, precision), "\(row)")
        }
    }

    private func face(
        _ x: Int, _ side: Int = 20, origin: DetectorEvaluation.Face.Origin = .human, isIgnored: Bool = false
    ) -> DetectorEvaluation.Face {
        .init(box: Box([x, 0, side, side]), origin: origin, isIgnored: isIgnored)
    }

    private func found(_ x: Int, _ side: Int = 20, score: Float = 0.9) -> Detection {
        Detection(box: Box([x, 0, side, side]), score: score, landmarks: nil)
    }

    private func evaluation(
        _ faces: [DetectorEvaluation.Face], _ detections: [Detection], isComplete: Bool = true
    ) -> DetectorEvaluation {
        var e = DetectorEvaluation(score: 0.5)
        e.add(.init(file: "", source: "s", isComplete: isComplete, faces: faces), detections)
        return e
    }

    @Test func `a second detection on a face is wrong`() {
        let e = evaluation([face(0)], [found(0), found(1, score: 0.8)])
        #expect(e.all.recall == 1 && e.precision == 0.5)
        // The wrong one comes last and costs no precision at full recall.
        #expect(e.all.averagePrecision == 1)
    }

    @Test func `average precision is the area below the envelope`() {
        // Right, wrong, right: precision 1, 1/2, 2/3, and one face of three is never found.
        let e = evaluation(
            [face(0), face(100), face(200)], [found(0), found(50, score: 0.8), found(100, score: 0.2)])
        #expect(isClose(e.all.averagePrecision, (1 + 2.0 / 3) / 3))
        // The last is below the score: recall does not see it.
        #expect(isClose(e.all.recall, 1.0 / 3) && e.precision == 0.5)
    }

    @Test func `an overlap of 0,4 finds a face, but average precision asks for 0,5`() {
        // 20x20 shifted by 8: 12 of 28 columns, 0.43.
        let e = evaluation([face(0)], [found(8)])
        #expect(e.all.recall == 1 && e.precision == 1 && e.all.averagePrecision == 0)
        // Shifted by 9: 11 of 29, 0.38.
        #expect(evaluation([face(0)], [found(9)]).all.recall == 0)
    }

    @Test func `what lies mostly on an ignored place is neither right nor wrong`() {
        let most = evaluation([face(0), face(100, isIgnored: true)], [found(0), found(91, score: 0.8)])
        #expect(most.all.faces == 1 && most.precision == 1 && most.all.averagePrecision == 1)
        // 10 of 20 columns are not more than half.
        #expect(evaluation([face(0), face(100, isIgnored: true)], [found(0), found(90)]).precision == 0.5)
    }

    @Test func `a model's boxes must be met, but say nothing of recall`() {
        let e = evaluation([face(0, origin: .teacher), face(100, origin: .derived)], [found(0)])
        #expect(e.all.faces == 1 && e.all.recall == 0 && e.precision == 1 && e.all.averagePrecision == 0.5)
    }

    @Test func `false alarms are counted where labels are complete`() {
        let open = evaluation([face(0)], [found(0), found(50)], isComplete: false)
        #expect(open.all.recall == 1 && open.precision == nil && open.all.averagePrecision == nil)
        var e = evaluation([], [found(0), found(50), found(100, score: 0.4)])
        #expect(e.falsePerHundred == 200 && e.precision == nil && e.all.recall == nil)
        // Neither a picture with an ignored place nor one that may hold faces is empty.
        e.add(.init(file: "", source: "s", isComplete: true, faces: [face(0, isIgnored: true)]), [found(50)])
        e.add(.init(file: "", source: "s", isComplete: false, faces: []), [found(50)])
        #expect(e.emptyPictures == 1 && e.falsePerHundred == 200 && e.pictures == 3)
    }

    @Test func `sizes are those of the square root of the area, the lower bound included`() {
        let e = evaluation([face(0, 15), face(100, 16), face(200, 32), face(300, 63), face(400, 64)], [])
        #expect(e.bySize.map(\.size.rawValue) == ["<16", "16-32", "32-64", ">64"])
        #expect(e.bySize.map(\.figures.faces) == [1, 1, 2, 1])
    }

    @Test func `landmarks are off by a share of the way from eyes to mouth`() {
        // Eyes at (5, 5) and (15, 5), mouth at (10, 15): a way of 10.
        let eyes = [Point(x: 5, y: 5), Point(x: 15, y: 5)]
        let truth = Landmarks(eyes + [Point(x: 10, y: 10), Point(x: 7, y: 15), Point(x: 13, y: 15)])
        var clicked = face(0), pointed = face(100)
        clicked.clicks = .init(rightEye: eyes[0], leftEye: eyes[1], mouth: Point(x: 10, y: 15))
        pointed.points = truth.mapped { Point(x: $0.x + 100, y: $0.y) }
        var first = found(0), second = found(100, score: 0.8)
        // The right eye is off by 3 and 4, the left one not: 5 / 2 / 10. The nose does not matter there.
        first.landmarks = Landmarks(
            [Point(x: 8, y: 9), eyes[1], Point(x: 90, y: 90), truth.rightMouth, truth.leftMouth])
        // All five are off by one: 1 / 10.
        second.landmarks = truth.mapped { Point(x: $0.x + 100, y: $0.y + 1) }
        let e = evaluation([clicked, pointed], [first, second])
        #expect(isClose(e.landmarkError, 0.25) && isClose(e.landmarkErrorOfFive, 0.1, within: 1e-6))
        // A cascade knows no landmarks.
        #expect(evaluation([clicked], [found(0)]).landmarkError == nil)
    }

    @Test func `json has every promised member, null where there is nothing to tell`() throws {
        let report = DetectorEvaluation.Report(
            detector: "d", engine: nil, path: "/d.onnx", split: "val", width: 640, leftOut: 1, milliseconds: 2,
            evaluation: evaluation([face(0)], [found(0)]))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "faces", "recall", "precision", "false_per_100", "landmark_error", "landmark_error_human5", "ap50",
                "by_size", "by_source", "detector", "engine", "score", "split", "detect_size", "pictures", "left_out",
                "milliseconds",
            ])
        #expect(object["faces"] as? Int == 1 && object["recall"] as? Double == 1)
        #expect(object["score"] as? Double == 0.5)
        #expect(object["landmark_error"] is NSNull && object["false_per_100"] is NSNull)
        let sizes = try #require(object["by_size"] as? [String: [String: Any]])
        #expect(sizes["16-32"]?["faces"] as? Int == 1 && sizes["16-32"]?["recall"] as? Double == 1)
        #expect(sizes["<16"]?["faces"] as? Int == 0 && sizes["<16"]?["recall"] is NSNull)
        let sources = try #require(object["by_source"] as? [String: [String: Any]])
        #expect(sources["s"]?["recall"] as? Double == 1)
        let text = report.text()
        for word in ["recall         100.0 %", "16-32", ">64", "1 left out", "2.00 ms"] {
            #expect(text.contains(word), "\(text)")
        }
    }
}
