// What can go wrong in Faces, in sentences that a user can act on.

package enum FacesError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file cannot be opened or read.
    case unreadable(path: String, what: String)
    /// The file was read, but is not such a model.
    case notAModel(path: String, what: String, reason: String)
    /// An ONNX file of another purpose.
    case notADetector(path: String, outputs: [String])
    case noCascade(searched: [String])
    /// OpenCV refused to work on a picture.
    case openCV(step: String, reason: String)
    /// The detector's network could not be run on a picture of that size, padded.
    case network(reason: String, width: Int, height: Int)
    case outOfMemory(step: String)
    /// A picture of more than 2^20 samples a side.
    case tooLarge(width: Int, height: Int)
    /// The emotion network's answer does not fit its labels.
    case wrongOutput(expected: Int, found: Int)

    package var description: String {
        switch self {
        case .unreadable(let path, let what):
            "cannot read the \(what) \(path): check that the file exists and may be read"
        case .notAModel(let path, let what, let reason):
            "\(path) is not a \(what) that this program can run\(reason.isEmpty ? "" : ": \(reason)")"
        case .notADetector(let path, let outputs):
            "\(path) is an ONNX network, but no face detector: its outputs are "
                + (outputs.isEmpty ? "unknown" : outputs.prefix(6).joined(separator: ", "))
                + ", expected cls_8 … kps_32 (our own, YuNet 2023mar) or loc, conf, iou (2022mar)"
        case .noCascade(let searched):
            "no face cascade found: install the package opencv-data or give a detector model; looked for "
                + searched.joined(separator: ", ")
        case .openCV(let step, let reason):
            "OpenCV failed in \(step)\(reason.isEmpty ? "" : ": \(reason)")"
        case .network(let reason, let width, let height):
            "the face detector cannot be run on \(width)x\(height): \(reason); a smaller --detect-size may help"
        case .outOfMemory(let step):
            "out of memory in \(step)"
        case .tooLarge(let width, let height):
            "a picture of \(width)x\(height) is too large to look for faces in: at most 1048576 a side"
        case .wrongOutput(let expected, let found):
            "the emotion network gave \(found) values where its labels and the batch ask for \(expected)"
        }
    }
}
