import Inference
import Testing

struct GoldenTests {
    @Test func `there are goldens to compare with`() {
        #expect(Golden.small.count > 70)
    }

    @Test(arguments: Golden.small, KernelLevel.onThisCPU)
    func `a model gives what onnxruntime gives`(golden: Golden, level: KernelLevel) throws {
        try compare(golden, level)
    }

    @Test(
        .enabled(if: !Golden.heavy.isEmpty, "EMOTIOND_HEAVY_MODELS does not name a folder of make_goldens.py --heavy"),
        arguments: Golden.heavy, KernelLevel.onThisCPU.suffix(1))
    func `a full-size model gives what onnxruntime gives`(golden: Golden, level: KernelLevel) throws {
        try compare(golden, level)
    }

    @Test(arguments: Golden.small.filter(\.hasOpenSize), KernelLevel.onThisCPU)
    func `a detector gives what onnxruntime gives, by fewer products too`(
        golden: Golden, level: KernelLevel
    ) throws {
        try compare(golden, level, winograd: true)
    }

    @Test(arguments: Golden.small, KernelLevel.onThisCPU)
    func `a batch equals its items one by one to the bit`(golden: Golden, level: KernelLevel) throws {
        let together = try Session(
            graph: golden.graph(), level: level, maximumBatch: golden.batch + 2, inputSize: golden.inputSize)
        let alone = try Session(
            graph: golden.graph(), level: level, maximumBatch: 1, inputSize: golden.inputSize)
        let values = try golden.floats(golden.input)
        // The larger session has run something else before: nothing of it may stay behind.
        _ = try values.map { 3 - $0 }.withUnsafeBufferPointer { try together.run($0, batch: golden.batch) }
        let whole = try values.withUnsafeBufferPointer { try together.run($0, batch: golden.batch) }
        let length = together.input.count
        for item in 0..<golden.batch {
            let one = try values[item * length..<(item + 1) * length].withUnsafeBufferPointer {
                try alone.run($0, batch: 1)
            }
            for (index, info) in alone.outputs.enumerated() {
                let part = whole[index][item * info.count..<(item + 1) * info.count]
                #expect(one[index].map(\.bitPattern) == part.map(\.bitPattern), "item \(item) of \(info.name)")
            }
        }
    }

    private func compare(_ golden: Golden, _ level: KernelLevel, winograd: Bool = false) throws {
        let session = try Session(
            graph: golden.graph(), level: level, maximumBatch: golden.batch, inputSize: golden.inputSize,
            winograd: winograd)
        let values = try golden.floats(golden.input)
        let results = try values.withUnsafeBufferPointer { try session.run($0, batch: golden.batch) }
        try #require(results.count == golden.outputs.count)
        for (index, output) in golden.outputs.enumerated() {
            let expected = try golden.floats(output.file)
            #expect(session.outputs[index].name == output.name)
            #expect(session.outputs[index].shape == Array(output.shape.dropFirst()))
            try #require(results[index].count == expected.count)
            let largest = expected.map(\.magnitude).max() ?? 0
            let difference = zip(results[index], expected).map { ($0 - $1).magnitude }.max() ?? 0
            #expect(difference <= 1e-4 * largest, "\(output.name): off by \(difference), largest \(largest)")
        }
    }
}
