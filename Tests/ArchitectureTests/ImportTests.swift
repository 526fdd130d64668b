// The house's arrows. A module imports what stands here and nothing else; docs/architecture.md shows the table.

import Foundation
import Testing

private let everywhere: Set = ["Swift", "Synchronization"]

private let allowed: [String: Set<String>] = [
    "Core": [],
    "Onnx": ["SwiftProtobuf", "Foundation", "FoundationEssentials"],
    "Inference": ["Onnx", "CKernels"],
    "Media": ["Core", "CFFmpeg", "CFFmpegShims", "Glibc"],
    "Faces": ["Core", "COpenCV", "Glibc"],
    "Timeline": ["Core"],
    "Overlay": ["Core", "COpenCV"],
    "Results": ["Foundation", "Glibc"],
    "Pipeline": [
        "Core", "Onnx", "Media", "Faces", "Inference", "Timeline", "Overlay", "Results", "Logging", "Foundation",
        "Glibc",
    ],
    "Workers": ["Results", "Logging", "Subprocess", "SystemPackage", "Glibc"],
    "ServiceConfig": ["Yams", "Foundation"],
    "Ledger": ["GRDB", "Foundation", "Glibc"],
    "Intake": ["Glibc"],
    "Web": [
        "Hummingbird", "HummingbirdCore", "NIOCore", "NIOPosix", "HTTPTypes", "ServiceLifecycle", "Logging",
        "Foundation",
        "Glibc",
    ],
    "Daemon": [
        "Core", "ServiceConfig", "Ledger", "Intake", "Results", "Workers", "Web", "Logging", "Subprocess",
        "SystemPackage", "Dispatch", "Foundation", "Glibc",
    ],
    "Tools": [
        "Core", "CBuild", "Media", "Faces", "Inference", "Timeline", "Overlay", "Results", "Pipeline", "Logging",
        "Foundation", "Glibc",
    ],
    "emotiond": [
        "Core", "ServiceConfig", "Daemon", "Pipeline", "Results", "Tools", "Logging", "ArgumentParser", "Dispatch",
        "Foundation", "Glibc",
    ],
]

/// C and C++ rooms: no Swift imports to read, but they must be known.
private let foreign: Set = ["CFFmpeg", "CFFmpegShims", "COpenCV", "CKernels", "CBuild"]

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Sources")

private func swiftFiles(of room: String) -> [URL] {
    let files = FileManager.default.enumerator(at: root.appending(path: room), includingPropertiesForKeys: nil)
    return (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
}

/// `package import struct Core.Box` → `Core`.
private func importedModule(_ line: Substring) -> String? {
    var words = line.split(separator: " ")[...]
    while let first = words.first, first.hasPrefix("@") || ["public", "package", "internal", "private"].contains(first)
    {
        words = words.dropFirst()
    }
    guard words.first == "import" else { return nil }
    words = words.dropFirst()
    if let kind = words.first,
        ["struct", "class", "enum", "func", "protocol", "typealias", "var", "let"].contains(kind)
    {
        words = words.dropFirst()
    }
    return words.first.map { String($0.split(separator: ".")[0].filter { $0 != ";" }) }
}

@Test func `every room below Sources stands in the table`() throws {
    let rooms = try FileManager.default.contentsOfDirectory(atPath: root.path)
    #expect(Set(rooms).subtracting(foreign) == Set(allowed.keys))
}

@Test(arguments: allowed.keys.sorted())
func `a room imports only what the table allows`(room: String) throws {
    let files = swiftFiles(of: room)
    #expect(!files.isEmpty, "\(room) has no Swift files")
    for file in files {
        for line in try String(contentsOf: file, encoding: .utf8).split(whereSeparator: \.isNewline) {
            guard let module = importedModule(line) else { continue }
            let permitted = everywhere.contains(module) || (allowed[room] ?? []).contains(module)
            #expect(permitted, "\(room)/\(file.lastPathComponent) imports \(module)")
        }
    }
}

@Test func `Foundation's essentials are imported by generated code alone`() throws {
    for file in swiftFiles(of: "Onnx") where !file.lastPathComponent.hasSuffix(".pb.swift") {
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(!text.contains("import Foundation"), "\(file.lastPathComponent)")
    }
}
