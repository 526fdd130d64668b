// Where a face is. All coordinates are pixels of the full frame as displayed, origin top left, half-open:
// a box covers x ..< x + width.

package struct Point: Hashable, Sendable, Codable {
    package var x: Float
    package var y: Float

    package init(x: Float, y: Float) {
        self.x = x
        self.y = y
    }
}

package struct Box: Hashable, Sendable, Codable {
    package var x: Float
    package var y: Float
    package var width: Float
    package var height: Float

    package init(x: Float, y: Float, width: Float, height: Float) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    package var centre: Point { Point(x: x + width / 2, y: y + height / 2) }
    package var area: Float { max(width, 0) * max(height, 0) }

    /// Intersection over union, 0…1; 0 where either box is empty.
    package func overlap(with other: Box) -> Float {
        let both = intersection(with: other)
        guard both > 0 else { return 0 }
        let union = area + other.area - both
        return union > 0 ? min(both / union, 1) : 0
    }

    /// Intersection over the smaller of the two, 0…1: 1 where one lies within the other; 0 where either is empty.
    package func containment(with other: Box) -> Float {
        let smaller = min(area, other.area)
        return smaller > 0 ? min(intersection(with: other) / smaller, 1) : 0
    }

    /// The area that both have in common.
    package func intersection(with other: Box) -> Float {
        let w = min(x + width, other.x + other.width) - max(x, other.x)
        let h = min(y + height, other.y + other.height) - max(y, other.y)
        return w > 0 && h > 0 ? w * h : 0
    }

    package func scaled(x horizontal: Float, y vertical: Float) -> Box {
        Box(x: x * horizontal, y: y * vertical, width: width * horizontal, height: height * vertical)
    }
}

/// Five points in the order of YuNet; right is the person's own right, so the left of an upright picture.
package struct Landmarks: Hashable, Sendable, Codable {
    package var rightEye: Point
    package var leftEye: Point
    package var nose: Point
    package var rightMouth: Point
    package var leftMouth: Point

    package init(rightEye: Point, leftEye: Point, nose: Point, rightMouth: Point, leftMouth: Point) {
        self.rightEye = rightEye
        self.leftEye = leftEye
        self.nose = nose
        self.rightMouth = rightMouth
        self.leftMouth = leftMouth
    }

    package var points: [Point] { [rightEye, leftEye, nose, rightMouth, leftMouth] }

    package func mapped(_ move: (Point) -> Point) -> Landmarks {
        Landmarks(
            rightEye: move(rightEye), leftEye: move(leftEye), nose: move(nose),
            rightMouth: move(rightMouth), leftMouth: move(leftMouth))
    }
}
