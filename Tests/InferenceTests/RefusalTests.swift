import Inference
import Onnx
import Testing

struct RefusalTests {
    private typealias Build = GraphBuilder

    private func refusal(_ graph: Graph) -> String {
        do {
            _ = try Session(graph: graph, level: .scalar, maximumBatch: 1)
            return "(accepted)"
        } catch {
            return error.description
        }
    }

    @Test func `an operator outside the set is named with its node`() {
        let message = refusal(Build.graph(nodes: [Build.node("QuantizeLinear", ["x", "x"])]))
        #expect(message.contains("QuantizeLinear") && message.contains("'the QuantizeLinear'"))
        #expect(message.contains("test.onnx") && message.contains("opencv"))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let nodes: [Node]
        var tensors: [String: Tensor] = [:]
        let says: String
    }

    static let cases: [Case] = [
        Case(
            testDescription: "weights of other channels",
            nodes: [Build.node("Conv", ["x", "w"])], tensors: ["w": Build.weights([4, 3, 3, 3])],
            says: "2 input channels"),
        Case(
            testDescription: "no weights at all", nodes: [Build.node("Conv", ["x"])], says: "input 1 is missing"),
        Case(
            testDescription: "zero groups", nodes: [Build.node("Conv", ["x", "w"], "y", ["group": .integer(0)])],
            tensors: ["w": Build.weights([4, 2, 3, 3])], says: "0 groups"),
        Case(
            testDescription: "a stride of zero",
            nodes: [Build.node("Conv", ["x", "w"], "y", ["strides": .integers([0, 1])])],
            tensors: ["w": Build.weights([4, 2, 3, 3])], says: "strides"),
        Case(
            testDescription: "a huge padding",
            nodes: [Build.node("Conv", ["x", "w"], "y", ["pads": .integers([1 << 19, 1 << 19, 1 << 19, 1 << 19])])],
            tensors: ["w": Build.weights([4, 2, 1, 1])], says: "limit"),
        Case(
            testDescription: "an overflowing padding",
            nodes: [Build.node("Conv", ["x", "w"], "y", ["pads": .integers([.max, .max, .max, .max])])],
            tensors: ["w": Build.weights([4, 2, 1, 1])], says: "pads"),
        Case(
            testDescription: "a window larger than the picture",
            nodes: [Build.node("MaxPool", ["x"], "y", ["kernel_shape": .integers([9, 9])])], says: "larger than"),
        Case(
            testDescription: "reflected padding",
            nodes: [Build.node("Pad", ["x", "p"], "y", ["mode": .string("reflect")])],
            tensors: ["p": Build.integers(0, 0, 1, 1, 0, 0, 1, 1)], says: "mode"),
        Case(
            testDescription: "a reshape that splits channels", nodes: [Build.node("Reshape", ["x", "s"])],
            tensors: ["s": Build.integers(1, 2, 2, 4, 8)], says: "split"),
        Case(
            testDescription: "a reshape to another count", nodes: [Build.node("Reshape", ["x", "s"])],
            tensors: ["s": Build.integers(1, 5, 5)], says: "cannot become"),
        Case(
            testDescription: "a reshape that overflows", nodes: [Build.node("Reshape", ["x", "s"])],
            tensors: ["s": Build.integers(.max, .max, 2)], says: "too large"),
        Case(
            testDescription: "a transpose of the batch",
            nodes: [Build.node("Transpose", ["x"], "y", ["perm": .integers([1, 0, 2, 3])])], says: "batch"),
        Case(
            testDescription: "a mean over channels",
            nodes: [Build.node("ReduceMean", ["x"], "y", ["axes": .integers([1])])], says: "mean"),
        Case(
            testDescription: "a softmax over columns", nodes: [Build.node("Softmax", ["x"])], says: "axis"),
        Case(
            testDescription: "an endless constant",
            nodes: [Build.node("ConstantOfShape", ["s"], "c"), Build.node("Add", ["x", "c"])],
            tensors: ["s": Build.integers(1 << 40, 1 << 40)], says: "too large"),
        Case(
            testDescription: "a constant output", nodes: [Build.node("Identity", ["k"])],
            tensors: ["k": Build.weights([1, 2])], says: "does not depend"),
        Case(
            testDescription: "upsampling with interpolation",
            nodes: [Build.node("Resize", ["x", "", "s"], "y", ["mode": .string("linear")])],
            tensors: ["s": Tensor(dims: [4], elements: .float([1, 1, 2, 2]))], says: "mode linear"),
        Case(
            testDescription: "upsampling by a fraction",
            nodes: [
                Build.node(
                    "Resize", ["x", "", "s"], "y",
                    ["coordinate_transformation_mode": .string("asymmetric"), "nearest_mode": .string("floor")])
            ], tensors: ["s": Tensor(dims: [4], elements: .float([1, 1, 1.5, 2]))], says: "whole factors"),
        Case(
            testDescription: "upsampling of channels", nodes: [Build.node("Resize", ["x", "", "s"])],
            tensors: ["s": Tensor(dims: [4], elements: .float([1, 2, 1, 1]))], says: "whole factors"),
        Case(
            testDescription: "upsampling with corners aligned",
            nodes: [
                Build.node("Resize", ["x", "", "s"], "y", ["coordinate_transformation_mode": .string("align_corners")])
            ], tensors: ["s": Tensor(dims: [4], elements: .float([1, 1, 2, 2]))], says: "align_corners"),
        Case(
            testDescription: "upsampling to a vast size",
            nodes: (0..<4).map {
                Build.node(
                    "Resize", [$0 == 0 ? "x" : "u\($0)", "", "s"], $0 == 3 ? "y" : "u\($0 + 1)",
                    ["coordinate_transformation_mode": .string("asymmetric"), "nearest_mode": .string("floor")])
            }, tensors: ["s": Tensor(dims: [4], elements: .float([1, 1, 64, 64]))], says: "limit"),
        Case(
            testDescription: "a part of the rows", nodes: [Build.node("Slice", ["x", "a", "b", "axis"])],
            tensors: ["a": Build.integers(1), "b": Build.integers(3), "axis": Build.integers(2)], says: "axis 2"),
        Case(
            testDescription: "every second channel",
            nodes: [Build.node("Slice", ["x", "a", "b", "axis", "step"])],
            tensors: [
                "a": Build.integers(0), "b": Build.integers(2), "axis": Build.integers(1), "step": Build.integers(2),
            ], says: "steps of 1"),
        Case(
            testDescription: "an empty part", nodes: [Build.node("Slice", ["x", "a", "b", "axis"])],
            tensors: ["a": Build.integers(1), "b": Build.integers(.min), "axis": Build.integers(1)], says: "empty"),
        Case(
            testDescription: "a part of the batch", nodes: [Build.node("Slice", ["x", "a", "b", "axis"])],
            tensors: ["a": Build.integers(0), "b": Build.integers(1), "axis": Build.integers(0)], says: "batch"),
        Case(
            testDescription: "clip limits crossed",
            nodes: [Build.node("Clip", ["x"], "y", ["min": .float(2), "max": .float(1)])],
            says: "limits"),
        Case(
            testDescription: "an attribute of the wrong type",
            nodes: [Build.node("LeakyRelu", ["x"], "y", ["alpha": .string("much")])], says: "alpha"),
    ]

