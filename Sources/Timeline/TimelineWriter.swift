// Step 7 of the data's way: one FrameResult becomes the rows of timeline.csv. The writer owns no file; the text goes
// to a sink that the caller opens.

package import Core

/// Writes the header at once and then the rows of each frame. The rows of one frame reach the sink in one piece, so
/// nothing is held back between frames and what the sink has is a valid file at any moment.
package struct TimelineWriter<Failure: Error> {
    package typealias Sink = (UnsafeRawBufferPointer) throws(Failure) -> Void

    /// What has been written so far: enough to go on after a checkpoint, and what run.json counts.
    package struct Counts: Hashable, Sendable, Codable {
        package var frames = 0
        package var framesWithFaces = 0
        package var rows = 0

        package init() {}
    }

    package private(set) var counts: Counts
    private let format: TimelineFormat
    private let columns: LabelColumns
    private let sink: Sink
    private var buffer = RowBuffer()

    package init(format: TimelineFormat, sink: @escaping Sink) throws(Failure) {
        self.init(format: format, resuming: Counts(), sink: sink)
        header()
        try drain()
    }

    /// Goes on behind rows that an earlier writer of the same format has written; writes no header.
    package init(format: TimelineFormat, resuming counts: Counts, sink: @escaping Sink) {
        self.format = format
        self.counts = counts
        self.sink = sink
        columns = LabelColumns(format)
    }

    /// - Parameter utc: the wall clock of the frame in microseconds since 1970, for a format that has the column.
    package mutating func write(_ result: FrameResult, utc: Int64? = nil) throws(Failure) {
        let faces = Self.ordered(result.faces)
        if faces.isEmpty {
            noFace(result, utc: utc)
        } else {
            for face in faces { row(face, of: result, utc: utc) }
        }
        try drain()
        counts.frames += 1
        counts.framesWithFaces += faces.isEmpty ? 0 : 1
        counts.rows += max(faces.count, 1)
    }

    /// Ends the file and says what is in it. Nothing is buffered here, so there is nothing left to write.
    package consuming func finish() -> Counts { counts }

    private mutating func drain() throws(Failure) {
        // Array.withUnsafeBytes rethrows any Error; a Result carries the type through.
        let result = buffer.bytes.withUnsafeBytes { bytes -> Result<Void, Failure> in
            do throws(Failure) { return .success(try sink(bytes)) } catch { return .failure(error) }
        }
        buffer.removeAll()
        try result.get()
    }

    private mutating func header() {
        for name in LabelColumns.leading + Emotion.names + LabelColumns.trailing {
            buffer.raw(Array(name.utf8))
        }
        if format.utc { buffer.plain("utc") }
        for name in columns.furtherNames { buffer.raw(RowBuffer.quoted(name)) }
        buffer.endRow()
    }

    private mutating func row(_ face: FaceObservation, of result: FrameResult, utc: Int64?) {
        buffer.integer(result.index)
        buffer.seconds(microseconds: result.time.microseconds)
        buffer.integer(face.id)
        buffer.fixed(face.confidence, digits: 4)
        for side in [face.box.x, face.box.y, face.box.width, face.box.height] { buffer.fixed(side, digits: 1) }
        probabilities(face.probabilities, at: columns.seven)
        dominant(face.probabilities)
        switch face.status {
        case .detected: buffer.plain("detected")
        case .tracked: buffer.plain("tracked")
        }
        if format.utc { buffer.utc(microsecondsSince1970: utc) }
        for place in columns.further { probability(face.probabilities, at: place) }
        buffer.endRow()
    }

    /// Nobody was there, which is not the same as not having looked.
    private mutating func noFace(_ result: FrameResult, utc: Int64?) {
        buffer.integer(result.index)
        buffer.seconds(microseconds: result.time.microseconds)
        buffer.empty(LabelColumns.leading.count - 2 + Emotion.names.count + 2)
        buffer.plain("no_face")
        if format.utc { buffer.utc(microsecondsSince1970: utc) }
        buffer.empty(columns.further.count)
        buffer.endRow()
    }

    private mutating func probabilities(_ values: Probabilities?, at places: [Int?]) {
        for place in places { probability(values, at: place) }
    }

    private mutating func probability(_ values: Probabilities?, at place: Int?) {
        if let place, let values, place < values.values.count {
            buffer.fixed(values.values[place], digits: 4)
        } else {
            buffer.empty()
        }
    }

    private mutating func dominant(_ values: Probabilities?) {
        guard let values, let best = columns.dominant(of: values) else { return buffer.empty(2) }
        if best.score >= format.uncertainBelow { buffer.raw(columns.cells[best.index]) } else { buffer.empty() }
        buffer.fixed(best.score, digits: 4)
    }

    /// Faces come ordered; sorting again costs only where they do not.
    private static func ordered(_ faces: [FaceObservation]) -> [FaceObservation] {
        let rising = zip(faces, faces.dropFirst()).allSatisfy { $0.id <= $1.id }
        return rising ? faces : faces.sorted { $0.id < $1.id }
    }
}
