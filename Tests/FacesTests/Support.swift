import Core
import Faces
import Foundation
import Testing

/// A picture of its own memory, rows longer than the picture is wide, to be used through `view`.
final class Grey {
    let width: Int
    let height: Int
    let stride: Int
    private let pixels: UnsafeMutablePointer<UInt8>

    init(width: Int, height: Int, extraStride: Int = 5, _ value: (Int, Int) -> UInt8) {
        self.width = width
        self.height = height
        stride = width + extraStride
        pixels = .allocate(capacity: stride * height)
        pixels.initialize(repeating: 0xEE, count: stride * height)
        for y in 0..<height { for x in 0..<width { pixels[y * stride + x] = value(x, y) } }
    }

    // Never given back: a view says nothing of its owner, and a test's picture may be gone, as far as the compiler is
    // concerned, when the detector reads it.
    var view: ImageView { ImageView(base: pixels, width: width, height: height, strideBytes: stride) }

    subscript(x: Int, y: Int) -> UInt8 { pixels[y * stride + x] }

    /// As a picture is looked up with its border going on.
    func clamped(_ x: Int, _ y: Int) -> UInt8 {
        self[min(max(x, 0), width - 1), min(max(y, 0), height - 1)]
    }
}

struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64 (G. Steele, D. Lea, C. Flood, 2014).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension Box {
    static func random(using random: inout SeededGenerator) -> Box {
        Box(
            x: .random(in: -50...50, using: &random), y: .random(in: -50...50, using: &random),
            width: .random(in: 1...60, using: &random), height: .random(in: 1...60, using: &random))
    }
}

/// Data that is too large for the repository.
enum TestData {
    static let folder = ProcessInfo.processInfo.environment["EMOTIOND_TEST_DATA"] ?? "../shared"

    static func path(_ relative: String) -> String { folder + "/" + relative }

    static func has(_ relative: String) -> Bool { FileManager.default.fileExists(atPath: path(relative)) }

    static let yunet2022 = "models/yunet/face_detection_yunet_2022mar.onnx"
    static let yunet2023 = "models/yunet/face_detection_yunet_2023mar.onnx"
    static let fivePeople = "media/pictures/pyfeat_multi_face.jpg"
    static let onePerson = "media/pictures/pyfeat_single_face.jpg"

    static var hasModels: Bool { has(yunet2022) && has(yunet2023) }
    static var hasPictures: Bool { hasModels && has(fivePeople) && hasDecoder }
    static let hasDecoder = (try? grey(ofJPEG: nil)) != nil

    /// By the ffmpeg command, which only tests use. Nil asks whether it is there.
    static func grey(ofJPEG relative: String?) throws -> Grey {
        guard let relative else {
            return try run(["ffmpeg", "-version"]).isEmpty ? { throw CocoaError(.fileNoSuchFile) }() : blank
        }
        let bytes = try run([
            "ffmpeg", "-v", "error", "-i", path(relative), "-f", "image2pipe", "-c:v", "pgm", "-pix_fmt", "gray", "-",
        ])
        let header = bytes.prefix(20).split(separator: UInt8(ascii: "\n"), maxSplits: 3)
        let size = header[1].split(separator: UInt8(ascii: " ")).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        let pixels = Array(bytes.suffix(size[0] * size[1]))
        return Grey(width: size[0], height: size[1]) { x, y in pixels[y * size[0] + x] }
    }

    private static var blank: Grey { Grey(width: 1, height: 1) { _, _ in 0 } }

    private static func run(_ arguments: [String]) throws -> Data {
        let process = Process(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return data
    }
}

/// A file that is gone when the value is.
final class TemporaryFile {
    let path: String

    init(_ bytes: some Sequence<UInt8>) throws {
        path = NSTemporaryDirectory() + "faces-\(UUID().uuidString).onnx"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
