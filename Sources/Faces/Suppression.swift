// One face, one box: of detections that overlap, the best stays.

import Core

package enum Suppression {
    /// Greedy non-maximum suppression: best first; what overlaps a kept box by more than `overlap` (IoU) goes.
    /// Equal scores keep their order, so that the result does not depend on the sorting algorithm.
    package static func keepBest(of detections: [Detection], overlap: Float) -> [Detection] {
        let order = detections.indices.sorted {
            (detections[$1].score, $0) < (detections[$0].score, $1)
        }
        var kept: [Detection] = []
        for index in order where !kept.contains(where: { $0.box.overlap(with: detections[index].box) > overlap }) {
            kept.append(detections[index])
        }
        return kept
    }
}
