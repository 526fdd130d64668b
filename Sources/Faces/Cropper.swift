// Step 5: one face of the full-resolution luma plane as the 48x48 grey picture that the model was trained on.

package import Core

/// One thread at a time.
package final class Cropper {
    package static let side = 48
    private let resampler = Resampler()
    private var values = [Float](repeating: 0, count: Cropper.side * Cropper.side)

    package init() {}

    /// Writes 48 x 48 bytes, row by row. Border pixels go on where the square leaves the picture; limited range is
    /// expanded on the result, which is the same as before it but for the rounding, and 100 times less work.
    package func crop(
        _ luma: ImageView, range: LumaRange, square: CropSquare, into crop: UnsafeMutablePointer<UInt8>
    ) {
        let scale: Float = range == .limited ? 255.0 / 219 : 1
        let offset: Float = range == .limited ? 16 : 0
        values.withUnsafeMutableBufferPointer { values in
            guard let base = values.baseAddress else { return }
            resampler.sample(luma, square.box, columns: Self.side, rows: Self.side, into: base)
            for i in 0..<values.count {
                crop[i] = UInt8(min(max((values[i] - offset) * scale, 0), 255) + 0.5)
            }
        }
    }

    package func crop(
        _ luma: ImageView, range: LumaRange, face: TrackedFace, into crop: UnsafeMutablePointer<UInt8>
    ) {
        self.crop(luma, range: range, square: face.cropSquare, into: crop)
    }
}
