import Inference
import Onnx
import Testing

/// Files as they come from bad disks and bad people, taken as far as they will go.
struct DamageTests {
    /// SplitMix64 (Steele, Lea, Flood 2014).
    private struct Random {
        var state: UInt64
        mutating func below(_ limit: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((z ^ (z >> 31)) % UInt64(limit))
        }
    }

    @Test(arguments: ["net_attention", "net_vgg19_bn", "keras_separable"])
    func `a file cut off at every fiftieth is refused by name`(name: String) throws {
        let golden = try #require(Golden.small.first { $0.name == name })
        let bytes = try golden.bytes(golden.model)
        for part in 0..<50 {
            let cut = Array(bytes[..<(bytes.count * part / 50)])
            #expect {
                try Graph(bytes: cut, name: name, sha256: nil)
            } throws: { error in
                "\(error)".hasPrefix(name) && "\(error)".contains("(\(cut.count) bytes)")
            }
        }
    }

    @Test(arguments: ["net_attention", "net_resnet", "keras_separable", "shape_reshape", "pad_maxpool", "concat"])
    func `flipped bits give an error or a graph, and never a crash`(name: String) throws {
        let golden = try #require(Golden.small.first { $0.name == name })
        let bytes = try golden.bytes(golden.model)
        // Names and attributes are damaged more often than their share of the file: that is where trouble is.
        let structure = bytes.indices.filter { bytes[$0] < 0x20 }
        var random = Random(state: 20_251_125)
        var (errors, graphs) = (0, 0)
        for round in 0..<500 {
            var damaged = bytes
            let place = round % 2 == 0 ? random.below(bytes.count) : structure[random.below(structure.count)]
            damaged[place] ^= 1 << random.below(8)
            do {
                let graph = try Graph(bytes: damaged, name: name, sha256: nil)
                let session = try Session(graph: graph, level: .scalar, maximumBatch: 1)
                graphs += 1
                let values = [Float](repeating: 0.5, count: session.input.count)
                if session.input.count < 10_000 {
                    _ = try values.withUnsafeBufferPointer { try session.run($0, batch: 1) }
                }
            } catch let error as OnnxError {
                errors += 1
                #expect(error.description.hasPrefix(name))
            } catch let error as InferenceError {
                errors += 1
                #expect(error.description.hasPrefix(name))
            }
        }
        #expect(errors > 0 && graphs > 0, "\(errors) errors, \(graphs) graphs")
    }
}
