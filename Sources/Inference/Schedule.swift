// In which order the rows of the maps are computed.
//
// Layer by layer, a map of two megabytes is written to the third-level cache and read back from there. So where
// maps are large and one item is run at a time, neighbouring steps go through the picture together, a band of rows
// each in turn: what a step reads has just been written. Rows are the same whatever the order (ck_kernels.h, "Bits").

struct Schedule {
    enum Piece: Equatable {
        /// Rows of the network's input, for callers that fill it on the way.
        case input(Range<Int>)
        case step(Int, rows: Range<Int>)
    }

    private(set) var pieces: [Piece] = []
    /// For each step the number of its group. The maps of a group are alive at the same time.
    let groups: [Int]

    /// Maps above this leave the second-level cache to nothing else.
    private static let largeMap = 192 << 10
    /// What a band of all steps of a group writes.
    private static let bandBytes = 192 << 10

    /// - Parameter interleaves: false runs step by step.
    init(_ network: Network, interleaves: Bool) {
        let ranges = interleaves ? Self.runs(network) : network.steps.indices.map { $0..<$0 + 1 }
        var groups = [Int](repeating: 0, count: network.steps.count)
        for (number, range) in ranges.enumerated() { for step in range { groups[step] = number } }
        self.groups = groups
        if ranges.first?.count ?? 1 == 1 { pieces.append(.input(0..<network.maps[network.input].shape.height)) }
        for range in ranges { append(range, of: network) }
    }

    /// Consecutive steps that read or write large maps together, all others alone.
    private static func runs(_ network: Network) -> [Range<Int>] {
        func isLarge(_ map: MapID) -> Bool { bytes(map, network) > largeMap }
        var ranges: [Range<Int>] = []
        var wasLarge = false
        for (index, step) in network.steps.enumerated() {
            let large = isLarge(step.output) || step.inputs.contains(where: isLarge)
            if large, wasLarge, let last = ranges.last {
                ranges[ranges.count - 1] = last.lowerBound..<index + 1
            } else {
                ranges.append(index..<index + 1)
            }
            wasLarge = large
        }
        return ranges
    }

    private static func bytes(_ map: MapID, _ network: Network) -> Int {
        let shape = network.maps[root(map, network)].shape
        return shape.height * shape.width * Plan.pixelStride(shape.channels) * MemoryLayout<Float>.stride
    }

    private static func root(_ map: MapID, _ network: Network) -> MapID {
        network.maps[map].slice?.parent ?? map
    }

    private mutating func append(_ range: Range<Int>, of network: Network) {
        func height(_ step: Int) -> Int { network.maps[network.steps[step].output].shape.height }
        guard range.count > 1 else {
            return pieces.append(.step(range.lowerBound, rows: 0..<height(range.lowerBound)))
        }
        let written = range.reduce(0) { $0 + Self.bytes(network.steps[$1].output, network) }
        let rounds = max(written / Self.bandBytes, 1)
        let feedsInput = range.lowerBound == 0
        let inputHeight = network.maps[network.input].shape.height
        var done = [Int](repeating: 0, count: range.count)
        var filled = feedsInput ? 0 : inputHeight
        for round in 1...rounds {
            func share(_ height: Int) -> Int { (height * round + rounds - 1) / rounds }
            if feedsInput, share(inputHeight) > filled {
                pieces.append(.input(filled..<share(inputHeight)))
                filled = share(inputHeight)
            }
            for step in range {
                /// How many rows of a map are there.
                func ready(_ map: MapID) -> Int {
                    let root = Self.root(map, network)
                    let makers = range.filter { Self.root(network.steps[$0].output, network) == root }
                    let complete = root == network.input ? filled : network.maps[root].shape.height
                    return makers.map { done[$0 - range.lowerBound] }.min() ?? complete
                }
                let first = done[step - range.lowerBound]
                let unit = network.steps[step].rowUnit
                var end = first
                while end < share(height(step)) {
                    let next = min(end + unit, height(step))
                    guard network.steps[step].canMake(row: next - 1, of: network, ready: ready) else { break }
                    end = next
                }
                guard end > first else { continue }
                pieces.append(.step(step, rows: first..<end))
                done[step - range.lowerBound] = end
            }
        }
    }
}

extension Step {
    /// Whether the rows that one row of the output is made from are there.
    fileprivate func canMake(row: Int, of network: Network, ready: (MapID) -> Int) -> Bool {
        func has(_ map: MapID, _ last: Int) -> Bool {
            ready(map) > min(max(last, 0), network.maps[map].shape.height - 1)
        }
        func reach(_ window: Window) -> Int {
            row * window.stride.height - window.pads.top + (window.kernel.height - 1) * window.dilation.height
        }
        switch self {
        case .convolution(let step):
            return has(step.input, reach(step.window))
                && step.residual.map { has($0.map, row / $0.repeats.height) } ?? true
        case .pool(let step): return has(step.input, reach(step.window))
        case .upsample(let input, _, let factors): return has(input, row / factors.height)
        // A vector that is repeated has one row; `has` stops there.
        case .scaleShift, .binary, .softmax, .copy: return inputs.allSatisfy { has($0, row) }
        }
    }
}
