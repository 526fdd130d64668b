// The strip at the bottom of the picture: which emotion led in which face, over time.

package import Core

/// A few lanes, one a face in view, of coloured cells. Memory does not grow with the video: a face takes the lowest
/// lane that nobody in view holds, and a lane's past stays with it.
package struct TimeStrip: Hashable, Sendable, Codable {
    package static let lanes = 6
    package static let columns = 480
    /// Without a known duration the strip shows so much of the past and moves on.
    private static let window: Int64 = 30_000_000
    private static let empty: UInt8 = 255

    private let duration: Int64?
    private let start: Int64
    private var holders = [Int?](repeating: nil, count: lanes)
    private var cells = [UInt8](repeating: empty, count: lanes * columns)
    private var shift: Int64 = 0
    /// Lanes in use so far; those beyond are not drawn.
    package private(set) var usedLanes = 0
    package private(set) var cursor = 0

    /// - Parameters:
    ///   - start: time of the first frame.
    ///   - duration: of what will be drawn; nil for streams.
    package init(start: Timestamp = .zero, duration: Timestamp?) {
        self.start = start.microseconds
        self.duration = duration.map(\.microseconds).flatMap { $0 > 0 ? $0 : nil }
    }

    /// Label of the cell, nil where nobody was.
    package func label(lane: Int, column: Int) -> Int? {
        let value = cells[lane * Self.columns + column]
        return value == Self.empty ? nil : Int(value)
    }

    package mutating func add(_ result: FrameResult) {
        advance(to: result.time)
        let ids = Set(result.faces.map(\.id))
        for lane in holders.indices {
            if let id = holders[lane], !ids.contains(id) { holders[lane] = nil }
        }
        for face in result.faces {
            guard let best = face.probabilities?.largest.index, best < Int(Self.empty) else { continue }
            guard let lane = holders.firstIndex(of: face.id) ?? holders.firstIndex(of: nil) else { continue }
            let isNew = holders[lane] != face.id
            holders[lane] = face.id
            usedLanes = max(usedLanes, lane + 1)
            write(UInt8(best), lane: lane, joining: !isNew)
        }
    }

    private var lastColumn = 0

    private mutating func advance(to time: Timestamp) {
        let passed = max(time.microseconds &- start, 0)
        lastColumn = cursor
        let columns = Int64(Self.columns)
        if let duration {
            cursor = Int(min(passed.multipliedReportingOverflow(by: columns).partialValue / duration, columns - 1))
            cursor = max(cursor, 0)
            return
        }
        let cell = Self.window / columns
        let column = passed / cell - shift
        if column >= columns {
            let by = column - columns + 1
            shift += by
            move(by: Int(min(by, columns)))
        }
        cursor = Int(min(max(column, 0), columns - 1))
    }

    private mutating func move(by count: Int) {
        for lane in 0..<Self.lanes {
            let base = lane * Self.columns
            for column in 0..<Self.columns {
                let from = column + count
                cells[base + column] = from < Self.columns ? cells[base + from] : Self.empty
            }
        }
        lastColumn = max(lastColumn - count, 0)
    }

    /// At low frame rates one frame spans several cells: those since the last frame are the face's too.
    private mutating func write(_ value: UInt8, lane: Int, joining: Bool) {
        let from = joining ? min(lastColumn + 1, cursor) : cursor
        for column in from...max(cursor, from) { cells[lane * Self.columns + column] = value }
    }
}
