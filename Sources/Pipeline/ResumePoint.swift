// Where a run can be taken up again: after a whole batch, so that batches fall as in an uninterrupted run.

import Core
import Faces

/// Everything upstream of the writer that the frames so far have left behind. The decoder is not in it: a resumed run
/// decodes from the start, which makes its state, its clock and its counts exact for every container.
package struct ResumePoint: Sendable, Codable {
    /// Frames analysed so far.
    let analysed: Int
    /// Of the last of them, to be recognised when it comes by again.
    let index: Int?
    let time: Timestamp
    let finder: FaceFinderState
}

/// When a batch closes.
struct BatchRule {
    private var crops = 0
    private var frames = 0

    /// - Returns: whether the frame with so many crops is the last of its batch.
    mutating func closes(adding crops: Int) -> Bool {
        self.crops += crops
        frames += 1
        guard self.crops >= VideoPipeline.batchCrops || frames >= VideoPipeline.batchFrames else { return false }
        self = BatchRule()
        return true
    }
}

/// The input is not, frame by frame, that of the checkpoint.
struct ResumeMismatch: Error, CustomStringConvertible {
    let analysed: Int
    var description: String { "the input's frames before number \(analysed) are not those of the checkpoint" }
}
