// A walk over the file's wire format before it is decoded. An empty message costs two bytes in a file and
// over a hundred in memory, so a file of a few megabytes could ask for gigabytes: here the messages are
// counted at no cost and refused beyond a limit. Damage that the decoder would find too is named by its place.

struct EnvelopeScan {
    private static let maximumMessages = 1_000_000
    /// 2 GiB is protobuf's own limit on a message.
    private static let maximumBytes = 2_147_483_647

    /// Which length-delimited fields of a message hold messages, by field number.
    private indirect enum Kind {
        case message([UInt64: Kind])
        static let pair = Kind.message([:])
        static let tensor = Kind.message([13: pair])
        static let dimensions = Kind.message([1: pair])
        static let type = Kind.message([1: .message([2: dimensions])])
        static let value = Kind.message([2: type])
        static let node = Kind.message([5: .message([5: tensor])])
        static let graph = Kind.message([1: node, 5: tensor, 11: value, 12: value, 15: pair])
        static let model = Kind.message([7: graph, 8: pair, 14: pair])
    }

    private let file: String
    private let bytes: [UInt8]
    private var messages = 0

    static func check(_ bytes: [UInt8], file: String) throws(OnnxError) {
        guard bytes.count <= maximumBytes else {
            throw .limit(file: file, what: "bytes", found: bytes.count, limit: maximumBytes)
        }
        var scan = EnvelopeScan(file: file, bytes: bytes)
        try scan.walk(0..<bytes.count, .model)
    }

    private init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
    }

    /// Recursion goes as deep as `Kind` does, whatever the file says. Strings are counted like messages: an empty
    /// one costs two bytes in the file and sixteen in memory.
    private mutating func walk(_ range: Range<Int>, _ kind: Kind) throws(OnnxError) {
        guard case .message(let children) = kind else { return }
        var position = range.lowerBound
        while position < range.upperBound {
            let start = position
            let tag = try varint(&position, end: range.upperBound)
            switch tag & 7 {
            case 0: _ = try varint(&position, end: range.upperBound)
            case 1: position += 8
            case 5: position += 4
            case 2:
                let length = try varint(&position, end: range.upperBound)
                guard length <= UInt64(range.upperBound - position) else { throw damage(at: start) }
                let body = position..<position + Int(length)
                messages += 1
                guard messages <= Self.maximumMessages else {
                    throw .limit(file: file, what: "messages and strings", found: messages, limit: Self.maximumMessages)
                }
                if let child = children[tag >> 3] { try walk(body, child) }
                position = body.upperBound
            default: throw damage(at: start)
            }
            guard position <= range.upperBound else { throw damage(at: start) }
        }
    }

    private func varint(_ position: inout Int, end: Int) throws(OnnxError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < end else { break }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw damage(at: start)
    }

    private func damage(at position: Int) -> OnnxError {
        .envelope(file: file, bytes: bytes.count, reason: "damaged or cut off at byte \(position)")
    }
}
