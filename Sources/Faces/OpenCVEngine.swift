// `--emotion-engine opencv`: emotion networks with operators outside our own engine's set, by cv::dnn.

/// One thread at a time.
package final class OpenCVEngine: CropEngine {
    package let inputChannels: Int
    package let inputSide: Int
    private let network: Network
    private let labels: Int
    /// Some exporters write the batch of the export into the graph; such a network is run crop by crop.
    private var oneByOne = false

    /// - Parameters:
    ///   - bytes: the ONNX file, whose input the caller has read: cv::dnn keeps its shape to itself.
    ///   - name: for messages.
    package init(
        bytes: UnsafeBufferPointer<UInt8>, name: String, channels: Int, side: Int, labels: Int
    ) throws(FacesError) {
        precondition(channels > 0 && side > 0 && labels > 0, "shapes are checked where the model file is read")
        network = try Network(bytes: bytes, name: name, what: "emotion network")
        inputChannels = channels
        inputSide = side
        self.labels = labels
    }

    package func run(_ input: UnsafeBufferPointer<Float>, batch: Int) throws -> [Float] {
        let each = inputChannels * inputSide * inputSide
        precondition(input.count >= batch * each, "the input holds the batch")
        guard batch > 0, let base = input.baseAddress else { return [] }
        if !oneByOne {
            do throws(FacesError) {
                return try forward(base, batch: batch)
            } catch {
                guard batch > 1 else { throw error }
                oneByOne = true
            }
        }
        var logits: [Float] = []
        for crop in 0..<batch { logits += try forward(base + crop * each, batch: 1) }
        return logits
    }

    private func forward(_ input: UnsafePointer<Float>, batch: Int) throws(FacesError) -> [Float] {
        try network.run(input, batch: batch, channels: inputChannels, height: inputSide, width: inputSide)
        let logits = network.output(0)
        guard logits.count == batch * labels else {
            throw .wrongOutput(expected: batch * labels, found: logits.count)
        }
        return Array(logits)
    }
}
