import Inference
import Onnx
import Testing

struct PlanTests {
    private func golden(_ name: String) throws -> Session {
        let golden = try #require(Golden.small.first { $0.name == name })
        return try Session(
            graph: golden.graph(), level: .scalar, maximumBatch: 2, inputSize: golden.inputSize)
    }

    @Test(arguments: [
        ("conv_bn", 1), ("conv_relu", 1), ("conv_clip_attributes", 1), ("residual_relu", 1), ("pad_conv", 1),
        ("residual_of_pool", 2), ("matmul_add_softmax", 2), ("flatten_gemm", 1), ("transposed_dense", 1),
        ("dropout_identity", 1), ("squeeze_excite", 4), ("pass_through", 0),
        // Three stages of two convolutions, two shortcuts, stem, pool and head.
        ("net_resnet", 11),
        ("net_vgg19_bn", 24), ("keras_vgg19_narrow", 24),
        // What is upsampled is read by the 1x1 beside it; what is cut out is read where it lies.
        ("neck_add", 2), ("neck_add_turned", 2), ("neck_add_relu", 2), ("neck_of_active", 2), ("slice_parts", 1),
        ("residual_of_active", 2),
        // Stem, three stages, three laterals, two activations of the neck; a tower, a head, two sigmoids a stride.
        ("detector_tiny_64x96", 21),
    ])
    func `folding and fusing leave one call a layer`(name: String, calls: Int) throws {
        #expect(try golden(name).kernelCalls == calls)
    }

    @Test func `a value that is read twice is not fused away`() throws {
        #expect(try golden("conv_bn_relu_twice_read").kernelCalls == 4)
    }

    @Test func `a batch in several passes gives the same`() throws {
        let build = GraphBuilder.self
        let graph = build.graph(
            input: [.symbolic("N"), .fixed(1), .fixed(64), .fixed(64)],
            nodes: [
                build.node("Conv", ["x", "w"], "c", ["pads": .integers([1, 1, 1, 1])]),
                build.node("GlobalAveragePool", ["c"]),
            ], initializers: ["w": build.weights([32, 1, 3, 3])])
        let session = try Session(graph: graph, level: KernelLevel.best().level, maximumBatch: 5, passBytes: 1_400_000)
        #expect(session.itemsPerPass == 2)
        let values = (0..<5).flatMap { item in (0..<64 * 64).map { Float(($0 + item) % 7) } }
        let results = try values.withUnsafeBufferPointer { try session.run($0, batch: 5) }
        let count = 64 * 64
        for item in 0..<5 {
            let one = try values[item * count..<(item + 1) * count].withUnsafeBufferPointer {
                try session.run($0, batch: 1)
            }
            #expect(Array(results[0][item * 32..<(item + 1) * 32]) == one[0])
        }
    }

    @Test func `denormals are as before after a run`() throws {
        let session = try golden("relu_alone")
        let values = [Float](repeating: .leastNonzeroMagnitude, count: session.input.count)
        _ = try values.withUnsafeBufferPointer { try session.run($0, batch: 1) }
        let halved = values.map { $0 * 3 }
        #expect(halved.allSatisfy { $0 > 0 })
    }
}

struct KernelLevelTests {
    @Test func `scalar runs everywhere and the best is one that runs here`() {
        #expect(KernelLevel.onThisCPU.first == .scalar)
        let choice = KernelLevel.best()
        #expect(KernelLevel.onThisCPU.contains(choice.level))
        #expect(choice.passedOver.allSatisfy { $0.level.rawValue > choice.level.rawValue && !$0.reason.isEmpty })
    }

    @Test func `a limit is kept`() {
        #expect(KernelLevel.best(upTo: .scalar).level == .scalar)
    }

    @Test func `levels are found by name`() throws {
        for level in KernelLevel.onThisCPU { #expect(try KernelLevel.named(level.name) == level) }
        #expect(throws: InferenceError.unknownLevel(name: "mmx", known: ["scalar", "avx2", "avx512"])) {
            try KernelLevel.named("mmx")
        }
    }
}
