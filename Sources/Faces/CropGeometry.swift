// Which square of the picture becomes the 48x48 crop. The model was trained on FER2013, so the face must lie in the
// crop where FER2013 has it; both ways below were fitted to that data.

package import Core

/// A square in pixels of the full picture, upright.
package struct CropSquare: Hashable, Sendable {
    package var centre: Point
    package var side: Float

    package init(centre: Point, side: Float) {
        self.centre = centre
        self.side = side
    }

    package var box: Box {
        Box(x: centre.x - side / 2, y: centre.y - side / 2, width: side, height: side)
    }
}

/// From a detector's box to the crop's square: the side as a share of the box, the centre moved by shares of it.
package struct CropMapping: Hashable, Sendable {
    package enum Reference: Sendable { case height, width }
    package var side: Float
    package var reference: Reference
    package var shiftX: Float
    package var shiftY: Float

    package init(side: Float, of reference: Reference, shiftX: Float, shiftY: Float) {
        self.side = side
        self.reference = reference
        self.shiftX = shiftX
        self.shiftY = shiftY
    }

    package func square(for box: Box) -> CropSquare {
        let length = reference == .height ? box.height : box.width
        let centre = box.centre
        return CropSquare(
            centre: Point(x: centre.x + shiftX * length, y: centre.y + shiftY * length), side: side * length)
    }
}

/// Where five landmarks lie in a crop of `side` pixels.
package struct CropTemplate: Hashable, Sendable {
    package var landmarks: Landmarks
    package var side: Float

    package init(landmarks: Landmarks, side: Float) {
        self.landmarks = landmarks
        self.side = side
    }

    /// Medians over FER2013's frontal faces, of both YuNets together.
    package static let fer2013 = CropTemplate(
        landmarks: Landmarks(
            rightEye: Point(x: 14.3, y: 18.5), leftEye: Point(x: 33.0, y: 18.5), nose: Point(x: 23.6, y: 28.9),
            rightMouth: Point(x: 16.1, y: 36.5), leftMouth: Point(x: 31.6, y: 36.5)),
        side: 48)

    /// The square in which the landmarks come nearest to the template: scale and shift by least squares, no
    /// rotation, as FER2013 is not levelled either. Nil where the points give no scale.
    package func square(for landmarks: Landmarks) -> CropSquare? {
        let points = landmarks.points, places = self.landmarks.points
        let meanPoint = mean(points), meanPlace = mean(places)
        var covariance: Float = 0, variance: Float = 0
        for (point, place) in zip(points, places) {
            let x = point.x - meanPoint.x, y = point.y - meanPoint.y
            covariance += x * (place.x - meanPlace.x) + y * (place.y - meanPlace.y)
            variance += x * x + y * y
        }
        guard variance > 0, covariance > 0 else { return nil }
        let pixelsPerPlace = variance / covariance
        let square = CropSquare(
            centre: Point(
                x: meanPoint.x + (side / 2 - meanPlace.x) * pixelsPerPlace,
                y: meanPoint.y + (side / 2 - meanPlace.y) * pixelsPerPlace),
            side: side * pixelsPerPlace)
        return square.side.isFinite && square.centre.x.isFinite && square.centre.y.isFinite ? square : nil
    }

    private func mean(_ points: [Point]) -> Point {
        let count = Float(points.count)
        return Point(
            x: points.reduce(0) { $0 + $1.x } / count, y: points.reduce(0) { $0 + $1.y } / count)
    }

    /// By the landmarks where they are there and sensible, else by the box. In a profile the points collapse and the
    /// fit would zoom in on a cheek, so it may differ from the box's square by a third at most.
    package func square(box: Box, landmarks: Landmarks?, mapping: CropMapping) -> CropSquare {
        let byBox = mapping.square(for: box)
        guard let landmarks, let fitted = square(for: landmarks), fitted.side > byBox.side * 0.67,
            fitted.side < byBox.side * 1.5
        else { return byBox }
        return fitted
    }
}
