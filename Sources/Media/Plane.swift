// Byte planes: turning them, and composing over white. Simple loops; the common frame passes without them.

/// One plane of 8-bit samples in memory that somebody else owns.
struct Plane {
    var base: UnsafeMutablePointer<UInt8>
    var width: Int
    var height: Int
    var strideBytes: Int

    /// Writes this plane, turned, into `target`, which has the turned size.
    func turn(_ orientation: Orientation, into target: Plane) {
        // A tile of 32 by 32 keeps the lines of both sides in the first cache when x and y are exchanged.
        let tile = 32
        for top in stride(from: 0, to: target.height, by: tile) {
            for left in stride(from: 0, to: target.width, by: tile) {
                for y in top..<min(top + tile, target.height) {
                    let row = target.base + y * target.strideBytes
                    let sourceY = orientation.flippedY ? target.height - 1 - y : y
                    for x in left..<min(left + tile, target.width) {
                        let sourceX = orientation.flippedX ? target.width - 1 - x : x
                        row[x] =
                            orientation.transposed
                            ? base[sourceX * strideBytes + sourceY] : base[sourceY * strideBytes + sourceX]
                    }
                }
            }
        }
    }

    /// Mixes with one value by an alpha plane of the same size: alpha 0 leaves nothing of this plane.
    func compose(over background: UInt8, alpha: Plane) {
        for y in 0..<height {
            let row = base + y * strideBytes
            let opacity = alpha.base + y * alpha.strideBytes
            for x in 0..<width where opacity[x] != 255 {
                let a = Int(opacity[x])
                row[x] = UInt8((Int(row[x]) * a + Int(background) * (255 - a) + 127) / 255)
            }
        }
    }

    func fill(_ value: UInt8) {
        for y in 0..<height { (base + y * strideBytes).update(repeating: value, count: width) }
    }
}
