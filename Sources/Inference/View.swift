// How a value's ONNX shape lies over a map. Flatten, Reshape and Transpose change only this, never the map,
// so the transposes of a channels-last export cost nothing and cancel by themselves.

/// Logical axes are those after the batch. Each is a run of the map's axes in row-major order; axes of size 1
/// are left out everywhere, since they do not matter to the order.
struct View: Equatable {
    var map: MapID
    private(set) var dims: [Int]
    private(set) var factors: [[Axis]]

    /// Channels, rows, columns, as convolutions want it.
    static func planar(_ map: MapID, _ shape: MapShape) -> View {
        View(map: map, axes: [.channel, .row, .column], shape: shape)
    }

    static func vector(_ map: MapID, _ shape: MapShape) -> View {
        View(map: map, axes: [.channel], shape: shape)
    }

    /// One logical axis for each of the map's axes, in the given order.
    init(map: MapID, axes: [Axis], shape: MapShape) {
        self.map = map
        dims = axes.map(shape.size)
        factors = axes.map { shape.size($0) > 1 ? [$0] : [] }
    }

    private init(map: MapID, dims: [Int], factors: [[Axis]]) {
        self.map = map
        self.dims = dims
        self.factors = factors
    }

    /// The map's axes (without those of size 1) in the order of the value's elements.
    var order: [Axis] { factors.flatMap { $0 } }

    func isPlanar(_ shape: MapShape) -> Bool { self == .planar(map, shape) }

    /// Whether this logical axis is the channels and nothing else.
    func isChannels(_ axis: Int, _ shape: MapShape) -> Bool {
        dims[axis] == shape.channels && (factors[axis] == [.channel] || factors[axis].isEmpty && shape.channels == 1)
    }

    /// The same layout over another map.
    func over(_ map: MapID) -> View { View(map: map, dims: dims, factors: factors) }

    /// The same layout where axis `axis` has become `count` channels of another map.
    func over(_ map: MapID, channels count: Int, at axis: Int) -> View {
        var view = over(map)
        view.dims[axis] = count
        view.factors[axis] = count > 1 ? [.channel] : []
        return view
    }

    /// `permutation` counts logical axes from 0.
    func transposed(_ permutation: [Int]) -> View {
        View(map: map, dims: permutation.map { dims[$0] }, factors: permutation.map { factors[$0] })
    }

    /// Nil where an axis of the map would have to be split.
    func reshaped(_ newDims: [Int], _ shape: MapShape) -> View? {
        var rest = order[...]
        var newFactors: [[Axis]] = []
        for dim in newDims {
            var group: [Axis] = []
            var size = 1
            while size < dim, let axis = rest.popFirst() {
                size *= shape.size(axis)
                group.append(axis)
            }
            guard size == dim else { return nil }
            newFactors.append(group)
        }
        return rest.isEmpty ? View(map: map, dims: newDims, factors: newFactors) : nil
    }

    /// Without these logical axes, or with them at size 1.
    func reduced(_ axes: Set<Int>, keeps: Bool, over map: MapID) -> View {
        let kept = dims.indices.filter { keeps || !axes.contains($0) }
        return View(
            map: map, dims: kept.map { axes.contains($0) ? 1 : dims[$0] },
            factors: kept.map { axes.contains($0) ? [] : factors[$0] })
    }
}
