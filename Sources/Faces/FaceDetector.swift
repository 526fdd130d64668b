// Step 3 of the way: luma in, boxes out. Four conformers: our own, both YuNets and OpenCV's cascades.

package import Core

/// One face as a detector sees it, in pixels of the picture it was given. Boxes may reach over the picture's edge.
package struct Detection: Hashable, Sendable {
    package var box: Box
    /// 0…1. Comparable within one detector only.
    package var score: Float
    package var landmarks: Landmarks?

    package init(box: Box, score: Float, landmarks: Landmarks?) {
        self.box = box
        self.score = score
        self.landmarks = landmarks
    }
}

extension Detection {
    /// The same face in a picture of another size.
    func scaled(x: Float, y: Float) -> Detection {
        Detection(
            box: box.scaled(x: x, y: y), score: score,
            landmarks: landmarks?.mapped { Point(x: $0.x * x, y: $0.y * y) })
    }
}

package protocol FaceDetector: AnyObject {
    /// For run.json and messages.
    var name: String { get }
    /// Where the square of the model's crop lies when only a box is known.
    var cropMapping: CropMapping { get }
    /// The score from which a detection is a face, as measured for this detector.
    var defaultScore: Float { get }

    /// Faces of at least `minimumScore`, best first. `luma` is full range.
    func detect(_ luma: ImageView, minimumScore: Float) throws(FacesError) -> [Detection]
}

extension FaceDetector {
    package func detect(_ luma: ImageView) throws(FacesError) -> [Detection] {
        try detect(luma, minimumScore: defaultScore)
    }
}
