// Faces made unrecognisable: few cells a face, each of one colour, smoothed. For pictures that are kept.

package import Core

/// What a mosaic remembers from frame to frame.
package struct MosaicState: Hashable, Sendable, Codable {
    package static let version = 1

    struct Held: Hashable, Sendable, Codable {
        var box: Box
        var seen: Timestamp
    }

    var held: [Int: Held] = [:]

    package init() {}
}

/// Covers the faces of frame after frame of one source, in order. A face that is lost stays covered for a second, as
/// it is mostly still there, and its cover grows, as it may have moved.
package struct Mosaic: Sendable {
    package private(set) var state = MosaicState()

    /// Across a face's box. Of six smoothed ones OpenCV's cascade still makes a face in two of three cases, and YuNet in
    /// one of four; of four and fewer neither finds any.
    private static let cells = 3
    /// How far the cover reaches over the box on each side, in its sides: hair and chin belong to a face.
    private static let margin: Float = 0.25
    private static let patience: Int64 = 1_000_000
    /// Of a lost face's cover on each side, at the end of its second.
    private static let growth: Float = 0.5

    package init(state: MosaicState = MosaicState()) {
        self.state = state
    }

    /// - Parameter faces: in pixels of the picture.
    package mutating func cover(_ faces: [FaceObservation], at time: Timestamp, on picture: PlanarPicture) {
        for face in faces { state.held[face.id] = MosaicState.Held(box: face.box, seen: time) }
        state.held = state.held.filter { time.microseconds &- $0.value.seen.microseconds <= Self.patience }
        let canvas = Canvas(picture)
        // In the order of ids, so that covers that overlap come out alike in every run.
        for (_, held) in state.held.sorted(by: { $0.key < $1.key }) {
            let age = Float(max(time.microseconds &- held.seen.microseconds, 0)) / Float(Self.patience)
            let side = min(held.box.width, held.box.height) / Float(Self.cells)
            guard let area = Self.area(held.box, margin: Self.margin + age * Self.growth) else { continue }
            canvas.pixelate(area, cell: max(Int(side.rounded(.up)), 4))
        }
    }

    /// Nil for boxes that are no places in any picture.
    private static func area(_ box: Box, margin: Float) -> Area? {
        let limit: Float = 1_048_576
        guard box.width > 0, box.height > 0, abs(box.x) < limit, abs(box.y) < limit, box.width < limit,
            box.height < limit
        else { return nil }
        let x = box.width * margin, y = box.height * margin
        return Area(
            left: Int((box.x - x).rounded(.down)), top: Int((box.y - y).rounded(.down)),
            right: Int((box.x + box.width + x).rounded(.up)), bottom: Int((box.y + box.height + y).rounded(.up)))
    }
}
