// Memory for activations and packed weights, aligned to cache lines, zeroed once, freed with its owner.

final class Arena {
    private(set) var pieces: [UnsafeMutableBufferPointer<Float>] = []
    private static let alignment = 64

    /// Zeroed; at least one element.
    func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let count = max(count, 1)
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: count * MemoryLayout<Float>.stride, alignment: Self.alignment)
        let floats = raw.bindMemory(to: Float.self, capacity: count)
        floats.initialize(repeating: 0, count: count)
        pieces.append(UnsafeMutableBufferPointer(start: floats, count: count))
        return floats
    }

    deinit {
        for piece in pieces { UnsafeMutableRawPointer(piece.baseAddress)?.deallocate() }
    }
}
