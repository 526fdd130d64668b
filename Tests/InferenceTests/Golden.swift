// Models with inputs and onnxruntime's outputs, as make_goldens.py writes them.

import Foundation
import Onnx
import Testing

struct Golden: Decodable, Sendable, CustomTestStringConvertible {
    struct Output: Decodable, Sendable {
        let name: String
        let file: String
        let shape: [Int]
    }

    let name: String
    let model: String
    let input: String
    let inputShape: [Int]
    let outputs: [Output]
    /// Set after decoding.
    var folder: URL?

    var testDescription: String { name }
    var batch: Int { inputShape[0] }

    /// Tests/Golden, found from this file.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Golden")

    static let small = load(root.appendingPathComponent("models")) + load(root.appendingPathComponent("models-keras"))

    /// Full-size nets, too large to be committed; several folders are parted by colons.
    static let heavy = (ProcessInfo.processInfo.environment["EMOTIOND_HEAVY_MODELS"] ?? "")
        .split(separator: ":").flatMap { load(URL(fileURLWithPath: String($0))) }

    private static func load(_ folder: URL) -> [Golden] {
        guard let data = try? Data(contentsOf: folder.appendingPathComponent("index.json")),
            var goldens = try? JSONDecoder().decode([Golden].self, from: data)
        else { return [] }
        for index in goldens.indices { goldens[index].folder = folder }
        return goldens
    }

    func bytes(_ file: String) throws -> [UInt8] {
        guard let folder else { throw CocoaError(.fileNoSuchFile) }
        return [UInt8](try Data(contentsOf: folder.appendingPathComponent(file)))
    }

    func floats(_ file: String) throws -> [Float] {
        let bytes = try bytes(file)
        return bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map {
                Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
            }
        }
    }

    /// For files that leave their size open.
    var inputSize: (height: Int, width: Int)? {
        inputShape.count == 4 ? (inputShape[2], inputShape[3]) : nil
    }

    var hasOpenSize: Bool { name.hasPrefix("detector_") }

    func graph() throws -> Graph { try Graph(bytes: bytes(model), name: model, sha256: nil) }
}
