// Inference knows tensors, Faces knows crops; this is where they meet.

import Faces
import Inference
import Onnx

/// Our own engine behind the classifier's protocol. One thread at a time, as the session.
final class SessionEngine: CropEngine {
    private let session: Session
    private let maximumBatch: Int

    init(graph: Graph, level: KernelLevel, maximumBatch: Int) throws(InferenceError) {
        session = try Session(graph: graph, level: level, maximumBatch: maximumBatch)
        self.maximumBatch = maximumBatch
    }

    var inputChannels: Int { session.input.channels }
    var inputSide: Int { session.input.width }

    func run(_ input: UnsafeBufferPointer<Float>, batch: Int) throws -> [Float] {
        let each = inputChannels * inputSide * inputSide
        var logits: [Float] = []
        var start = 0
        while start < batch {
            let count = min(maximumBatch, batch - start)
            let part = UnsafeBufferPointer(rebasing: input[start * each..<(start + count) * each])
            logits += try session.run(part, batch: count)[0]
            start += count
        }
        return logits
    }
}
