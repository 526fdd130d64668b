// Writes model files by hand, in protobuf's wire format: also those that no library would write.

struct Wire {
    var bytes: [UInt8] = []

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    func with(_ field: UInt64, number: Int64) -> Wire {
        var copy = self
        copy.varint(field << 3)
        copy.varint(UInt64(bitPattern: number))
        return copy
    }

    func with(_ field: UInt64, bytes body: [UInt8]) -> Wire {
        var copy = self
        copy.varint(field << 3 | 2)
        copy.varint(UInt64(body.count))
        copy.bytes += body
        return copy
    }

    func with(_ field: UInt64, _ text: String) -> Wire { with(field, bytes: Array(text.utf8)) }
    func with(_ field: UInt64, _ message: Wire) -> Wire { with(field, bytes: message.bytes) }
}

/// A model of one Gemm with weights of 2x3, whose parts a test can replace.
struct ModelWriter {
    var weights = Self.tensor("w", dims: [2, 3], raw: [UInt8](repeating: 0x3f, count: 24))
    var nodes = [Self.node("Gemm", name: "dense", inputs: ["x", "w"], outputs: ["y"])]
    var inputs = ["x"]
    var outputs = ["y"]
    var metadata: [(String, String)] = []
    var opset: Int64 = 13
    var moreTensors: [Wire] = []

    var bytes: [UInt8] {
        var graph = Wire()
        for node in nodes { graph = graph.with(1, node) }
        for tensor in [weights] + moreTensors { graph = graph.with(5, tensor) }
        for name in inputs { graph = graph.with(11, Self.value(name)) }
        for name in outputs { graph = graph.with(12, Self.value(name)) }
        var model = Wire().with(1, number: 8).with(7, graph).with(8, Wire().with(2, number: opset))
        for (key, value) in metadata { model = model.with(14, Wire().with(1, key).with(2, value)) }
        return model.bytes
    }

    static func tensor(_ name: String, dims: [Int64], type: Int64 = 1, raw: [UInt8]?) -> Wire {
        var tensor = Wire()
        for dim in dims { tensor = tensor.with(1, number: dim) }
        tensor = tensor.with(2, number: type).with(8, name)
        return raw.map { tensor.with(9, bytes: $0) } ?? tensor
    }

    static func node(_ operation: String, name: String, inputs: [String], outputs: [String]) -> Wire {
        var node = Wire()
        for input in inputs { node = node.with(1, input) }
        for output in outputs { node = node.with(2, output) }
        return node.with(3, name).with(4, operation)
    }

    private static func value(_ name: String) -> Wire {
        let shape = Wire().with(1, Wire().with(2, "N")).with(1, Wire().with(1, number: 2))
        return Wire().with(1, name).with(2, Wire().with(1, Wire().with(1, number: 1).with(2, shape)))
    }
}
