// Borrowed pixels. The views own nothing: whoever makes one keeps the memory alive while it is used.

/// One plane of 8-bit samples: `height` rows of `width` bytes, `strideBytes` apart (never negative).
package struct ImageView {
    package let base: UnsafePointer<UInt8>
    package let width: Int
    package let height: Int
    package let strideBytes: Int

    package init(base: UnsafePointer<UInt8>, width: Int, height: Int, strideBytes: Int) {
        precondition(width > 0 && height > 0 && strideBytes >= width, "a view has pixels and its rows do not overlap")
        self.base = base
        self.width = width
        self.height = height
        self.strideBytes = strideBytes
    }
}

/// As `ImageView`, to be written.
package struct MutableImageView {
    package let base: UnsafeMutablePointer<UInt8>
    package let width: Int
    package let height: Int
    package let strideBytes: Int

    package init(base: UnsafeMutablePointer<UInt8>, width: Int, height: Int, strideBytes: Int) {
        precondition(width > 0 && height > 0 && strideBytes >= width, "a view has pixels and its rows do not overlap")
        self.base = base
        self.width = width
        self.height = height
        self.strideBytes = strideBytes
    }

    package var view: ImageView { ImageView(base: base, width: width, height: height, strideBytes: strideBytes) }
}

/// How a luma sample maps to light: 0…255, or 16…235 as most video has it.
package enum LumaRange: Sendable { case full, limited }

/// A writable 4:2:0 picture; chroma planes are half the size, rounded up. This is what Overlay draws on.
package struct PlanarPicture {
    package let y: MutableImageView
    package let u: MutableImageView
    package let v: MutableImageView
    package let range: LumaRange

    package init(y: MutableImageView, u: MutableImageView, v: MutableImageView, range: LumaRange) {
        self.y = y
        self.u = u
        self.v = v
        self.range = range
    }
}
