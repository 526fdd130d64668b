// A loaded model: graph, plan, packed weights and memory for activations. This is all that the rest of the
// program sees of inference.

import CKernels
package import Onnx

/// Not thread-safe: a run works in the session's own memory. One session a thread; it is not `Sendable`, and
/// the compiler says so.
package final class Session {
    package struct InputInfo: Sendable, Equatable {
        package let channels: Int
        package let height: Int
        package let width: Int
        package var count: Int { channels * height * width }
    }

    package struct OutputInfo: Sendable, Equatable {
        package let name: String
        /// Without the batch.
        package let shape: [Int]
        package var count: Int { shape.reduce(1, *) }
    }

    package let level: KernelLevel
    package let maximumBatch: Int
    /// Of one item. A model of vectors has one row of one column.
    package let input: InputInfo
    package let outputs: [OutputInfo]

    let kernels: ck_kernels
    let calls: [Call]
    let schedule: Schedule
    let inputLayout: Plan.Layout
    let inputStart: UnsafeMutablePointer<Float>
    let outputRows: [OutputRows?]
    private let transfers: (input: Transfer, outputs: [Transfer])
    /// Owns everything that the calls point to.
    private let arena: Arena
    /// Items that go through the whole net together; a larger batch goes in several passes.
    package let itemsPerPass: Int

    /// How many kernel calls a pass takes: what is left of the graph's nodes after folding and fusing.
    package var kernelCalls: Int { calls.count }

    /// What a single item's intermediate results may take.
    private static let itemBytes = 1 << 30

    /// - Parameters:
    ///   - maximumBatch: the most items of a run.
    ///   - inputSize: height and width, where the file leaves them open.
    ///   - winograd: lets 3x3 convolutions be computed with a quarter of the products, a little less exactly: for
    ///     networks whose answers are not compared to the last digits.
    ///   - passBytes: memory for intermediate results; a batch that needs more is run in several passes, which
    ///     changes nothing but the time. Nil chooses by the model.
    package init(
        graph: Graph, level: KernelLevel, maximumBatch: Int, inputSize: (height: Int, width: Int)? = nil,
        winograd: Bool = false, passBytes: Int? = nil
    ) throws(InferenceError) {
        precondition(maximumBatch >= 1, "a batch has items")
        if let reason = level.obstacle { throw .levelMissing(name: level.name, reason: reason) }
        var lowered = try Lowering.network(of: graph, inputSize: inputSize)
        if winograd { lowered.useWinograd() }
        let network = lowered
        let schedule = Schedule(network, interleaves: maximumBatch == 1)
        let plan = Plan(network, groups: schedule.groups)
        let perItem = plan.slots.reduce(0, +) * MemoryLayout<Float>.stride
        guard perItem <= Self.itemBytes else {
            throw .tooLarge(
                file: graph.name, what: "\(perItem) bytes for intermediate results", limit: "\(Self.itemBytes) bytes")
        }
        let items = min(maximumBatch, max((passBytes ?? Self.passBytes(network)) / perItem, 1))
        let arena = Arena()
        let slots = plan.slots.map { arena.allocate($0 * items) }
        let kernels = level.kernels
        let builder = CallBuilder(network: network, plan: plan, slots: slots, kernels: kernels, arena: arena)
        calls = network.steps.map(builder.call)
        func transfer(_ view: View) -> Transfer {
            let layout = plan.layouts[view.map]
            return Transfer(
                start: slots[layout.slot] + layout.origin, layout: layout, shape: network.maps[view.map].shape,
                order: view.order)
        }
        outputRows = network.outputs.map { _, view in
            let layout = plan.layouts[view.map]
            return OutputRows(
                view, shape: network.maps[view.map].shape, layout: layout, start: slots[layout.slot] + layout.origin)
        }
        self.schedule = schedule
        inputLayout = plan.layouts[network.input]
        inputStart = slots[inputLayout.slot] + inputLayout.origin
        let shape = network.maps[network.input].shape
        transfers = (
            input: transfer(.planar(network.input, shape)), outputs: network.outputs.map { transfer($0.view) }
        )
        input = InputInfo(channels: shape.channels, height: shape.height, width: shape.width)
        outputs = network.outputs.map { OutputInfo(name: $0.name, shape: $0.view.dims) }
        itemsPerPass = items
        self.level = level
        self.maximumBatch = maximumBatch
        self.kernels = kernels
        self.arena = arena
    }

    /// - Parameters:
    ///   - values: batch x channels x rows x columns without gaps, also where the file's own input is
    ///     channels-last.
    ///   - batch: 1 to `maximumBatch`.
    /// - Returns: for each output its items one after the other, in the order that the file gives the output.
    ///   An item's results do not depend on what else is in the batch, to the bit.
    package func run(_ values: UnsafeBufferPointer<Float>, batch: Int) throws(InferenceError) -> [[Float]] {
        guard 1...maximumBatch ~= batch else { throw .batch(found: batch, limit: maximumBatch) }
        guard values.count == batch * input.count, let start = values.baseAddress else {
            throw .inputCount(expected: batch * input.count, found: values.count)
        }
        // Denormals cost a hundred times a normal product and mean nothing to a classifier.
        let mode = ck_denormals_off()
        defer { ck_denormals_restore(mode) }
        var results = outputs.map { info in [Float](repeating: 0, count: info.count * batch) }
        for first in stride(from: 0, to: batch, by: itemsPerPass) {
            let items = min(itemsPerPass, batch - first)
            transfers.input.fill(from: start + first * input.count, items: items)
            for case .step(let index, let rows) in schedule.pieces {
                calls[index].run(
                    kernels, items: Int32(items), rows: Int32(rows.lowerBound)..<Int32(items * rows.upperBound))
            }
            for (index, transfer) in transfers.outputs.enumerated() {
                results[index].withUnsafeMutableBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    transfer.read(to: base + first * outputs[index].count, items: items)
                }
            }
        }
        return results
    }

    /// A pass reads all weights and all its intermediate results once a layer. Small nets are fastest where the
    /// latter stay in the second-level cache, which for 48x48 crops means one item at a time; nets whose weights
    /// fit no cache gain from reading them for several items at once. Measured on both kinds (docs/kernels.md).
    private static func passBytes(_ network: Network) -> Int {
        let weights = network.steps.reduce(0) { sum, step in
            if case .convolution(let step) = step { sum + step.weights.count } else { sum }
        }
        return max(1 << 20, weights * MemoryLayout<Float>.stride / 4)
    }
}
