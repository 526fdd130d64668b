// How well a detector finds labelled faces. Plain values in, figures out: docs/benchmarks.md ("Face detection:
// quality") has the protocol, training/detector/judge.py the same in Python.

import Core
package import Faces

package struct DetectorEvaluation: Sendable {
    /// From this overlap (IoU) on a detection has found a face.
    static let overlap: Float = 0.4
    /// The same for average precision.
    static let strictOverlap: Float = 0.5
    /// Detections below are not asked for: they would only lengthen the flat end of the precision curve.
    package static let leastScore: Float = 0.05

    /// The score from which on a detection counts; average precision looks at all of them.
    package let score: Float
    package private(set) var pictures = 0
    /// Complete pictures with nobody in them.
    package private(set) var emptyPictures = 0
    /// Of faces clicked by a person: how far off both eyes are in the mean, as a share of the distance between the
    /// eyes' middle and the mouth's centre.
    package private(set) var eyeErrors: [Double] = []
    /// The same over all five points, of faces whose points a person set.
    package private(set) var pointErrors: [Double] = []
    private var sought: [Sought] = []
    private var targets: [Kind] = []
    private var ranked: [Ranked] = []
    private var trueFaces = 0
    private var falseFaces = 0
    private var falseInEmpty = 0

    /// What figures are split by.
    private struct Kind {
        let size: SizeClass
        let source: String
    }

    /// A face that recall is asked for, and whether it was found.
    private struct Sought {
        let kind: Kind
        let isFound: Bool
    }

    /// A detection for average precision. Its kind is its face's, or its own where it hit none.
    private struct Ranked {
        let score: Float
        let isHit: Bool
        let kind: Kind
    }

    package init(score: Float) { self.score = score }

    /// - Parameters:
    ///   - picture: its labels, in pixels of the picture that the detector saw.
    ///   - detections: best first, from `leastScore` on.
    package mutating func add(_ picture: Picture, _ detections: [Detection]) {
        pictures += 1
        let faces = picture.faces.filter { !$0.isIgnored }
        let ignored = picture.faces.filter(\.isIgnored).map(\.box)
        let accepted = detections.filter { $0.score >= score }
        let fates = match(accepted, faces.map(\.box), ignored: ignored, overlap: Self.overlap)
        count(fates, accepted, of: faces, in: picture)
        guard picture.isComplete else { return }

        // What is said where a face is must be right; where nobody is, every answer is an alarm.
        let wrong = fates.count { $0 == .wrong }
        if !faces.isEmpty {
            trueFaces += fates.count { $0.face != nil }
            falseFaces += wrong
        } else if ignored.isEmpty {
            emptyPictures += 1
            falseInEmpty += wrong
        }
        rank(detections, faces.map(\.box), ignored: ignored, source: picture.source)
    }

    /// Boxes that a model drew and nobody confirmed say nothing about another model.
    private mutating func count(_ fates: [Fate], _ detections: [Detection], of faces: [Face], in picture: Picture) {
        var hits: [Int: Detection] = [:]
        for (fate, detection) in zip(fates, detections) {
            if let face = fate.face { hits[face] = detection }
        }
        for (index, face) in faces.enumerated() where face.origin != .teacher {
            let hit = hits[index]
            sought.append(
                Sought(kind: Kind(size: SizeClass(of: face.box), source: picture.source), isFound: hit != nil))
            guard let found = hit?.landmarks else { continue }
            if let error = face.clicks.flatMap({ $0.eyeError(of: found) }) { eyeErrors.append(error) }
            if let error = face.points.flatMap({ $0.meanError(of: found) }) { pointErrors.append(error) }
        }
    }

    private mutating func rank(_ detections: [Detection], _ faces: [Box], ignored: [Box], source: String) {
        targets += faces.map { Kind(size: SizeClass(of: $0), source: source) }
        let fates = match(detections, faces, ignored: ignored, overlap: Self.strictOverlap)
        for (fate, detection) in zip(fates, detections) where fate != .ignored {
            let size = SizeClass(of: fate.face.map { faces[$0] } ?? detection.box)
            ranked.append(
                Ranked(score: detection.score, isHit: fate.face != nil, kind: Kind(size: size, source: source)))
        }
    }
}

// MARK: - Figures; nil where there is nothing to divide by

extension DetectorEvaluation {
    /// Figures of faces that have something in common. `faces` are those that recall is asked for.
    package struct Group: Sendable {
        package let faces: Int
        package let recall: Double?
        /// Over all faces of complete pictures, those that a model labelled too.
        package let averagePrecision: Double?
    }

    package var all: Group { group { _ in true } }

    package var bySize: [(size: SizeClass, figures: Group)] {
        SizeClass.allCases.map { size in (size, group { $0.size == size }) }
    }

    /// Sources with faces to find, by name.
    package var bySource: [(source: String, figures: Group)] {
        Set(sought.map(\.kind.source)).sorted().map { source in (source, group { $0.source == source }) }
    }

    package var precision: Double? { ratio(trueFaces, trueFaces + falseFaces) }
    package var falsePerHundred: Double? { ratio(falseInEmpty, emptyPictures).map { 100 * $0 } }
    package var landmarkError: Double? { median(eyeErrors) }
    package var landmarkErrorOfFive: Double? { median(pointErrors) }

    private func group(_ belongs: (Kind) -> Bool) -> Group {
        let asked = sought.filter { belongs($0.kind) }
        // Equal scores in the order in which they came, whatever the sort does with them.
        let order = ranked.indices.filter { belongs(ranked[$0].kind) }
            .sorted { (ranked[$1].score, $0) < (ranked[$0].score, $1) }
        return Group(
            faces: asked.count, recall: ratio(asked.count { $0.isFound }, asked.count),
            averagePrecision: averagePrecision(order.map { ranked[$0].isHit }, faces: targets.count(where: belongs)))
    }
}

/// Area below the envelope of the precision curve, as PASCAL VOC has it from 2010 on.
/// - Parameter hits: best detection first.
private func averagePrecision(_ hits: [Bool], faces: Int) -> Double? {
    guard faces > 0 else { return nil }
    var right = 0
    let precisions = hits.enumerated().map { index, isHit in
        right += isHit ? 1 : 0
        return Double(right) / Double(index + 1)
    }
    var highest = 0.0, area = 0.0
    for (precision, isHit) in zip(precisions, hits).reversed() {
        highest = max(highest, precision)
        if isHit { area += highest }
    }
    return area / Double(faces)
}

private func ratio(_ part: Int, _ whole: Int) -> Double? { whole > 0 ? Double(part) / Double(whole) : nil }

/// The mean of the two in the middle where their number is even.
func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted(), middle = values.count / 2
    return values.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
