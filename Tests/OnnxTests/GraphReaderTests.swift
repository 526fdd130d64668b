import Onnx
import Testing

struct GraphReaderTests {
    private func read(_ writer: ModelWriter, hash: Bool = false) throws(OnnxError) -> Graph {
        var check: HashOfPieces?
        if hash { check = { SHA256.hex($0) } }
        return try Graph(bytes: writer.bytes, name: "m.onnx", sha256: check)
    }

    private func message(_ change: (inout ModelWriter) -> Void) -> String {
        var writer = ModelWriter()
        change(&writer)
        do {
            _ = try read(writer)
            return "(accepted)"
        } catch {
            return error.description
        }
    }

    @Test func `a whole model is read`() throws {
        var writer = ModelWriter()
        writer.metadata = [("labels", "a,b,c")]
        let graph = try read(writer)
        #expect(graph.opset == 13 && graph.metadata == ["labels": "a,b,c"])
        #expect(graph.nodes.map(\.operation) == ["Gemm"])
        #expect(graph.initializers["w"]?.dims == [2, 3])
        #expect(graph.inputs == [ValueInfo(name: "x", isFloat: true, dims: [.symbolic("N"), .fixed(2)])])
        #expect(graph.outputs.map(\.name) == ["y"])
    }

    @Test func `typed and raw elements of every kind are decoded`() throws {
        var writer = ModelWriter()
        var packed = Wire()
        packed.varint(5)
        packed.varint(UInt64(bitPattern: -3))
        writer.moreTensors = [
            ModelWriter.tensor("f64", dims: [1], type: 11, raw: [0, 0, 0, 0, 0, 0, 0xf8, 0x3f]),
            ModelWriter.tensor("i64", dims: [1], type: 7, raw: [0xfe] + Array(repeating: 0xff, count: 7)),
            ModelWriter.tensor("i32", dims: [1], type: 6, raw: [1, 1, 0, 0]),
            ModelWriter.tensor("i8", dims: [2], type: 3, raw: [0xff, 2]),
            ModelWriter.tensor("u8", dims: [2], type: 2, raw: [0xff, 2]),
            ModelWriter.tensor("bool", dims: [], type: 9, raw: [1]),
            ModelWriter.tensor("typed", dims: [2], type: 7, raw: nil).with(7, packed),
        ]
        let tensors = try read(writer).initializers
        #expect(tensors["f64"]?.elements == .double([1.5]))
        #expect(tensors["i64"]?.elements == .int64([-2]))
        #expect(tensors["i32"]?.elements == .int32([257]))
        #expect(tensors["i8"]?.elements == .int8([-1, 2]))
        #expect(tensors["u8"]?.elements == .uint8([255, 2]))
        #expect(tensors["bool"]?.elements == .bool([true]))
        #expect(tensors["typed"]?.elements == .int64([5, -3]))
    }

    @Test func `nodes out of order are put in order`() throws {
        var writer = ModelWriter()
        writer.nodes = [
            ModelWriter.node("Relu", name: "last", inputs: ["h"], outputs: ["y"]),
            ModelWriter.node("Gemm", name: "first", inputs: ["x", "w"], outputs: ["h"]),
        ]
        #expect(try read(writer).nodes.map(\.name) == ["'first'", "'last'"])
    }

    @Test func `a cycle, a missing value and a value made twice are refused`() {
        let cycle = message {
            $0.nodes = [
                ModelWriter.node("Add", name: "one", inputs: ["x", "b"], outputs: ["a"]),
                ModelWriter.node("Relu", name: "two", inputs: ["a"], outputs: ["b"]),
                ModelWriter.node("Relu", name: "three", inputs: ["b"], outputs: ["y"]),
            ]
        }
        #expect(cycle.contains("waits for its own output"))
        let missing = message { $0.nodes = [ModelWriter.node("Gemm", name: "g", inputs: ["x", "v"], outputs: ["y"])] }
        #expect(missing.contains("'v'") && missing.contains("'g'"))
        #expect(message { $0.outputs = ["z"] }.contains("'z'"))
        #expect(message { $0.nodes += $0.nodes }.contains("made twice"))
    }

