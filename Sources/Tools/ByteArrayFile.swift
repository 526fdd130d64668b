// NumPy's .npy, version 1 to 3, for the one kind that is met here: unsigned bytes in C order.
// Format: numpy.lib.format. Magic, two bytes of version, header length, a Python dict as text, raw bytes.

import Foundation

struct ByteArrayFile {
    let shape: [Int]
    let bytes: Data.SubSequence

    init(_ file: String) throws(ToolError) {
        guard let data = FileManager.default.contents(atPath: file) else { throw .data("\(file): cannot be read") }
        let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
        guard data.count >= 12, data.prefix(6).elementsEqual(magic) else { throw .data("\(file): is no .npy file") }
        let wide = data[6] >= 2
        let headerStart = wide ? 12 : 10
        let headerLength =
            wide
            ? Int(data[8]) | Int(data[9]) << 8 | Int(data[10]) << 16 | Int(data[11]) << 24
            : Int(data[8]) | Int(data[9]) << 8
        guard data.count >= headerStart + headerLength else { throw .data("\(file): ends inside its header") }
        let header = String(decoding: data[headerStart..<headerStart + headerLength], as: UTF8.self)
        guard header.contains("'descr': '|u1'"), header.contains("'fortran_order': False") else {
            throw .data("\(file): only unsigned bytes in C order can be read; its header is \(header)")
        }
        guard let open = header.firstIndex(of: "("), let close = header[open...].firstIndex(of: ")") else {
            throw .data("\(file): its header names no shape")
        }
        var shape: [Int] = []
        var expected = 1
        for part in header[header.index(after: open)..<close].split(separator: ",") {
            let text = part.trimmingCharacters(in: .whitespaces)
            if text.isEmpty { continue }
            guard let size = Int(text), size >= 0 else { throw .data("\(file): '\(text)' is no size") }
            let (product, overflow) = expected.multipliedReportingOverflow(by: size)
            guard !overflow else { throw .data("\(file): its shape is too large") }
            shape.append(size)
            expected = product
        }
        let start = headerStart + headerLength
        guard data.count - start == expected else {
            throw .data("\(file): shape \(shape) needs \(expected) bytes, \(data.count - start) are there")
        }
        self.shape = shape
        bytes = data[start...]
    }
}
