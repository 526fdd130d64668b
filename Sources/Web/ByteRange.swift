// The `Range` header (RFC 9110, 14.2), as far as a video player needs it: one range of bytes.

enum ByteRange: Equatable, Sendable {
    /// No range, several of them, or one that is not understood: the RFC lets a server send everything.
    case all
    case part(Range<Int64>)
    /// 416: nothing of it is in the file.
    case unsatisfiable

    init(header: String?, size: Int64) {
        guard let header, header.lowercased().hasPrefix("bytes="), !header.contains(",") else {
            self = .all
            return
        }
        let specification = header.dropFirst("bytes=".count)
        let ends = specification.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2 else {
            self = .all
            return
        }
        switch (Self.number(ends[0]), Self.number(ends[1])) {
        case (.some(let first?), .some(let last?)) where first <= last:
            self = first < size ? .part(first..<(min(last, size - 1) + 1)) : .unsatisfiable
        case (.some(let first?), .some(nil)):
            self = first < size ? .part(first..<size) : .unsatisfiable
        case (.some(nil), .some(let count?)):
            // The last bytes of the file.
            self = count > 0 && size > 0 ? .part(max(0, size - count)..<size) : .unsatisfiable
        default:
            self = .all
        }
    }

    /// `.some(nil)` for nothing, nil for what is no number.
    private static func number(_ text: Substring) -> Int64?? {
        if text.isEmpty { return .some(nil) }
        guard text.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
        // More digits than fit mean "to the end".
        return .some(Int64(text) ?? Int64.max - 1)
    }
}
