// Has the picture become another one? Compared on a copy of the size of a thumbnail.

import COpenCV
import Core

/// One thread at a time.
final class SceneCut {
    private static let columns = 32, rows = 18
    /// Mean difference in grey levels. A hand before the camera makes 10 to 20, cuts between alike shots 25 and more.
    private static let threshold = 24
    /// The thumbnail that the next picture is compared with; empty before the first.
    var last: [UInt8] = []
    private var current = [UInt8](repeating: 0, count: columns * rows)

    /// True where this picture does not follow from the last. The first picture is no cut.
    func isCut(_ luma: ImageView) throws(FacesError) -> Bool {
        let source = try luma.plane()
        try OpenCV.run("comparing pictures") { error in
            current.withUnsafeMutableBufferPointer { small in
                small.baseAddress.map {
                    ocv_resize(
                        source,
                        ocv_mutable_plane(
                            base: $0, width: Int32(Self.columns), height: Int32(Self.rows),
                            stride_bytes: Int64(Self.columns)), error)
                } ?? ocv_failed
            }
        }
        defer { last = current }
        guard last.count == current.count else { return false }
        var difference = 0
        for i in current.indices { difference += abs(Int(current[i]) - Int(last[i])) }
        return difference > Self.threshold * current.count
    }
}
