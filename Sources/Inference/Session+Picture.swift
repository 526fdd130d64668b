// One grey picture straight from its bytes, and the answers where they lie: for networks that look at whole frames,
// where copies would cost as much as a layer.

import CKernels

/// 8-bit values, borrowed for the time of a call.
package struct GreyPicture {
    package let base: UnsafePointer<UInt8>
    package let width: Int
    package let height: Int
    package let rowBytes: Int

    package init(base: UnsafePointer<UInt8>, width: Int, height: Int, rowBytes: Int) {
        self.base = base
        self.width = width
        self.height = height
        self.rowBytes = rowBytes
    }
}

/// An output as rows of `columns` values, `stride` floats apart. Valid until the session's next run.
package struct OutputRows {
    package let base: UnsafePointer<Float>
    package let rows: Int
    package let columns: Int
    package let stride: Int
}

extension Session {
    /// Runs on a picture that lies in the upper left of the input, each value as (v - mean) * scale. What the
    /// picture does not cover is zero, as the padding of convolutions is.
    package func run(_ picture: GreyPicture, mean: Float, scale: Float) throws(InferenceError) {
        guard input.channels == 1, picture.width <= input.width, picture.height <= input.height else {
            throw .inputCount(expected: input.count, found: picture.width * picture.height)
        }
        let mode = ck_denormals_off()
        defer { ck_denormals_restore(mode) }
        for piece in schedule.pieces {
            switch piece {
            case .input(let rows): fill(rows, from: picture, mean: mean, scale: scale)
            case .step(let index, let rows):
                calls[index].run(kernels, items: 1, rows: Int32(rows.lowerBound)..<Int32(rows.upperBound))
            }
        }
    }

    private func fill(_ rows: Range<Int>, from picture: GreyPicture, mean: Float, scale: Float) {
        let layout = inputLayout, start = inputStart
        let strides = ck_strides(image: layout.item, row: layout.row, pixel: layout.pixel)
        let covered = rows.clamped(to: 0..<picture.height)
        if !covered.isEmpty {
            var geometry = ck_normalize(
                images: 1, height: Int32(picture.height), width: Int32(picture.width), src_image_bytes: 0,
                src_row_bytes: picture.rowBytes, mean: mean, scale: scale, copies: 1, dst: strides)
            kernels.normalize(
                &geometry, picture.base, start, Int32(covered.lowerBound), Int32(covered.upperBound))
        }
        // The memory may have held another picture, or another map of this geometry.
        for row in rows {
            let from = row < picture.height ? picture.width : 0
            (start + row * layout.row + from).update(repeating: 0, count: input.width - from)
        }
    }

    /// The last run's output of that place in `outputs`; nil where its values do not lie in rows.
    package func rows(of output: Int) -> OutputRows? { outputRows[output] }
}

extension OutputRows {
    /// Of a view of two axes: cells, row by row, and channels. Nil where the cells do not follow one another.
    init?(_ view: View, shape: MapShape, layout: Plan.Layout, start: UnsafePointer<Float>) {
        let isCells =
            view.dims.count == 2 && view.dims[0] == shape.height * shape.width && view.dims[1] == shape.channels
        let order = view.order.filter { $0 != .channel }
        guard isCells, order == [.row, .column].filter({ shape.size($0) > 1 }),
            view.order.dropLast().allSatisfy({ $0 != .channel }),
            shape.height == 1 || layout.row == shape.width * layout.pixel
        else { return nil }
        self.init(base: start, rows: view.dims[0], columns: shape.channels, stride: layout.pixel)
    }
}
