import Core
import Faces
import Testing

@Test func `overlap is symmetric and within 0 and 1`() {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<2000 {
        let a = Box.random(using: &random), b = Box.random(using: &random)
        #expect(a.overlap(with: b) == b.overlap(with: a))
        #expect((0...1).contains(a.overlap(with: b)))
        #expect(a.overlap(with: a) > 0.999)
    }
}

@Test func `what is kept does not overlap, and what went was covered by something better`() {
    var random = SeededGenerator(seed: 2)
    for _ in 0..<100 {
        let all = (0..<40).map { _ in
            Detection(box: .random(using: &random), score: .random(in: 0...1, using: &random), landmarks: nil)
        }
        let kept = Suppression.keepBest(of: all, overlap: 0.3)
        for (i, a) in kept.enumerated() {
            for b in kept[(i + 1)...] {
                #expect(a.box.overlap(with: b.box) <= 0.3)
                #expect(a.score >= b.score)
            }
        }
        for gone in all where !kept.contains(gone) {
            #expect(kept.contains { $0.score >= gone.score && $0.box.overlap(with: gone.box) > 0.3 })
        }
    }
}

@Test func `a part of a face is no face, and neither is a box around it`() {
    let face = Detection(box: Box(x: 100, y: 100, width: 80, height: 100), score: 0.9, landmarks: nil)
    // Of 2000 px² four fifths lie in the face: an IoU of 0.19.
    let part = Detection(box: Box(x: 90, y: 120, width: 50, height: 40), score: 0.8, landmarks: nil)
    let beside = Detection(box: Box(x: 60, y: 120, width: 80, height: 50), score: 0.7, landmarks: nil)
    let around = Detection(box: Box(x: 0, y: 0, width: 300, height: 300), score: 0.6, landmarks: nil)
    #expect(Suppression.keepBest(of: [part, around, beside, face], overlap: 0.3, containment: 0.7) == [face, beside])
    // By IoU alone the part stays, and takes what stands beside the face with it.
    #expect(Suppression.keepBest(of: [part, around, beside, face], overlap: 0.3) == [face, part, around])
}

@Test func `equal scores keep their order`() {
    let boxes = (0..<5).map { Box(x: Float($0) * 100, y: 0, width: 10, height: 10) }
    let all = boxes.map { Detection(box: $0, score: 0.5, landmarks: nil) }
    #expect(Suppression.keepBest(of: all, overlap: 0.3) == all)
}
