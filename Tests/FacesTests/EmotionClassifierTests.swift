import Core
import Faces
import Testing

/// Remembers its input; answers with the mean of the first three values of each crop.
private final class Recorder: CropEngine {
    let inputChannels: Int
    let inputSide: Int
    let labels: Int
    private(set) var input: [Float] = []

    init(channels: Int = 1, side: Int = 48, labels: Int = 7) {
        inputChannels = channels
        inputSide = side
        self.labels = labels
    }

    func run(_ input: UnsafeBufferPointer<Float>, batch: Int) throws -> [Float] {
        self.input = Array(input)
        let each = input.count / batch
        return (0..<batch).flatMap { crop in
            (0..<labels).map { input[crop * each] * Float($0) }
        }
    }
}

private let pixels = 48 * 48
private let seven = Emotion.names

private func crops(_ count: Int) -> [UInt8] {
    var random = SeededGenerator(seed: 11)
    return (0..<count * pixels).map { _ in UInt8.random(in: 0...255, using: &random) }
}

extension EmotionClassifier {
    fileprivate func classify(_ crops: [UInt8]) throws -> [Probabilities] {
        try crops.withUnsafeBufferPointer { try classify(crops: $0, count: crops.count / pixels) }
    }
}

@Test func `a fixed normalisation is mean and scale, and probabilities sum to 1`() throws {
    let engine = Recorder(), crops = crops(3)
    let classifier = EmotionClassifier(
        engine: engine, labels: seven, normalisation: .fixed(mean: 127.5, scale: 1 / 127.5))
    let found = try classifier.classify(crops)
    #expect(found.count == 3)
    for (value, pixel) in zip(engine.input, crops) { #expect(value == (Float(pixel) - 127.5) * (1 / 127.5)) }
    for each in found { #expect(abs(each.values.reduce(0, +) - 1) < 1e-5) }
}

@Test func `a normalisation by crop gives mean 0 and deviation 1, and leaves a flat crop at 0`() throws {
    let engine = Recorder()
    let classifier = EmotionClassifier(engine: engine, labels: seven, normalisation: .perCrop)
    _ = try classifier.classify(crops(1) + [UInt8](repeating: 77, count: pixels))
    let first = engine.input.prefix(pixels).map(Double.init)
    let mean = first.reduce(0, +) / Double(pixels)
    #expect(abs(mean) < 1e-5)
    #expect(abs(first.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(pixels) - 1) < 1e-4)
    #expect(engine.input.suffix(pixels).allSatisfy { $0 == 0 })
}

@Test func `three channels get the luma three times, other sides get the crop resized`() throws {
    let engine = Recorder(channels: 3, side: 64)
    let classifier = EmotionClassifier(engine: engine, labels: seven, normalisation: .fixed(mean: 0, scale: 1))
    _ = try classifier.classify([UInt8](repeating: 40, count: pixels) + crops(1))
    let plane = 64 * 64
    #expect(engine.input.count == 2 * 3 * plane)
    #expect(engine.input.prefix(3 * plane).allSatisfy { abs($0 - 40) < 1e-3 })
    let second = Array(engine.input.suffix(3 * plane))
    #expect(Array(second[..<plane]) == Array(second[plane..<2 * plane]))
    #expect(Array(second[..<plane]) == Array(second[(2 * plane)...]))
}

@Test func `a temperature flattens and an answer of the wrong size is an error`() throws {
    let sharp = EmotionClassifier(engine: Recorder(), labels: seven, normalisation: .fixed(mean: 0, scale: 0.02))
    let soft = EmotionClassifier(
        engine: Recorder(), labels: seven, normalisation: .fixed(mean: 0, scale: 0.02), temperature: 3)
    let bright = [UInt8](repeating: 200, count: pixels)
    #expect(try sharp.classify(bright)[0].largest.value > soft.classify(bright)[0].largest.value)
    let wrong = EmotionClassifier(
        engine: Recorder(labels: 5), labels: seven, normalisation: .fixed(mean: 0, scale: 1))
    #expect(throws: FacesError.wrongOutput(expected: 7, found: 5)) { try wrong.classify(bright) }
    #expect(try sharp.classify([]).isEmpty)
}
