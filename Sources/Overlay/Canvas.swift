// Rectangles and text on a 4:2:0 picture. All coordinates are luma pixels and may lie anywhere: what is outside the
// picture is cut off here and nowhere else.

import COpenCV
import Core

/// Half-open, whole pixels.
struct Area: Hashable, Codable {
    var left: Int
    var top: Int
    var right: Int
    var bottom: Int

    init(left: Int, top: Int, right: Int, bottom: Int) {
        self.left = left
        self.top = top
        self.right = right
        self.bottom = bottom
    }

    init(x: Int, y: Int, width: Int, height: Int) {
        self.init(left: x, top: y, right: x + width, bottom: y + height)
    }

    var width: Int { max(right - left, 0) }
    var height: Int { max(bottom - top, 0) }
    var size: Int { width * height }
    var isEmpty: Bool { width == 0 || height == 0 }

    func cut(to other: Area) -> Area {
        Area(
            left: max(left, other.left), top: max(top, other.top), right: min(right, other.right),
            bottom: min(bottom, other.bottom))
    }

    func moved(x: Int, y: Int) -> Area {
        Area(left: left + x, top: top + y, right: right + x, bottom: bottom + y)
    }
}

struct Canvas {
    private let picture: PlanarPicture
    let bounds: Area

    init(_ picture: PlanarPicture) {
        self.picture = picture
        bounds = Area(x: 0, y: 0, width: picture.y.width, height: picture.y.height)
    }

    func fill(_ area: Area, _ colour: Colour) {
        let colour = PlanarColour(colour, range: picture.range)
        let inside = area.cut(to: bounds)
        guard !inside.isEmpty else { return }
        Self.fill(picture.y, inside, colour.y)
        let chroma = Self.halved(inside)
        Self.fill(picture.u, chroma, colour.u)
        Self.fill(picture.v, chroma, colour.v)
    }

    /// Darkens what is there to a quarter and takes its colour away: a ground on which text can be read.
    func shade(_ area: Area) {
        let inside = area.cut(to: bounds)
        guard !inside.isEmpty else { return }
        Self.quarter(picture.y, inside, plus: picture.range == .limited ? 12 : 0)
        let chroma = Self.halved(inside)
        Self.quarter(picture.u, chroma, plus: 96)
        Self.quarter(picture.v, chroma, plus: 96)
    }

    /// Four bars of `thickness` within the area.
    func outline(_ area: Area, thickness: Int, _ colour: Colour) {
        guard area.width > 0, area.height > 0 else { return }
        let t = min(thickness, (min(area.width, area.height) + 1) / 2)
        fill(Area(left: area.left, top: area.top, right: area.right, bottom: area.top + t), colour)
        fill(Area(left: area.left, top: area.bottom - t, right: area.right, bottom: area.bottom), colour)
        fill(Area(left: area.left, top: area.top + t, right: area.left + t, bottom: area.bottom - t), colour)
        fill(Area(left: area.right - t, top: area.top + t, right: area.right, bottom: area.bottom - t), colour)
    }

    /// `baseline` is the y of the letters' feet.
    func text(_ text: String, x: Int, baseline: Int, _ style: TextStyle) {
        let plane = picture.y
        // Far outside there is nothing to draw, and OpenCV's integers need not be tried.
        guard abs(x) < 1 << 20, abs(baseline) < 1 << 20, plane.width < 1 << 20, plane.height < 1 << 20 else { return }
        let white: UInt8 = picture.range == .limited ? 235 : 255, black: UInt8 = picture.range == .limited ? 16 : 0
        _ = ocv_put_text(
            ocv_mutable_plane(
                base: plane.base, width: Int32(plane.width), height: Int32(plane.height),
                stride_bytes: Int64(plane.strideBytes)),
            text, Int32(x), Int32(baseline),
            ocv_text_style(
                height: style.height, thickness: Int32(style.thickness), outline: style.isOutlined ? 1 : 0,
                value: white, outline_value: black))
    }

