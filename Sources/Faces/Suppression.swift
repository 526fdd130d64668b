// One face, one box: of detections that overlap, the best stays.

import Core

package enum Suppression {
    /// Greedy non-maximum suppression: best first; what overlaps a kept box by more than `overlap` (IoU) goes.
    /// So does what lies within one, or around it, by more than `containment` (intersection over the smaller): part of
    /// a face is no face. Equal scores keep their order, so that the result does not depend on the sorting algorithm.
    package static func keepBest(of detections: [Detection], overlap: Float, containment: Float = 1) -> [Detection] {
        let order = detections.indices.sorted {
            (detections[$1].score, $0) < (detections[$0].score, $1)
        }
        var kept: [Detection] = []
        for index in order {
            let box = detections[index].box
            let isTaken = kept.contains {
                $0.box.overlap(with: box) > overlap || $0.box.containment(with: box) > containment
            }
            if !isTaken { kept.append(detections[index]) }
        }
        return kept
    }
}
