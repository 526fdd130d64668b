import Faces
import Foundation
import Testing

/// A network of one weight a label: logit k is (k + 1) times the mean of the crop. Opset 13, input [N,1,48,48].
private let meanTimesLabel =
    Data(
        base64Encoded: """
            CAg6ygEKKgoFaW5wdXQKAXcSAWEiBENvbnYqFQoMa2VybmVsX3NoYXBlQAFAAaABBwoZCgFhEgFiIhFHbG9iYWxB\
            dmVyYWdlUG9vbAoUCgFiEgZsb2dpdHMiB0ZsYXR0ZW4SAWcqKwgHCAEIAQgBEAFCAXdKHAAAgD8AAABAAABAQAAA\
            gEAAAKBAAADAQAAA4EBaIAoFaW5wdXQSFwoVCAESEQoDEgFOCgIIAQoCCDAKAggwYhkKBmxvZ2l0cxIPCg0IARIJ\
            CgMSAU4KAggHQgQKABAN\

            """) ?? Data()

private let pixels = 48 * 48

private func engine(_ file: Data = meanTimesLabel, labels: Int = 7) throws -> OpenCVEngine {
    try Array(file).withUnsafeBufferPointer {
        try OpenCVEngine(bytes: $0, name: "test.onnx", channels: 1, side: 48, labels: labels)
    }
}

@Suite(.serialized)
struct OpenCVEngineTests {
    @Test
    func `a batch gives the same as its crops one by one, in any order of batch sizes`() throws {
        let engine = try engine()
        for batch in [1, 16, 3, 1] {
            let input = (0..<batch * pixels).map { Float($0 / pixels) }
            let logits = try input.withUnsafeBufferPointer { try engine.run($0, batch: batch) }
            let expected = (0..<batch).flatMap { crop in (1...7).map { Float(crop * $0) } }
            #expect(logits.count == expected.count)
            #expect(zip(logits, expected).allSatisfy { abs($0 - $1) < 1e-3 }, "batch \(batch)")
        }
    }

    @Test
    func `a network with another number of labels is an error`() throws {
        let engine = try engine(labels: 8)
        let input = [Float](repeating: 1, count: 2 * pixels)
        #expect(throws: FacesError.wrongOutput(expected: 8, found: 7)) {
            try input.withUnsafeBufferPointer { try engine.run($0, batch: 2) }
        }
    }

    @Test
    func `a file that is no network is an error that names it`() {
        for file in [Data(), Data("no model".utf8), meanTimesLabel.prefix(60)] {
            let error = #expect(throws: FacesError.self) { try engine(file) }
            #expect(error?.description.contains("test.onnx") == true)
        }
    }

    @Test
    func `an emotion network is refused as a face detector, with the names of its outputs`() throws {
        let file = try TemporaryFile(meanTimesLabel)
        let error = #expect(throws: FacesError.self) { try DetectorLoader.load(path: file.path) }
        #expect(error == .notADetector(path: file.path, outputs: ["logits"]))
    }
}
