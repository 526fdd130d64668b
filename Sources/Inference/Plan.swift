// Where each map of a network lies in memory. Decided once, when a session is made.
//
// Pixels follow one another row by row with their channels innermost. A map that a padded convolution reads
// is surrounded by a ring of zeros, so that kernels have no border branches. Writers never touch the ring, and
// a piece of memory with a ring serves only maps of one and the same geometry: so the zeros are written once,
// when the memory is made, and no run spends time on them.

struct Plan {
    /// Distances in elements. `origin` is the first pixel of the picture proper, counted from the slot's start.
    struct Layout: Equatable {
        var slot = 0
        var origin = 0
        var pixel = 0
        var row = 0
        var item = 0
    }

    let layouts: [Layout]
    /// Elements per item of each slot.
    let slots: [Int]
    let outputs: [(name: String, view: View)]

    /// Maps of one geometry may share memory; those without a ring share any that is large enough.
    private struct Geometry: Hashable {
        var height: Int
        var width: Int
        var pixel: Int
        var ring: [Int]
    }

    private struct Slot {
        var geometry: Geometry?
        var elements: Int
        var freeFrom: Int
    }

    /// - Parameter groups: for each step the number of the group that it runs in, ascending; steps of a group run
    ///   at the same time.
    init(_ network: Network, groups: [Int]) {
        let maps = network.maps
        let rings = Self.rings(network)
        let lives = Self.lives(network, groups)
        var members: [Int: Int] = [:]
        for group in groups { members[group, default: 0] += 1 }
        var slots: [Slot] = []
        var layouts = [Layout](repeating: Layout(), count: maps.count)
        var hasSlot = [Bool](repeating: false, count: maps.count)

        func place(_ map: MapID, at group: Int, takingOver operand: MapID?) {
            let shape = maps[map].shape
            let ring = rings[map]
            let pixel = Self.pixelStride(shape.channels)
            let row = (shape.width + ring.left + ring.right) * pixel
            let elements = (shape.height + ring.top + ring.bottom) * row
            let geometry =
                ring == Pads()
                ? nil
                : Geometry(
                    height: shape.height, width: shape.width, pixel: pixel,
                    ring: [ring.top, ring.left, ring.bottom, ring.right])
            var layout = Layout(
                slot: 0, origin: ring.top * row + ring.left * pixel, pixel: pixel, row: row, item: elements)
            if let operand, lives[operand] == group, members[group] == 1, layouts[operand].sameGeometry(as: layout),
                slots[layouts[operand].slot].geometry == geometry
            {
                layout.slot = layouts[operand].slot
            } else {
                let free = slots.indices.filter { slots[$0].geometry == geometry && slots[$0].freeFrom <= group }
                if let best = free.min(by: {
                    Self.misfit(slots[$0].elements, elements) < Self.misfit(slots[$1].elements, elements)
                }) {
                    layout.slot = best
                } else {
                    layout.slot = slots.count
                    slots.append(Slot(geometry: geometry, elements: elements, freeFrom: 0))
                }
            }
            slots[layout.slot].elements = max(slots[layout.slot].elements, elements)
            slots[layout.slot].freeFrom = lives[map] == .max ? .max : lives[map] + 1
            layouts[map] = layout
            hasSlot[map] = true
        }

        place(network.input, at: -1, takingOver: nil)
        for (index, step) in network.steps.enumerated() {
            let slice = maps[step.output].slice
            let root = slice?.parent ?? step.output
            if !hasSlot[root] {
                place(root, at: groups[index], takingOver: slice == nil ? Self.operandToReplace(step, maps) : nil)
            }
            if let slice {
                layouts[step.output] = layouts[root]
                layouts[step.output].origin += slice.firstChannel
            }
        }
        // Parts that are only read.
        for (map, slice) in maps.enumerated().compactMap({ map, value in value.slice.map { (map, $0) } }) {
            layouts[map] = layouts[slice.parent]
            layouts[map].origin += slice.firstChannel
        }
        self.layouts = layouts
        self.slots = slots.map(\.elements)
        outputs = network.outputs
    }

    /// Whole vectors of 16 floats for all but the narrowest maps: an input of one channel stays dense.
    static func pixelStride(_ channels: Int) -> Int { channels < 8 ? channels : (channels + 15) / 16 * 16 }

    /// Growing a slot costs what is added, wasting one costs what is left over.
    private static func misfit(_ slot: Int, _ need: Int) -> Int { abs(slot - need) }

    /// An operand that the kernel may write over, being read element by element.
    private static func operandToReplace(_ step: Step, _ maps: [Map]) -> MapID? {
        let operand: MapID? =
            switch step {
            case .convolution(let step): step.residual?.map
            case .scaleShift(let step): step.input
            case .binary(let step): maps[step.first].shape == maps[step.output].shape ? step.first : step.second
            case .softmax(let input, _): input
            case .pool, .copy, .upsample: nil
            }
        // A slice's memory belongs to the whole, which others read too.
        guard let operand, maps[operand].slice == nil else { return nil }
        // The convolution's own input must survive until the last pixel.
        if case .convolution(let step) = step, step.input == operand { return nil }
        if case .binary(let step) = step, step.first == step.second { return nil }
        return operand
    }

    /// How far convolutions read beyond each map's picture.
    private static func rings(_ network: Network) -> [Pads] {
        var rings = [Pads](repeating: Pads(), count: network.maps.count)
        for case .convolution(let step) in network.steps {
            let (input, output) = (network.maps[step.input].shape, network.maps[step.output].shape)
            let window = step.window
            // The picture and the padding after it may be larger than what the strides reach.
            let rows =
                (output.height - 1) * window.stride.height + (window.kernel.height - 1) * window.dilation.height + 1
            let columns =
                (output.width - 1) * window.stride.width + (window.kernel.width - 1) * window.dilation.width + 1
            let reach = Pads(
                top: window.pads.top, left: window.pads.left,
                bottom: max(rows - window.pads.top - input.height, 0),
                right: max(columns - window.pads.left - input.width, 0))
            let root = network.maps[step.input].slice?.parent ?? step.input
            rings[root] = rings[root].widest(reach)
        }
        return rings
    }

    /// The last group that reads each map; outputs are read after all of them. A slice lives as the whole does.
    private static func lives(_ network: Network, _ groups: [Int]) -> [Int] {
        var last = [Int](repeating: -1, count: network.maps.count)
        func root(_ map: MapID) -> MapID { network.maps[map].slice?.parent ?? map }
        for (group, step) in zip(groups, network.steps) {
            for map in step.inputs { last[root(map)] = max(last[root(map)], group) }
            last[root(step.output)] = max(last[root(step.output)], group)
        }
        for output in network.outputs { last[root(output.view.map)] = .max }
        return last
    }
}

extension Plan.Layout {
    fileprivate func sameGeometry(as other: Plan.Layout) -> Bool {
        origin == other.origin && pixel == other.pixel && row == other.row && item == other.item
    }
}
