// From pieces of a byte stream, as read(2) gives them, to whole lines. Both ends of the job protocol read by it.

package struct LineSplitter: Sendable {
    private let limit: Int
    private var rest: [UInt8] = []

    /// - Parameter limit: of a line in bytes, without its end.
    package init(limit: Int = JobProtocol.longestLine) { self.limit = limit }

    /// The lines that are complete now, without their ends. What is behind the last end waits for more.
    ///
    /// - Throws: `tooLong`. The stream is of no use afterwards, as nobody knows where the next line begins.
    package mutating func feed(_ bytes: some Collection<UInt8>) throws(JobProtocolError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var piece = bytes[...]
        while let end = piece.firstIndex(of: UInt8(ascii: "\n")) {
            guard rest.count + piece.distance(from: piece.startIndex, to: end) <= limit else {
                throw .tooLong(limit: limit)
            }
            lines.append(rest + piece[..<end])
            rest.removeAll(keepingCapacity: true)
            piece = piece[piece.index(after: end)...]
        }
        guard rest.count + piece.count <= limit else { throw .tooLong(limit: limit) }
        rest += piece
        return lines
    }

    /// What stands behind the last line end, at the end of the stream.
    package mutating func finish() -> [UInt8]? {
        defer { rest = [] }
        return rest.isEmpty ? nil : rest
    }
}
