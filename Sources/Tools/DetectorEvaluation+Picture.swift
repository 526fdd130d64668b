// What a person, or a model, says is in a picture.

package import Core

extension DetectorEvaluation {
    package struct Picture: Sendable {
        /// Path below the folder.
        package var file: String
        /// As the labels have it, where they do.
        package var width: Int?
        package var height: Int?
        /// Name of the label file, without `.jsonl`.
        package var source: String
        /// Every face is labelled or ignored, so that what is found elsewhere is wrong.
        package var isComplete: Bool
        package var faces: [Face]

        package init(
            file: String, width: Int? = nil, height: Int? = nil, source: String, isComplete: Bool, faces: [Face]
        ) {
            self.file = file
            self.width = width
            self.height = height
            self.source = source
            self.isComplete = isComplete
            self.faces = faces
        }

        func scaled(by factor: Float) -> Picture {
            var copy = self
            copy.faces = faces.map { $0.scaled(by: factor) }
            return copy
        }
    }

    package struct Face: Sendable {
        package enum Origin: String, Sendable, Decodable {
            /// Drawn by a person.
            case human
            /// Computed from a person's clicks.
            case derived
            /// A model's answer that nobody confirmed.
            case teacher
        }

        package var box: Box
        package var origin: Origin
        /// Neither to be found nor a false alarm.
        package var isIgnored: Bool
        package var clicks: Clicks?
        /// Those that a person set.
        package var points: Landmarks?

        package init(
            box: Box, origin: Origin = .human, isIgnored: Bool = false, clicks: Clicks? = nil, points: Landmarks? = nil
        ) {
            self.box = box
            self.origin = origin
            self.isIgnored = isIgnored
            self.clicks = clicks
            self.points = points
        }

        func scaled(by factor: Float) -> Face {
            func moved(_ point: Point) -> Point { Point(x: point.x * factor, y: point.y * factor) }
            return Face(
                box: box.scaled(x: factor, y: factor), origin: origin, isIgnored: isIgnored,
                clicks: clicks.map {
                    Clicks(rightEye: moved($0.rightEye), leftEye: moved($0.leftEye), mouth: moved($0.mouth))
                },
                points: points?.mapped(moved))
        }
    }

    /// A person's clicks on a face. There is one on the nose too, but on its base, not on its tip.
    package struct Clicks: Sendable {
        package var rightEye: Point
        package var leftEye: Point
        /// Its centre.
        package var mouth: Point

        package init(rightEye: Point, leftEye: Point, mouth: Point) {
            self.rightEye = rightEye
            self.leftEye = leftEye
            self.mouth = mouth
        }

        /// Nil where eyes and mouth fall into one point.
        func eyeError(of found: Landmarks) -> Double? {
            let unit = distance(middle(rightEye, leftEye), mouth)
            guard unit > 0 else { return nil }
            return (distance(found.rightEye, rightEye) + distance(found.leftEye, leftEye)) / 2 / unit
        }
    }

    /// By the square root of the area in the picture that the detector saw; the lower bound belongs to the class.
    package enum SizeClass: String, Sendable, CaseIterable {
        case under16 = "<16"
        case from16 = "16-32"
        case from32 = "32-64"
        case from64 = ">64"

        init(of box: Box) {
            switch box.area.squareRoot() {
            case ..<16: self = .under16
            case ..<32: self = .from16
            case ..<64: self = .from32
            default: self = .from64
            }
        }
    }
}

extension Landmarks {
    /// Mean distance of the five, as a share of that between the eyes' middle and the mouth's.
    func meanError(of found: Landmarks) -> Double? {
        let unit = distance(middle(rightEye, leftEye), middle(rightMouth, leftMouth))
        guard unit > 0 else { return nil }
        return zip(points, found.points).map { distance($0, $1) }.reduce(0, +) / Double(points.count) / unit
    }
}

private func middle(_ a: Point, _ b: Point) -> Point { Point(x: (a.x + b.x) / 2, y: (a.y + b.y) / 2) }

private func distance(_ a: Point, _ b: Point) -> Double {
    let x = Double(a.x - b.x), y = Double(a.y - b.y)
    return (x * x + y * y).squareRoot()
}
