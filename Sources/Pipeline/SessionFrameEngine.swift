// Our own engine behind the detector's protocol: a plan for the size of the pictures, made once.

import Core
import Faces
package import Inference
import Onnx

/// An engine that can say where its time goes.
package protocol ProfiledEngine: AnyObject {
    /// Of the largest plan; empty before the first picture.
    func callTimes(repeats: Int, clock: () -> Double) -> [CallTime]
}

/// One thread at a time, as its sessions.
final class SessionFrameEngine: FrameEngine, ProfiledEngine {
    let name = EngineChoice.native.rawValue
    private let graph: Graph
    private let level: KernelLevel
    private let mean: Float
    private let scale: Float
    /// The last one used first. A picture and its half, twice, for inputs that change their size and back.
    private var plans: [Session] = []
    private var places: [Int] = []
    private static let mostPlans = 4

    init(graph: Graph, level: KernelLevel, mean: Float, scale: Float) {
        self.graph = graph
        self.level = level
        self.mean = mean
        self.scale = scale
    }

    func run(_ luma: ImageView, width: Int, height: Int) throws {
        let session = try plan(width: width, height: height)
        let picture = GreyPicture(
            base: luma.base, width: luma.width, height: luma.height, rowBytes: luma.strideBytes)
        try session.run(picture, mean: mean, scale: scale)
    }

    func output(_ place: Int) -> CellValues? {
        guard let session = plans.first, places.indices.contains(place),
            let rows = session.rows(of: places[place])
        else { return nil }
        return CellValues(base: rows.base, cells: rows.rows, channels: rows.columns, stride: rows.stride)
    }

    func callTimes(repeats: Int, clock: () -> Double) -> [CallTime] {
        plans.max { $0.input.count < $1.input.count }?.callTimes(repeats: repeats, clock: clock) ?? []
    }

    private func plan(width: Int, height: Int) throws(InferenceError) -> Session {
        if let index = plans.firstIndex(where: { $0.input.width == width && $0.input.height == height }) {
            let session = plans.remove(at: index)
            plans.insert(session, at: 0)
            return session
        }
        // The oldest plan's memory is given back before the new one takes its own.
        if plans.count == Self.mostPlans { plans.removeLast() }
        let session = try Session(
            graph: graph, level: level, maximumBatch: 1, inputSize: (height, width), winograd: true)
        let names = session.outputs.map(\.name)
        places = OwnDetector.outputNames.compactMap(names.firstIndex(of:))
        plans.insert(session, at: 0)
        return session
    }
}
