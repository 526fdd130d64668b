import Core
import Faces
import Foundation
import Testing

private func expanded(_ value: Double) -> Double { min(max((value - 16) * 255 / 219, 0), 255) }

private func noise(width: Int, height: Int, seed: UInt64) -> Grey {
    var random = SeededGenerator(seed: seed)
    return Grey(width: width, height: height) { _, _ in UInt8.random(in: 0...255, using: &random) }
}

@Test func `a small full-range picture is taken as it is, by reference`() throws {
    let picture = noise(width: 40, height: 30, seed: 1)
    let scaled = try LumaScaler().scale(picture.view, range: .full, longestSide: 640)
    #expect(scaled.view.base == picture.view.base)
    #expect(scaled.horizontal == 1 && scaled.vertical == 1)
}

@Test func `limited range becomes full range, rounded and clamped`() throws {
    let picture = Grey(width: 256, height: 2) { x, _ in UInt8(x) }
    let scaler = LumaScaler()
    let scaled = try scaler.scale(picture.view, range: .limited, longestSide: 640)
    withExtendedLifetime(scaler) {
        for x in 0..<256 {
            #expect(Double(scaled.view.base[x]) == expanded(Double(x)).rounded(), "luma \(x)")
        }
    }
}

@Test func `half the size is the mean of four pixels`() throws {
    let picture = noise(width: 200, height: 100, seed: 2)
    let scaler = LumaScaler()
    let scaled = try scaler.scale(picture.view, range: .full, longestSide: 100)
    #expect(scaled.view.width == 100 && scaled.view.height == 50)
    withExtendedLifetime(scaler) {
        for y in 0..<50 {
            for x in 0..<100 {
                let sum = [(0, 0), (1, 0), (0, 1), (1, 1)].reduce(0) { $0 + Int(picture[2 * x + $1.0, 2 * y + $1.1]) }
                #expect(abs(Double(scaled.view.base[y * scaled.view.strideBytes + x]) - Double(sum) / 4) <= 1)
            }
        }
    }
}

