// What a finder remembers from picture to picture, as a value that can be written down and taken up again.

/// Of pictures that the detector sees, in pixels.
package struct PictureSize: Hashable, Sendable, Codable {
    package var width: Int
    package var height: Int
}

/// Holds for a finder with the same detector and settings.
package struct FaceFinderState: Sendable, Codable {
    /// Counts up when the same members begin to mean something else.
    package static let version = 1

    let tracks: [Track]
    let lastID: Int
    let schedule: DetectionSchedule
    /// By track.
    let patches: [Int: FacePatch]
    let size: PictureSize?
    /// What the next picture is compared with to tell a cut.
    let thumbnail: [UInt8]
    let statistics: FinderStatistics
}
