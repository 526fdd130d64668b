// The tensors that training makes of a committed set of crops, made here too: training and engine cannot disagree
// in silence. The set is written by training/tests/make_crop_goldens.py.

import Faces
import Foundation
import Testing

private let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Golden/crops")

private struct Index: Decodable {
    struct Normalisation: Decodable {
        let mean: String?
        let scale: String?
        let tolerance: Float
    }
    struct Crop: Decodable {
        let name: String
        let crop: String
        let none: String
        let cropNormalised: String
    }
    let none: Normalisation
    let cropNormalised: Normalisation
    let crops: [Crop]

    static func load() throws -> Index {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Index.self, from: Data(contentsOf: folder.appending(path: "index.json")))
    }
}

/// Keeps what it is given.
private final class Listener: CropEngine {
    let inputChannels = 1
    let inputSide = 48
    var heard: [Float] = []

    func run(_ input: UnsafeBufferPointer<Float>, batch: Int) -> [Float] {
        heard = Array(input)
        return [Float](repeating: 0, count: batch)
    }
}

private func floats(_ name: String) throws -> [Float] {
    try Data(contentsOf: folder.appending(path: name)).withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: 4).map {
            Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
        }
    }
}

private func tensor(of crop: String, _ normalisation: CropNormalisation) throws -> [Float] {
    let listener = Listener()
    let classifier = EmotionClassifier(engine: listener, labels: ["one"], normalisation: normalisation)
    let bytes = [UInt8](try Data(contentsOf: folder.appending(path: crop)))
    _ = try bytes.withUnsafeBufferPointer { try classifier.classify(crops: $0, count: 1) }
    return listener.heard
}

@Test func `crops become the tensors that training makes of them`() throws {
    let index = try Index.load()
    #expect(index.crops.count >= 8)
    let mean = try #require(Float(index.none.mean ?? "")), scale = try #require(Float(index.none.scale ?? ""))
    for crop in index.crops {
        for (normalisation, golden, tolerance) in [
            (CropNormalisation.fixed(mean: mean, scale: scale), crop.none, index.none.tolerance),
            (.perCrop, crop.cropNormalised, index.cropNormalised.tolerance),
        ] {
            let expected = try floats(golden), actual = try tensor(of: crop.crop, normalisation)
            #expect(actual.count == expected.count)
            let worst = zip(actual, expected).map { abs($0 - $1) }.max() ?? .infinity
            #expect(worst <= tolerance, "\(crop.name), \(golden): off by \(worst)")
        }
    }
}
