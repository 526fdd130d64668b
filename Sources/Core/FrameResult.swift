// What the analysis says of one frame: the value that Timeline prints and Overlay draws.

package struct FaceObservation: Hashable, Sendable {
    package enum Status: String, Sendable, Codable {
        case detected
        case tracked
    }

    /// From 1, never reused within a source.
    package var id: Int
    package var box: Box
    /// The detector's score, 0…1; of a tracked face, that of its last detection, lessened by the tracker's doubt.
    package var confidence: Float
    package var landmarks: Landmarks?
    /// Nil until classified.
    package var probabilities: Probabilities?
    package var status: Status

    package init(
        id: Int, box: Box, confidence: Float, landmarks: Landmarks?, probabilities: Probabilities?, status: Status
    ) {
        self.id = id
        self.box = box
        self.confidence = confidence
        self.landmarks = landmarks
        self.probabilities = probabilities
        self.status = status
    }
}

package struct FrameResult: Hashable, Sendable {
    /// Place in the source in presentation order, from 0; nil where it cannot be known.
    package var index: Int?
    package var time: Timestamp
    /// Ordered by face id.
    package var faces: [FaceObservation]

    package init(index: Int?, time: Timestamp, faces: [FaceObservation]) {
        self.index = index
        self.time = time
        self.faces = faces
    }
}
