// Which detection has found which face.

import Core
import Faces

extension DetectorEvaluation {
    enum Fate: Equatable {
        /// Has found the face of that number.
        case found(Int)
        /// Lies on a place of which nobody knows whether a face is there.
        case ignored
        case wrong

        var face: Int? { if case .found(let face) = self { face } else { nil } }
    }

    /// Greedy: each detection, best first, takes the face that it overlaps most of those still free. A second one on
    /// the same face is wrong.
    func match(_ detections: [Detection], _ faces: [Box], ignored: [Box], overlap least: Float) -> [Fate] {
        var isTaken = [Bool](repeating: false, count: faces.count)
        return detections.map { detection in
            var best: (face: Int, overlap: Float)?
            for (index, face) in faces.enumerated() where !isTaken[index] {
                let overlap = face.overlap(with: detection.box)
                if overlap >= least, overlap > best?.overlap ?? 0 { best = (index, overlap) }
            }
            if let best {
                isTaken[best.face] = true
                return .found(best.face)
            }
            // More than half of it on such a place.
            let isOnIgnored = ignored.contains { 2 * detection.box.intersection(with: $0) > detection.box.area }
            return isOnIgnored ? .ignored : .wrong
        }
    }
}
