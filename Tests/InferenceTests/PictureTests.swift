// Whole pictures from their bytes, and the rows of large maps computed in bands.

import Inference
import Onnx
import TestSupport
import Testing

struct PictureTests {
    private func detector(
        _ level: KernelLevel, height: Int, width: Int, maximumBatch: Int = 1
    ) throws -> Session {
        let golden = try #require(Golden.small.first { $0.name == "detector_tiny_64x96" })
        return try Session(
            graph: golden.graph(), level: level, maximumBatch: maximumBatch, inputSize: (height, width),
            winograd: true)
    }

    /// A grey picture with gaps between its rows.
    private struct Bytes {
        let width: Int, height: Int, rowBytes: Int
        let values: [UInt8]

        init(width: Int, height: Int, using random: inout SeededGenerator) {
            (self.width, self.height, rowBytes) = (width, height, width + 3)
            values = (0..<(width + 3) * height).map { _ in UInt8.random(in: 0...255, using: &random) }
        }

        func run(_ session: Session) throws {
            try values.withUnsafeBufferPointer { buffer in
                let base = try #require(buffer.baseAddress)
                try session.run(
                    GreyPicture(base: base, width: width, height: height, rowBytes: rowBytes), mean: 127.5,
                    scale: 1 / 64)
            }
        }

        /// What the session's input is then.
        func floats(of session: Session) -> [Float] {
            var result = [Float](repeating: 0, count: session.input.count)
            for y in 0..<height {
                for x in 0..<width {
                    result[y * session.input.width + x] = (Float(values[y * rowBytes + x]) - 127.5) * (1 / 64)
                }
            }
            return result
        }
    }

    private func bits(_ session: Session) throws -> [[UInt32]] {
        try session.outputs.indices.map { place in
            let rows = try #require(session.rows(of: place))
            return (0..<rows.rows).flatMap { row in
                (0..<rows.columns).map { rows.base[row * rows.stride + $0].bitPattern }
            }
        }
    }

    @Test(arguments: KernelLevel.onThisCPU)
    func `a picture gives the bits of its values, whatever ran before it`(level: KernelLevel) throws {
        var random = SeededGenerator(TestSeed.current)
        let session = try detector(level, height: 64, width: 96)
        for (width, height) in [(96, 64), (1, 1), (90, 50), (95, 64), (96, 33), (7, 61)] {
            let picture = Bytes(width: width, height: height, using: &random)
            try picture.run(session)
            let found = try bits(session)
            let expected = try picture.floats(of: session).withUnsafeBufferPointer {
                try session.run($0, batch: 1)
            }
            #expect(found == expected.map { $0.map(\.bitPattern) }, "\(width)x\(height)")
        }
    }

    /// A session for batches goes layer by layer, one for single pictures in bands.
    @Test(arguments: KernelLevel.onThisCPU.suffix(1), [(384, 640), (416, 352), (32, 2048), (1024, 32)])
    func `bands of large maps give the bits of whole layers`(level: KernelLevel, size: (Int, Int)) throws {
        var random = SeededGenerator(TestSeed.current)
        let bands = try detector(level, height: size.0, width: size.1)
        let layers = try detector(level, height: size.0, width: size.1, maximumBatch: 2)
        for _ in 0..<2 {
            let picture = Bytes(width: size.1 - 5, height: size.0 - 9, using: &random)
            try picture.run(bands)
            try picture.run(layers)
            #expect(try bits(bands) == bits(layers), "\(size), seed \(random.seed)")
        }
    }

    @Test func `a picture larger than the input is an error`() throws {
        var random = SeededGenerator(TestSeed.current)
        let session = try detector(.scalar, height: 32, width: 32)
        for (width, height) in [(33, 32), (32, 33)] {
            #expect(throws: InferenceError.self) {
                try Bytes(width: width, height: height, using: &random).run(session)
            }
        }
    }
}
