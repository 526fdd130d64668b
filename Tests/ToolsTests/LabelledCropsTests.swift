import Foundation
import Testing
import Tools

@Suite struct LabelledCropsTests {
    private func temporaryFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "emotiond-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.path
    }

    /// Version 1.0 of numpy's format, written by hand from its specification.
    private func array(shape: String, bytes: [UInt8]) -> Data {
        var header = "{'descr': '|u1', 'fortran_order': False, 'shape': \(shape), }"
        while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
        header += "\n"
        var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
        data.append(contentsOf: [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
        data.append(contentsOf: header.utf8)
        data.append(contentsOf: bytes)
        return data
    }

    @Test func `arrays and CSV give the same crops`() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let pixels = (0..<3 * 2304).map { _ in UInt8.random(in: 0...255) }
        let labels: [UInt8] = [0, 6, 3]
        try array(shape: "(3, 48, 48)", bytes: pixels).write(to: URL(filePath: folder + "/public_images.npy"))
        try array(shape: "(3,)", bytes: labels).write(to: URL(filePath: folder + "/public_labels.npy"))
        var csv = "emotion,pixels,Usage\n"
        for i in 0..<3 {
            let row = pixels[i * 2304..<(i + 1) * 2304].map(String.init).joined(separator: " ")
            csv += "\(labels[i]),\(row),PublicTest\n"
        }
        csv += "1,1 2 3,PublicTest\n4,\(Array(repeating: "9", count: 2304).joined(separator: " ")),Training\n"
        try csv.write(toFile: folder + "/other.csv", atomically: true, encoding: .utf8)

        let a = try LabelledCrops.load(folder, split: .public)
        let b = try LabelledCrops.load(folder + "/other.csv", split: .public)
        #expect(a.pixels == pixels && a.pixels == b.pixels)
        #expect(a.labels == [0, 6, 3] && a.labels == b.labels)
        #expect(b.leftOut.count == 1)

        try "1\n".write(toFile: folder + "/list.txt", atomically: true, encoding: .utf8)
        #expect(try a.excluding(folder + "/list.txt").labels == [0, 3])
        try "3\n".write(toFile: folder + "/list.txt", atomically: true, encoding: .utf8)
        #expect(throws: ToolError.self) { try a.excluding(folder + "/list.txt") }
    }

    @Test func `broken arrays are refused by name`() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let images = URL(filePath: folder + "/public_images.npy")
        let good = array(shape: "(1, 48, 48)", bytes: [UInt8](repeating: 7, count: 2304))
        try array(shape: "(1,)", bytes: [9]).write(to: URL(filePath: folder + "/public_labels.npy"))
        for data in [
            Data(), Data("hello".utf8), good.dropLast(), good.prefix(40), good,
            array(shape: "(9223372036854775807, 48, 48)", bytes: []),
            array(shape: "(2304,)", bytes: [UInt8](repeating: 0, count: 2304)),
        ] {
            try Data(data).write(to: images)
            #expect(throws: ToolError.self) { try LabelledCrops.load(folder, split: .public) }
        }
    }
}
