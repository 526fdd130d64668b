// A 4:2:0 picture of its own memory: what Overlay draws on and the encoders take.

import CFFmpeg
package import Core

/// Where a frame lies in a picture that is to show it, in pixels of the picture.
package struct Placement: Hashable, Sendable {
    package var x: Int
    package var y: Int
    package var width: Int
    package var height: Int
    package var scaleX: Float
    package var scaleY: Float

    static func fitting(width: Int, height: Int, intoWidth outer: Int, height outerHeight: Int) -> Placement {
        if (outer - 1...outer).contains(width), (outerHeight - 1...outerHeight).contains(height) {
            return Placement(x: 0, y: 0, width: width, height: height, scaleX: 1, scaleY: 1)
        }
        let scale = min(Double(outer) / Double(width), Double(outerHeight) / Double(height))
        let fitted = min(max(Int((Double(width) * scale).rounded()), 1), outer)
        let fittedHeight = min(max(Int((Double(height) * scale).rounded()), 1), outerHeight)
        // Even corners, so that luma and chroma begin at the same place.
        return Placement(
            x: (outer - fitted) / 4 * 2, y: (outerHeight - fittedHeight) / 4 * 2, width: fitted, height: fittedHeight,
            scaleX: Float(fitted) / Float(width), scaleY: Float(fittedHeight) / Float(height))
    }

    /// A box of the frame, in the picture.
    package func map(_ box: Box) -> Box {
        var mapped = box.scaled(x: scaleX, y: scaleY)
        mapped.x += Float(x)
        mapped.y += Float(y)
        return mapped
    }

    package func map(_ point: Point) -> Point {
        Point(x: point.x * scaleX + Float(x), y: point.y * scaleY + Float(y))
    }
}

/// Held by one thread at a time: the one that draws, then the one that encodes.
package final class WritablePicture: @unchecked Sendable {
    package let width: Int
    package let height: Int
    package let range: LumaRange
    /// Where the frame is that it shows.
    package let placement: Placement
    let pixels: FramePixels

    /// Its samples are not set.
    init(width: Int, height: Int, range: LumaRange, placement: Placement) throws(MediaError) {
        precondition(width > 0 && height > 0 && width % 2 == 0 && height % 2 == 0, "4:2:0 pictures have even sides")
        self.width = width
        self.height = height
        self.range = range
        self.placement = placement
        pixels = try FramePixels(format: AV_PIX_FMT_YUV420P, width: width, height: height)
        pixels.raw.pointee.color_range = range == .full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG
    }

    /// A black picture without a frame in it.
    package convenience init(width: Int, height: Int, range: LumaRange = .limited) throws(MediaError) {
        let whole = Placement(x: 0, y: 0, width: width, height: height, scaleX: 1, scaleY: 1)
        try self.init(width: width, height: height, range: range, placement: whole)
        blacken()
    }

    package var planes: PlanarPicture {
        let views = pixels.planes.map {
            MutableImageView(base: $0.base, width: $0.width, height: $0.height, strideBytes: $0.strideBytes)
        }
        return PlanarPicture(y: views[0], u: views[1], v: views[2], range: range)
    }

    func blacken() {
        for (index, plane) in pixels.planes.enumerated() {
            plane.fill(index > 0 ? 128 : range == .full ? 0 : 16)
        }
    }

    /// The planes from the placement's corner on.
    var corner: [Plane] {
        pixels.planes.enumerated().map { index, plane in
            let shift = index > 0 ? 1 : 0
            var moved = plane
            moved.base += (placement.y >> shift) * plane.strideBytes + (placement.x >> shift)
            return moved
        }
    }

    /// The samples of a 4:2:0 frame of the placement's size.
    func copy(_ frame: FramePixels) {
        for (from, to) in zip(frame.planes, corner) {
            av_image_copy_plane(
                to.base, Int32(to.strideBytes), from.base, Int32(from.strideBytes), Int32(from.width),
                Int32(from.height))
        }
    }
}
