// summary.csv: one row per face over the whole source. It is gathered while the frames go by, in constant memory per
// face, because a day of video does not fit anywhere.

package import Core

/// Every frame stands until the next analysed one, and weighs as much as it stands: so a video of variable rate, or
/// one analysed at every tenth frame, gives the means of time and not of frames. The last frame stands until the
/// end of the source where that is known, else as long as the one before it.
package struct SummaryAccumulator: Sendable, Codable {
    /// Of its coded form.
    package static let stateVersion = 1

    private let format: TimelineFormat
    private let columns: LabelColumns
    private var faces: [Int: Tally] = [:]
    /// The newest frame, whose weight is known once the next one comes.
    private var standing: Standing?
    private var lastStep: Int64 = 0

    package init(format: TimelineFormat) {
        self.format = format
        columns = LabelColumns(format)
    }

    package mutating func add(_ result: FrameResult) {
        if let standing {
            // Times rise from frame to frame; a microsecond at least keeps a broken source from weighing nothing.
            lastStep = max(result.time.microseconds.less(standing.time.microseconds), 1)
            settle(standing, for: lastStep)
        }
        standing = Standing(
            time: result.time,
            faces: result.faces.map { Standing.Face(id: $0.id, probabilities: $0.probabilities) })
    }

    /// The whole file; more frames may be added after it.
    ///
    /// - Parameter end: the end of the source, where it is known and lies behind the last frame.
    package func csv(end: Timestamp?) -> [UInt8] {
        var final = self
        if let standing {
            let untilEnd = end.map { $0.microseconds.less(standing.time.microseconds) } ?? 0
            // A lone frame, as of a picture, has no length; any weight gives its values as means.
            final.settle(standing, for: untilEnd > 0 ? untilEnd : lastStep)
        }
        return final.text()
    }

    private mutating func settle(_ frame: Standing, for microseconds: Int64) {
        for face in frame.faces {
            faces[face.id, default: Tally(first: frame.time, labels: format.labels.count)]
                .add(face.probabilities, at: frame.time, microseconds: microseconds, columns: columns, format: format)
        }
    }

    private func text() -> [UInt8] {
        var buffer = RowBuffer()
        header(&buffer)
        for (id, tally) in faces.sorted(by: { $0.key < $1.key }) {
            buffer.integer(id)
            buffer.seconds(microseconds: tally.first.microseconds)
            buffer.seconds(microseconds: tally.last.microseconds)
            buffer.seconds(microseconds: tally.seen)
            buffer.integer(tally.rows)
            for place in columns.seven { buffer.fixed(tally.mean(place), digits: 4) }
            for place in columns.seven { buffer.fixed(tally.max(place), digits: 4) }
            for place in columns.seven { buffer.fixed(tally.share(place), digits: 4) }
            buffer.fixed(tally.uncertainShare, digits: 4)
            for place in columns.further {
                buffer.fixed(tally.mean(place), digits: 4)
                buffer.fixed(tally.max(place), digits: 4)
                buffer.fixed(tally.share(place), digits: 4)
            }
            buffer.endRow()
        }
        return buffer.bytes
    }

    private func header(_ buffer: inout RowBuffer) {
        for name in ["face_id", "first", "last", "seen", "rows"] { buffer.raw(Array(name.utf8)) }
        for suffix in ["_mean", "_max", "_share"] {
            for name in Emotion.names { buffer.raw(Array((name + suffix).utf8)) }
        }
        buffer.plain("uncertain_share")
        for name in columns.furtherNames {
            for suffix in ["_mean", "_max", "_share"] { buffer.raw(RowBuffer.quoted(name + suffix)) }
        }
        buffer.endRow()
    }
}

/// The part of a frame that is kept until its weight is known.
private struct Standing: Sendable, Codable {
    struct Face: Sendable, Codable {
        let id: Int
        let probabilities: Probabilities?
    }

    let time: Timestamp
    let faces: [Face]
}

/// One face so far. Times are whole microseconds, so shares add up exactly whatever the length.
private struct Tally: Sendable, Codable {
    let first: Timestamp
    private(set) var last: Timestamp
    private(set) var seen: Int64 = 0
    private(set) var rows = 0
    private var classified: Weight = .none
    private var sums: [Double]
    private var peaks: [Float]
    private var dominant: [Weight]

    init(first: Timestamp, labels: Int) {
        self.first = first
        last = first
        sums = Array(repeating: 0, count: labels)
        peaks = Array(repeating: 0, count: labels)
        dominant = Array(repeating: .none, count: labels)
    }

    mutating func add(
        _ probabilities: Probabilities?, at time: Timestamp, microseconds: Int64, columns: LabelColumns,
        format: TimelineFormat
    ) {
        last = time
        rows += 1
        seen = seen.plus(microseconds)
        guard let probabilities, probabilities.values.count == sums.count,
            probabilities.values.allSatisfy(\.isFinite), let best = columns.dominant(of: probabilities)
        else { return }
        let weight = Weight(microseconds: microseconds)
        classified += weight
        for (place, value) in probabilities.values.enumerated() {
            sums[place] += Double(value) * Double(weight.units)
            peaks[place] = Swift.max(peaks[place], value)
        }
        if best.score >= format.uncertainBelow { dominant[best.index] += weight }
    }

    func mean(_ place: Int?) -> Double? {
        place.flatMap { place in classified.isNone ? nil : sums[place] / Double(classified.units) }
    }

    func max(_ place: Int?) -> Double? {
        place.flatMap { classified.isNone ? nil : Double(peaks[$0]) }
    }

    func share(_ place: Int?) -> Double? {
        place.flatMap { classified.isNone ? nil : dominant[$0].share(of: classified) }
    }

    var uncertainShare: Double? {
        guard !classified.isNone else { return nil }
        let certain = dominant.reduce(Weight.none, +)
        return (classified - certain).share(of: classified)
    }
}

/// Time as weight: microseconds, but at least one, so that a lone frame without a length still counts.
private struct Weight: Sendable, Codable {
    private(set) var units: Int64

    static let none = Weight(units: 0)
    var isNone: Bool { units == 0 }

    private init(units: Int64) { self.units = units }
    init(microseconds: Int64) { units = Swift.max(microseconds, 1) }

    static func + (a: Weight, b: Weight) -> Weight { Weight(units: a.units.plus(b.units)) }
    static func - (a: Weight, b: Weight) -> Weight { Weight(units: a.units.less(b.units)) }
    static func += (a: inout Weight, b: Weight) { a = a + b }
    func share(of whole: Weight) -> Double { Double(units) / Double(whole.units) }
}

/// Sums that stop at the ends of the range: the times of a hostile file may be as far apart as Int64 reaches.
extension Int64 {
    fileprivate func plus(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    fileprivate func less(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}
