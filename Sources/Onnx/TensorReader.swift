// One TensorProto → `Tensor`. The number of bytes that dimensions and type ask for is computed with
// overflow checks and compared with what the file holds before a single element is read.

import SwiftProtobuf

struct TensorReader {
    static let maximumRank = 8

    /// TensorProto.DataType; the ones that no supported operator takes are left out.
    enum ElementType: Int32 {
        case float = 1
        case uint8 = 2
        case int8 = 3
        case int32 = 6
        case int64 = 7
        case bool = 9
        case double = 11

        var bytes: Int {
            switch self {
            case .uint8, .int8, .bool: 1
            case .float, .int32: 4
            case .int64, .double: 8
            }
        }
    }

    let file: String
    let record: OnnxSubset_TensorRecord

    func tensor() throws(OnnxError) -> Tensor {
        // 1 is TensorProto.EXTERNAL: the bytes lie in another file, which a model may not open.
        guard record.dataLocation != 1, record.externalData.isEmpty else {
            throw failure("its data lies in another file; export with all weights in one file")
        }
        guard let type = ElementType(rawValue: record.dataType) else {
            throw failure("element type \(record.dataType) is not supported (float32 is)")
        }
        let (dims, count) = try shape(elementBytes: type.bytes)
        if record.hasRawData {
            try expect(bytes: count * type.bytes, found: record.rawData.count)
            return Tensor(dims: dims, elements: rawElements(type, count: count))
        }
        let elements = typedElements(type)
        try expect(bytes: count * type.bytes, found: elements.count * type.bytes)
        return Tensor(dims: dims, elements: elements)
    }

    private func failure(_ reason: String) -> OnnxError {
        .tensor(file: file, tensor: record.name, reason: reason)
    }

    private func expect(bytes: Int, found: Int) throws(OnnxError) {
        guard bytes == found else {
            throw .tensorSize(file: file, tensor: record.name, expectedBytes: bytes, foundBytes: found)
        }
    }

    /// Dimensions and their product, which together with the element's size stays below 2^40 bytes: more is
    /// not in any file, and everything computed from it later stays far from overflow.
    private func shape(elementBytes: Int) throws(OnnxError) -> (dims: [Int], count: Int) {
        guard record.dims.count <= Self.maximumRank else {
            throw failure("\(record.dims.count) dimensions, the limit is \(Self.maximumRank)")
        }
        var count = 1
        for dim in record.dims {
            guard dim >= 0, dim < 1 << 40 else { throw failure("a dimension of \(dim)") }
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(dim))
            guard !overflow, product < (1 << 40) / elementBytes else {
                throw failure("dimensions \(record.dims) are too large")
            }
            count = product
        }
        return (record.dims.map { Int($0) }, count)
    }

    /// ONNX's raw data is little-endian and need not be aligned.
    private func rawElements(_ type: ElementType, count: Int) -> Tensor.Elements {
        let raw = record.rawData
        switch type {
        case .float: return .float(littleEndian(raw, count) { Float(bitPattern: UInt32(littleEndian: $0)) })
        case .double: return .double(littleEndian(raw, count) { Double(bitPattern: UInt64(littleEndian: $0)) })
        case .int64: return .int64(littleEndian(raw, count) { Int64(littleEndian: $0) })
        case .int32: return .int32(littleEndian(raw, count) { Int32(littleEndian: $0) })
        case .int8: return .int8(littleEndian(raw, count) { (byte: UInt8) in Int8(bitPattern: byte) })
        case .uint8: return .uint8([UInt8](raw))
        case .bool: return .bool(raw.map { $0 != 0 })
        }
    }

    private func littleEndian<Stored: BitwiseCopyable, Value>(
        _ raw: some Sequence<UInt8>, _ count: Int, _ value: (Stored) -> Value
    ) -> [Value] {
        func read(_ bytes: UnsafeRawBufferPointer) -> [Value] {
            let size = MemoryLayout<Stored>.size
            return (0..<count).map { value(bytes.loadUnaligned(fromByteOffset: $0 * size, as: Stored.self)) }
        }
        if let values = raw.withContiguousStorageIfAvailable({ read(UnsafeRawBufferPointer($0)) }) { return values }
        return [UInt8](raw).withUnsafeBytes(read)
    }

    /// int32_data carries the narrow types as well, one element each.
    private func typedElements(_ type: ElementType) -> Tensor.Elements {
        switch type {
        case .float: .float(record.floatData)
        case .double: .double(record.doubleData)
        case .int64: .int64(record.int64Data)
        case .int32: .int32(record.int32Data)
        case .int8: .int8(record.int32Data.map { Int8(truncatingIfNeeded: $0) })
        case .uint8: .uint8(record.int32Data.map { UInt8(truncatingIfNeeded: $0) })
        case .bool: .bool(record.int32Data.map { $0 != 0 })
        }
    }
}