    @Test(arguments: cases)
    func `what cannot be run is refused with a reason`(example: Case) {
        let message = refusal(Build.graph(nodes: example.nodes, initializers: example.tensors))
        #expect(message.contains(example.says), "\(message)")
    }

    @Test func `a fixed batch other than one is refused`() {
        let graph = Build.graph(
            input: [.fixed(4), .fixed(1), .fixed(8), .fixed(8)], nodes: [Build.node("Relu", ["x"])])
        #expect(refusal(graph).contains("fixed at 4"))
    }

    @Test func `open sizes need the caller's`() throws {
        let graph = Build.graph(
            input: [.symbolic("N"), .fixed(3), .symbolic("H"), .symbolic("W")], nodes: [Build.node("Relu", ["x"])])
        #expect(refusal(graph).contains("height"))
        let session = try Session(graph: graph, level: .scalar, maximumBatch: 1, inputSize: (6, 5))
        #expect([session.input.channels, session.input.height, session.input.width] == [3, 6, 5])
    }

    @Test func `a batch or an input of the wrong size is an error`() throws {
        let session = try Session(
            graph: Build.graph(nodes: [Build.node("Relu", ["x"])]), level: .scalar, maximumBatch: 2)
        let values = [Float](repeating: 0, count: 2 * 128)
        for batch in [0, 3, -1] {
            #expect(throws: InferenceError.batch(found: batch, limit: 2)) {
                try values.withUnsafeBufferPointer { try session.run($0, batch: batch) }
            }
        }
        #expect(throws: InferenceError.inputCount(expected: 128, found: 256)) {
            try values.withUnsafeBufferPointer { try session.run($0, batch: 1) }
        }
    }
}
