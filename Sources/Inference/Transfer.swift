// Between the caller's arrays, which have no gaps, and maps in memory, which have strides and rings.

struct Transfer {
    private let start: UnsafeMutablePointer<Float>
    private let item: Int
    private let count: Int
    /// Three nested loops, outermost first: how often, and how far in the map.
    private let loops: [(count: Int, step: Int)]

    /// - Parameter order: the map's axes in the order of the caller's elements.
    init(start: UnsafeMutablePointer<Float>, layout: Plan.Layout, shape: MapShape, order: [Axis]) {
        self.start = start
        item = layout.item
        count = shape.count
        let used = order.map { axis in
            let step =
                switch axis {
                case .channel: 1
                case .row: layout.row
                case .column: layout.pixel
                }
            return (count: shape.size(axis), step: step)
        }
        loops = Array(repeating: (count: 1, step: 0), count: 3 - used.count) + used
    }

    func fill(from values: UnsafePointer<Float>, items: Int) {
        for index in 0..<items {
            walk(item: index) { place, run, offset in
                let target = start + place
                let source = values + offset
                if run.step == 1 {
                    target.update(from: source, count: run.count)
                } else {
                    for i in 0..<run.count { target[i * run.step] = source[i] }
                }
            }
        }
    }

    func read(to values: UnsafeMutablePointer<Float>, items: Int) {
        for index in 0..<items {
            walk(item: index) { place, run, offset in
                let source = start + place
                let target = values + offset
                for i in 0..<run.count { target[i] = source[i * run.step] }
            }
        }
    }

    /// Calls `body` for each innermost run with its place in the map and in the caller's array.
    @inline(__always)
    private func walk(item index: Int, _ body: (Int, (count: Int, step: Int), Int) -> Void) {
        let (outer, middle, inner) = (loops[0], loops[1], loops[2])
        var offset = index * count
        for i in 0..<outer.count {
            for j in 0..<middle.count {
                body(index * item + i * outer.step + j * middle.step, inner, offset)
                offset += inner.count
            }
        }
    }
}
