import Media
import Testing

@Suite struct OrientationTests {
    private let one: Int32 = 65_536

    private func matrix(_ a: Int32, _ b: Int32, _ c: Int32, _ d: Int32) -> [Int32] {
        [a, b, 0, c, d, 0, 0, 0, 1 << 30]
    }

    @Test func `the four turns are told from a display matrix`() {
        let degrees = [
            matrix(one, 0, 0, one), matrix(0, one, -one, 0), matrix(-one, 0, 0, -one), matrix(0, -one, one, 0),
        ].map { Orientation(displayMatrix: $0)?.degrees }
        #expect(degrees == [0, 90, 180, 270])
    }

    @Test func `mirrors are told from a display matrix`() {
        let mirrored = Orientation(displayMatrix: matrix(-one, 0, 0, one))
        #expect(mirrored == Orientation(transposed: false, flippedX: true, flippedY: false))
        #expect(mirrored?.isMirrored == true)
    }

    @Test func `a matrix that is no right angle means nothing`() {
        let slanted: Int32 = 46_341
        #expect(Orientation(displayMatrix: matrix(slanted, slanted, -slanted, slanted)) == nil)
        #expect(Orientation(displayMatrix: matrix(0, 0, 0, 0)) == nil)
        #expect(Orientation(displayMatrix: matrix(.min, .min, .min, .min)) == nil)
        #expect(Orientation(displayMatrix: [1, 2]) == nil)
    }

    @Test func `rounded sines are taken for zero`() {
        #expect(Orientation(displayMatrix: matrix(-3, one, -one, 2))?.degrees == 90)
    }

    @Test func `the eight EXIF values are eight different orientations, and others none`() {
        #expect(Set((1...8).compactMap { Orientation(exif: $0) }).count == 8)
        #expect(Orientation(exif: 0) == nil && Orientation(exif: 9) == nil)
        #expect(
            (1...8).compactMap { Orientation(exif: $0)?.isMirrored } == [
                false, true, false, true, true, false, true, false,
            ])
    }
}