    /// Cells of one colour each, then the hard edges between them smoothed away: an edge is a feature too.
    func pixelate(_ area: Area, cell: Int) {
        let inside = area.cut(to: bounds)
        guard !inside.isEmpty else { return }
        let chroma = Self.halved(inside)
        for (plane, area, cell) in [
            (picture.y, inside, cell), (picture.u, chroma, max(cell / 2, 2)), (picture.v, chroma, max(cell / 2, 2)),
        ] {
            Self.average(plane, area, cell: cell)
            Self.smooth(plane, area, reach: max(cell / 2, 1))
        }
    }

    private static func average(_ plane: MutableImageView, _ area: Area, cell: Int) {
        let inside = area.cut(to: Area(x: 0, y: 0, width: plane.width, height: plane.height))
        for top in stride(from: inside.top, to: inside.bottom, by: cell) {
            let bottom = min(top + cell, inside.bottom)
            for left in stride(from: inside.left, to: inside.right, by: cell) {
                let right = min(left + cell, inside.right)
                var sum = 0
                for y in top..<bottom {
                    let row = plane.base + y * plane.strideBytes
                    for x in left..<right { sum += Int(row[x]) }
                }
                let count = (bottom - top) * (right - left)
                let mean = UInt8((sum + count / 2) / count)
                for y in top..<bottom {
                    (plane.base + y * plane.strideBytes + left).update(repeating: mean, count: right - left)
                }
            }
        }
    }

    /// A box filter within the area, first along rows, then along columns.
    private static func smooth(_ plane: MutableImageView, _ area: Area, reach: Int) {
        let inside = area.cut(to: Area(x: 0, y: 0, width: plane.width, height: plane.height))
        guard !inside.isEmpty else { return }
        for y in inside.top..<inside.bottom {
            smooth(plane.base + y * plane.strideBytes + inside.left, step: 1, count: inside.width, reach: reach)
        }
        for x in inside.left..<inside.right {
            smooth(
                plane.base + inside.top * plane.strideBytes + x, step: plane.strideBytes, count: inside.height,
                reach: reach)
        }
    }

    private static func smooth(_ line: UnsafeMutablePointer<UInt8>, step: Int, count: Int, reach: Int) {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: count + 1) { sums in
            sums[0] = 0
            for i in 0..<count { sums[i + 1] = sums[i] + Int32(line[i * step]) }
            for i in 0..<count {
                let from = max(i - reach, 0), to = min(i + reach + 1, count)
                let width = Int32(to - from)
                line[i * step] = UInt8((sums[to] - sums[from] + width / 2) / width)
            }
        }
    }

    private static func halved(_ area: Area) -> Area {
        Area(
            left: area.left / 2, top: area.top / 2, right: (area.right + 1) / 2, bottom: (area.bottom + 1) / 2)
    }

    private static func fill(_ plane: MutableImageView, _ area: Area, _ value: UInt8) {
        let inside = area.cut(to: Area(x: 0, y: 0, width: plane.width, height: plane.height))
        guard !inside.isEmpty else { return }
        for row in inside.top..<inside.bottom {
            (plane.base + row * plane.strideBytes + inside.left).update(repeating: value, count: inside.width)
        }
    }

    /// c + (x - c) / 4 about the plane's centre c, as x / 4 + 3c / 4: 16 makes 12, 128 makes 96. In bytes, so that
    /// it becomes vector code.
    private static func quarter(_ plane: MutableImageView, _ area: Area, plus: UInt8) {
        let inside = area.cut(to: Area(x: 0, y: 0, width: plane.width, height: plane.height))
        guard !inside.isEmpty else { return }
        for row in inside.top..<inside.bottom {
            let pixels = plane.base + row * plane.strideBytes + inside.left
            for i in 0..<inside.width { pixels[i] = (pixels[i] &>> 2) &+ plus }
        }
    }
}

/// White letters; `height` is that of a capital.
struct TextStyle: Hashable {
    let height: Double
    let thickness: Int
    var isOutlined = false

    func width(of text: String) -> Int { Int(ocv_text_width(text, height, Int32(thickness))) }
}
