// What the graph says of its input, as the shape of a map.

import Onnx

struct InputShape {
    let map: MapShape
    /// The order of the map's axes in the graph's own input.
    let axes: [Axis]

    init(file: String, value: ValueInfo, size: (height: Int, width: Int)?) throws(InferenceError) {
        guard value.isFloat, let dims = value.dims, let batch = dims.first else {
            throw .input(file: file, reason: "'\(value.name)' is not a float32 tensor of known rank")
        }
        if case .fixed(let count) = batch, count != 1 {
            throw .input(
                file: file, reason: "its batch is fixed at \(count); export with a dynamic batch or a batch of 1")
        }
        switch dims.count {
        case 2:
            let features = try Self.fixed(dims[1], or: nil, file, "the number of features")
            map = MapShape(channels: features, height: 1, width: 1)
            axes = [.channel]
        case 4:
            let last = Self.isChannelCount(dims[3]) && !Self.isChannelCount(dims[1])
            let (channels, rows, columns) = last ? (dims[3], dims[1], dims[2]) : (dims[1], dims[2], dims[3])
            map = MapShape(
                channels: try Self.fixed(channels, or: nil, file, "the number of channels"),
                height: try Self.fixed(rows, or: size?.height, file, "the height"),
                width: try Self.fixed(columns, or: size?.width, file, "the width"))
            axes = last ? [.row, .column, .channel] : [.channel, .row, .column]
        default:
            throw .input(
                file: file, reason: "\(dims.count) dimensions; 4 (N,C,H,W or N,H,W,C) or 2 (N,F) are supported")
        }
    }

    /// A picture has one to four channels; that tells the layouts apart.
    private static func isChannelCount(_ dim: ValueInfo.Dimension) -> Bool {
        if case .fixed(1...4) = dim { true } else { false }
    }

    private static func fixed(
        _ dim: ValueInfo.Dimension, or size: Int?, _ file: String, _ what: String
    ) throws(InferenceError) -> Int {
        switch dim {
        case .fixed(let size) where size > 0: return size
        case .fixed(let size): throw .input(file: file, reason: "\(what) is \(size)")
        case .symbolic:
            guard let size, size > 0 else { throw .input(file: file, reason: "\(what) is not fixed in the file") }
            return size
        }
    }
}