    @Test func `tensor errors name the tensor, expected and found bytes`() {
        let short = message {
            $0.weights = ModelWriter.tensor("w", dims: [2, 3], raw: [UInt8](repeating: 0, count: 23))
        }
        #expect(short.contains("'w'") && short.contains("24 bytes") && short.contains("23"))
        let none = message { $0.weights = ModelWriter.tensor("w", dims: [2, 3], raw: nil) }
        #expect(none.contains("'w'") && none.contains("24 bytes") && none.contains("has 0"))
    }

    @Test(arguments: [
        [Int64.max, Int64.max], [1 << 32, 1 << 32], [-1], [1 << 39, 2], [Int64.min],
        Array(repeating: 1, count: 9),
    ])
    func `absurd dimensions are refused`(dims: [Int64]) {
        let refusal = message { $0.weights = ModelWriter.tensor("w", dims: dims, raw: [0, 0, 0, 0]) }
        #expect(refusal.contains("'w'"), "\(refusal)")
    }

    @Test func `external data and unknown element types are refused`() {
        let plain = ModelWriter.tensor("w", dims: [1], raw: [0, 0, 0, 0])
        #expect(message { $0.weights = plain.with(14, number: 1) }.contains("another file"))
        #expect(
            message { $0.weights = plain.with(13, Wire().with(1, "location").with(2, "/etc/passwd")) }.contains(
                "another file"))
        #expect(message { $0.weights = ModelWriter.tensor("w", dims: [1], type: 10, raw: [0, 0]) }.contains("type 10"))
    }

    @Test func `envelope errors name the file and its size`() {
        for bytes in [[], Array("not a model, but text".utf8), [UInt8](repeating: 0xff, count: 100)] as [[UInt8]] {
            #expect {
                try Graph(bytes: bytes, name: "m.onnx", sha256: nil)
            } throws: { error in
                "\(error)".contains("m.onnx") && "\(error)".contains("(\(bytes.count) bytes)")
            }
        }
    }

    @Test func `an old opset is refused with its number`() {
        #expect(message { $0.opset = 3 }.contains("opset 3"))
    }

    @Test func `a file of empty messages is refused before it takes memory`() {
        let many = Wire().with(7, Wire(bytes: Array(repeating: [0x0a, 0x00], count: 1_200_000).flatMap { $0 }))
        #expect {
            try Graph(bytes: many.bytes, name: "m.onnx", sha256: nil)
        } throws: { error in
            if case .limit? = error as? OnnxError { true } else { false }
        }
    }

    @Test func `the hash of the weights finds a flipped byte`() throws {
        var writer = ModelWriter()
        let raw = (0..<24).map { UInt8($0) }
        writer.weights = ModelWriter.tensor("w", dims: [2, 3], raw: raw)
        writer.metadata = [("weights.sha256", SHA256.hex([raw]))]
        _ = try read(writer, hash: true)
        var flipped = raw
        flipped[13] ^= 0x10
        writer.weights = ModelWriter.tensor("w", dims: [2, 3], raw: flipped)
        #expect(
            throws: OnnxError.weightsHash(file: "m.onnx", expected: SHA256.hex([raw]), found: SHA256.hex([flipped]))
        ) {
            try read(writer, hash: true)
        }
        _ = try read(writer, hash: false)
    }

    @Test func `the oracle hashes as the standard says`() {
        #expect(
            SHA256.hex([Array("ab".utf8), Array("c".utf8)])
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.hex([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func `a file cut off anywhere is an error that names it`() {
        var writer = ModelWriter()
        writer.metadata = [("labels", "a,b,c")]
        let bytes = writer.bytes
        for part in 0..<50 {
            let cut = Array(bytes[..<(bytes.count * part / 50)])
            // Cut between two top-level fields the rest is a model without metadata or opset: read or refused.
            do {
                let graph = try Graph(bytes: cut, name: "m.onnx", sha256: nil)
                #expect(graph.nodes.count == 1)
            } catch {
                #expect(error.description.hasPrefix("m.onnx: "))
            }
        }
    }
}