@Test(arguments: [(1, 1), (16, 16), (7680, 3), (3, 5000), (640, 640), (641, 2), (1920, 1080)])
func `no side is larger than asked for, none vanishes, and nothing is made larger`(width: Int, height: Int) {
    let size = LumaScaler.size(width: width, height: height, longestSide: 640)
    #expect(size.width >= 1 && size.height >= 1 && max(size.width, size.height) <= 640)
    #expect(size.width <= width && size.height <= height)
    if max(width, height) <= 640 { #expect(size == (width, height)) }
}

@Test func `a copy of one width enlarges a small picture between its pixels`() throws {
    let picture = noise(width: 40, height: 30, seed: 9)
    let scaler = LumaScaler()
    let scaled = try scaler.scale(picture.view, range: .full, width: 80)
    #expect(scaled.view.width == 80 && scaled.view.height == 60)
    #expect(scaled.horizontal == 0.5 && scaled.vertical == 0.5)
    withExtendedLifetime(scaler) {
        for y in 0..<60 {
            for x in 0..<80 {
                // Three parts of the pixel that it lies in, one of the neighbour that it is nearer to.
                let column = x / 2, beside = x % 2 == 0 ? column - 1 : column + 1
                let row = y / 2, above = y % 2 == 0 ? row - 1 : row + 1
                func across(_ y: Int) -> Double {
                    0.75 * Double(picture.clamped(column, y)) + 0.25 * Double(picture.clamped(beside, y))
                }
                let expected = 0.75 * across(row) + 0.25 * across(above)
                #expect(abs(Double(scaled.view.base[y * scaled.view.strideBytes + x]) - expected) <= 1, "\(x), \(y)")
            }
        }
    }
    #expect(LumaScaler.size(width: 1280, height: 720, asWide: 640) == (640, 360))
    #expect(LumaScaler.size(width: 3, height: 4, asWide: 64) == (64, 85))
    #expect(LumaScaler.size(width: 5000, height: 1, asWide: 64) == (64, 1))
}

/// The area average by the definition, pixel by pixel in double precision, the border going on for ever.
private func average(_ picture: Grey, _ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double) -> Double {
    var sum = 0.0
    for y in Int(y0.rounded(.down))..<Int(y1.rounded(.up)) {
        for x in Int(x0.rounded(.down))..<Int(x1.rounded(.up)) {
            let w = min(x1, Double(x + 1)) - max(x0, Double(x)), h = min(y1, Double(y + 1)) - max(y0, Double(y))
            sum += w * h * Double(picture.clamped(x, y))
        }
    }
    return sum / ((x1 - x0) * (y1 - y0))
}

@Test func `a crop is the exact average of what each pixel covers, also over the picture's edge`() {
    let picture = noise(width: 90, height: 70, seed: 3)
    let cropper = Cropper()
    var crop = [UInt8](repeating: 0, count: 48 * 48)
    var random = SeededGenerator(seed: 4)
    for _ in 0..<6 {
        let side = Float.random(in: 48...120, using: &random)
        let square = CropSquare(
            centre: Point(x: .random(in: -10...100, using: &random), y: .random(in: -10...80, using: &random)),
            side: side)
        for range in [LumaRange.full, .limited] {
            crop.withUnsafeMutableBufferPointer { bytes in
                bytes.baseAddress.map { cropper.crop(picture.view, range: range, square: square, into: $0) }
            }
            let step = Double(side) / 48
            let left = Double(square.box.x), top = Double(square.box.y)
            for (x, y) in [(0, 0), (47, 47), (0, 47), (23, 24), (10, 40)] {
                let mean = average(
                    picture, left + Double(x) * step, top + Double(y) * step, left + Double(x + 1) * step,
                    top + Double(y + 1) * step)
                let expected = range == .full ? mean : expanded(mean)
                #expect(abs(Double(crop[y * 48 + x]) - expected) <= 0.52, "\(square) \(range) \(x),\(y)")
            }
        }
    }
}

@Test func `a small face is enlarged bilinearly and a whole crop is copied`() {
    let picture = noise(width: 48, height: 48, seed: 5)
    let cropper = Cropper()
    var crop = [UInt8](repeating: 0, count: 48 * 48)
    let whole = CropSquare(centre: Point(x: 24, y: 24), side: 48)
    crop.withUnsafeMutableBufferPointer { bytes in
        bytes.baseAddress.map { cropper.crop(picture.view, range: .full, square: whole, into: $0) }
    }
    for y in 0..<48 { for x in 0..<48 { #expect(crop[y * 48 + x] == picture[x, y]) } }

    let ramp = Grey(width: 48, height: 48) { x, _ in UInt8(x * 5) }
    let half = CropSquare(centre: Point(x: 24, y: 24), side: 24)
    crop.withUnsafeMutableBufferPointer { bytes in
        bytes.baseAddress.map { cropper.crop(ramp.view, range: .full, square: half, into: $0) }
    }
    for x in 0..<48 { #expect(abs(Double(crop[x]) - (12 + (Double(x) + 0.5) / 2 - 0.5) * 5) <= 0.51) }
}

@Test(arguments: [Float.nan, .infinity, -1e30, 1e30, 0])
func `a nonsensical square gives a crop, not a crash`(value: Float) {
    let picture = noise(width: 9, height: 9, seed: 6)
    var crop = [UInt8](repeating: 0, count: 48 * 48)
    for square in [
        CropSquare(centre: Point(x: value, y: 3), side: 20), CropSquare(centre: Point(x: 3, y: 3), side: value),
        CropSquare(centre: Point(x: 1e6, y: -1e6), side: 1e5),
    ] {
        crop.withUnsafeMutableBufferPointer { bytes in
            bytes.baseAddress.map { Cropper().crop(picture.view, range: .full, square: square, into: $0) }
        }
    }
}

@Test func `five landmarks of a face land on the template within half a pixel`() throws {
    // Five soft dots where the template, at 3.7 times its size and moved, has its points.
    let scale: Float = 3.7, move = Point(x: 61.3, y: 22.8)
    let face = CropTemplate.fer2013.landmarks.mapped { Point(x: $0.x * scale + move.x, y: $0.y * scale + move.y) }
    let picture = Grey(width: 320, height: 260) { x, y in
        let near = face.points.map { point in
            let dx = Float(x) + 0.5 - point.x, dy = Float(y) + 0.5 - point.y
            return expf(-(dx * dx + dy * dy) / 60)
        }
        return UInt8(min(near.reduce(0, +), 1) * 250)
    }
    let square = try #require(CropTemplate.fer2013.square(for: face))
    var crop = [UInt8](repeating: 0, count: 48 * 48)
    crop.withUnsafeMutableBufferPointer { bytes in
        bytes.baseAddress.map { Cropper().crop(picture.view, range: .full, square: square, into: $0) }
    }
    for point in CropTemplate.fer2013.landmarks.points {
        var weight: Float = 0, x: Float = 0, y: Float = 0
        for row in Int(point.y) - 5...Int(point.y) + 5 {
            for column in Int(point.x) - 5...Int(point.x) + 5 {
                let value = Float(crop[row * 48 + column])
                weight += value
                x += value * (Float(column) + 0.5)
                y += value * (Float(row) + 0.5)
            }
        }
        #expect(abs(x / weight - point.x) < 0.5 && abs(y / weight - point.y) < 0.5, "\(point)")
    }
}

@Test func `landmarks that collapse, as in a profile, leave the crop to the box`() {
    let mapping = CropMapping(side: 0.9, of: .height, shiftX: 0, shiftY: 0)
    let box = Box(x: 0, y: 0, width: 80, height: 100)
    let point = Point(x: 40, y: 50)
    let flat = Landmarks(rightEye: point, leftEye: point, nose: point, rightMouth: point, leftMouth: point)
    let byBox = mapping.square(for: box)
    #expect(CropTemplate.fer2013.square(for: flat) == nil)
    #expect(CropTemplate.fer2013.square(box: box, landmarks: flat, mapping: mapping) == byBox)
    #expect(CropTemplate.fer2013.square(box: box, landmarks: nil, mapping: mapping) == byBox)
    #expect(byBox.side == 90 && byBox.centre == Point(x: 40, y: 50))
}

/// Blurred noise, as a face is to the aligner, moved by fractions of a pixel and scaled about `centre`.
private func texture(shift: Point, scale: Float, centre: Point, gain: Float = 1) -> Grey {
    Grey(width: 240, height: 200) { x, y in
        let u = (Float(x) + 0.5 - centre.x - shift.x) / scale + centre.x
        let v = (Float(y) + 0.5 - centre.y - shift.y) / scale + centre.y
        let value = sinf(u * 0.11) * cosf(v * 0.13) + sinf(u * 0.05 + v * 0.07) + cosf(u * 0.19 - v * 0.03) * 0.5
        return UInt8(min(max(gain * (value * 40 + 120), 0), 255))
    }
}

@Test(arguments: [
    (Point(x: 0, y: 0), Float(1), Float(1)), (Point(x: 6.4, y: -4.3), 1, 1), (Point(x: 3, y: 2), 1.08, 1),
    (Point(x: -5, y: 5), 0.94, 0.7), (Point(x: 12, y: -9), 1, 1.1),
])
func `a patch is found where it went, through changes of size and light`(shift: Point, scale: Float, gain: Float)
    throws
{
    let box = Box(x: 80, y: 60, width: 72, height: 84)
    let before = texture(shift: Point(x: 0, y: 0), scale: 1, centre: box.centre)
    let after = texture(shift: shift, scale: scale, centre: box.centre, gain: gain)
    let aligner = PatchAligner()
    let patch = try #require(aligner.patch(of: before.view, at: box))
    let match = aligner.find(patch, in: after.view, near: box)
    #expect(abs(match.box.centre.x - box.centre.x - shift.x) < 1, "\(match)")
    #expect(abs(match.box.centre.y - box.centre.y - shift.y) < 1, "\(match)")
    #expect(abs(match.box.width / box.width - scale) < 0.02, "\(match)")
    #expect(match.similarity > 0.97)
}

@Test func `a patch is not found in another picture, and a flat one is no patch`() throws {
    let aligner = PatchAligner()
    let box = Box(x: 80, y: 60, width: 72, height: 84)
    let picture = texture(shift: Point(x: 0, y: 0), scale: 1, centre: box.centre)
    let flat = Grey(width: 240, height: 200) { _, _ in 90 }
    let patch = try #require(aligner.patch(of: picture.view, at: box))
    #expect(aligner.find(patch, in: flat.view, near: box).similarity < 0.5)
    #expect(aligner.find(patch, in: noise(width: 240, height: 200, seed: 9).view, near: box).similarity < 0.5)
    #expect(aligner.patch(of: flat.view, at: box) == nil)
}
