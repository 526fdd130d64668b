// How a decoded picture must be turned to stand upright: from a display matrix or an EXIF orientation.

/// One of the eight ways to lay a rectangle onto itself: first transposed (x and y exchanged), then flipped.
package struct Orientation: Hashable, Sendable {
    package var transposed: Bool
    package var flippedX: Bool
    package var flippedY: Bool

    package static let upright = Orientation(transposed: false, flippedX: false, flippedY: false)

    package init(transposed: Bool, flippedX: Bool, flippedY: Bool) {
        self.transposed = transposed
        self.flippedX = flippedX
        self.flippedY = flippedY
    }

    /// EXIF tag 274; nil for numbers that mean nothing.
    package init?(exif value: Int) {
        switch value {
        case 1: self.init(transposed: false, flippedX: false, flippedY: false)
        case 2: self.init(transposed: false, flippedX: true, flippedY: false)
        case 3: self.init(transposed: false, flippedX: true, flippedY: true)
        case 4: self.init(transposed: false, flippedX: false, flippedY: true)
        case 5: self.init(transposed: true, flippedX: false, flippedY: false)
        case 6: self.init(transposed: true, flippedX: true, flippedY: false)
        case 7: self.init(transposed: true, flippedX: true, flippedY: true)
        case 8: self.init(transposed: true, flippedX: false, flippedY: true)
        default: return nil
        }
    }

    /// A display matrix as FFmpeg and QuickTime write it, nine 16.16 numbers by rows: x' = a·x + c·y, y' = b·x + d·y.
    /// Nil where it is no multiple of a right angle, with or without a mirror.
    package init?(displayMatrix m: [Int32]) {
        guard m.count == 9 else { return nil }
        let (a, b, c, d) = (Int64(m[0]), Int64(m[1]), Int64(m[3]), Int64(m[4]))
        let straight = min(abs(a), abs(d))
        let crossed = min(abs(b), abs(c))
        // Rounded sines leave a few units where zero is meant; 1 % tells a right angle from others.
        if straight > 0, max(abs(b), abs(c)) * 100 <= straight {
            self.init(transposed: false, flippedX: a < 0, flippedY: d < 0)
        } else if crossed > 0, max(abs(a), abs(d)) * 100 <= crossed {
            self.init(transposed: true, flippedX: c < 0, flippedY: b < 0)
        } else {
            return nil
        }
    }

    package var isMirrored: Bool { transposed != (flippedX != flippedY) }

    /// Clockwise turn, after a left-right mirror where `isMirrored`.
    package var degrees: Int {
        switch (transposed, flippedX, flippedY) {
        case (false, false, false), (false, true, false): 0
        case (false, true, true), (false, false, true): 180
        case (true, true, false), (true, true, true): 90
        case (true, false, true), (true, false, false): 270
        }
    }

    /// Size after turning.
    package func size(width: Int, height: Int) -> (width: Int, height: Int) {
        transposed ? (height, width) : (width, height)
    }
}
