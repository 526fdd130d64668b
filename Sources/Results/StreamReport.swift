// What a running stream tells: events as they happen, figures every second, segments as they are published.

package enum StreamReport: Hashable, Sendable, Codable {
    case event(StreamEvent)
    case stats(StreamStats)
    case published(StreamSegment)
}

package struct StreamEvent: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case connected, lost, reconnected, stalled, dropped
        /// The schedule closed and opened.
        case paused, resumed
        case stopped
    }

    /// Microseconds since 1970.
    package var utc: Int64
    /// On the stream's own clock; nil before its first frame.
    package var timestamp: Int64?
    package var kind: Kind
    package var detail: String

    package init(utc: Int64, timestamp: Int64?, kind: Kind, detail: String) {
        self.utc = utc
        self.timestamp = timestamp
        self.kind = kind
        self.detail = detail
    }
}

package struct StreamStats: Hashable, Sendable, Codable {
    package enum Phase: String, Sendable, Codable {
        case connecting, live
        /// For the next try.
        case waiting
        /// By the schedule.
        case paused
        case stopped
    }

    package var phase = Phase.connecting
    /// Why there are no pictures; nil while there are.
    package var problem: String?
    /// Pictures a second that came and that were analysed, over the last seconds.
    package var fpsIn = 0.0
    package var fpsOut = 0.0
    /// From a picture's arrival to its row, of the last one.
    package var lagSeconds: Double?
    package var framesIn = 0
    package var analysed = 0
    /// Left out for the limit on frames a second.
    package var skipped = 0
    /// Lost for want of time.
    package var dropped = 0
    package var reconnects = 0
    package var stalls = 0
    package var segments = 0
    package var errors = 0
    package var lastFrameUTC: Int64?
    /// Of the last picture.
    package var faces: [StreamFace] = []
    /// Seconds spent in each stage.
    package var stages: [String: Double] = [:]
    package var state: StreamState?

    package init() {}
}

/// One face of the live strip.
package struct StreamFace: Hashable, Sendable, Codable {
    package var id: Int
    /// Nil where the model is not sure.
    package var dominant: String?
    package var score: Float?
    package var probabilities: [String: Float]
    /// x, y, width, height in pixels of the analysed picture.
    package var box: [Float]

    package init(id: Int, dominant: String?, score: Float?, probabilities: [String: Float], box: [Float]) {
        self.id = id
        self.dominant = dominant
        self.score = score
        self.probabilities = probabilities
        self.box = box
    }
}

package struct StreamSegment: Hashable, Sendable, Codable {
    package var folder: [UInt8]
    /// Of its first and behind its last frame, in microseconds since 1970.
    package var start: Int64
    package var end: Int64
    package var frames: Int
    package var rows: Int
    package var faces: Int
    package var status: RunReport.Status
    package var state: StreamState

    package init(
        folder: [UInt8], start: Int64, end: Int64, frames: Int, rows: Int, faces: Int, status: RunReport.Status,
        state: StreamState
    ) {
        self.folder = folder
        self.start = start
        self.end = end
        self.frames = frames
        self.rows = rows
        self.faces = faces
        self.status = status
        self.state = state
    }
}

extension RunReport {
    /// What run.json says of a segment of a stream, beside what it says of every run.
    package struct Stream: Hashable, Sendable, Codable {
        package var name: String
        package var purpose: String?
        /// RFC 3339, as in the timeline's last column.
        package var start: String
        package var end: String
        /// Where `timestamp` is 0.
        package var origin: String
        /// Of the segment's first frame; the annotated video begins there.
        package var firstTimestamp: Double
        package var reconnects: Int
        package var stalls: Int
        /// The longest time from a picture's arrival to its row, in seconds.
        package var greatestLag: Double

        package init(
            name: String, purpose: String?, start: String, end: String, origin: String, firstTimestamp: Double,
            reconnects: Int, stalls: Int, greatestLag: Double
        ) {
            self.name = name
            self.purpose = purpose
            self.start = start
            self.end = end
            self.origin = origin
            self.firstTimestamp = firstTimestamp
            self.reconnects = reconnects
            self.stalls = stalls
            self.greatestLag = greatestLag
        }

        enum CodingKeys: String, CodingKey {
            case name, purpose, start, end, origin, reconnects, stalls
            case firstTimestamp = "first_timestamp"
            case greatestLag = "greatest_lag"
        }
    }
}
