// One connection to a live source, from its opening to its loss. Each connection has a fresh demuxer and decoder: a
// decoder that goes on over a camera's restart shows grey for ever.

import CFFmpeg
import CFFmpegShims
import Core

package struct LiveOptions: Sendable {
    package var limits = MediaLimits()
    package var connectSeconds = 10.0
    /// From the connection to the first picture.
    package var firstFrameSeconds = 10.0
    package var stallSeconds = 10.0
    /// The part of the picture that is handed out, in shares of its sides.
    package var region: (x: Double, y: Double, width: Double, height: Double)?
    /// Longest side to which pictures are scaled down.
    package var longestSide: Int?
    package var decoderThreads = 2
    package var isCancelled: @Sendable () -> Bool
    /// Monotonic microseconds.
    package var now: @Sendable () -> Int64

    package init(isCancelled: @escaping @Sendable () -> Bool, now: @escaping @Sendable () -> Int64) {
        self.isCancelled = isCancelled
        self.now = now
    }
}

package struct LiveFrame: Sendable {
    package let frame: Frame
    /// Monotonic microseconds at which it was decoded.
    package let arrival: Int64
}

/// Used by one thread at a time; all calls block, but never longer than the limits.
package final class LiveReader {
    package let info: MediaInfo
    package private(set) var counts: MediaCounts
    /// Goes on into the next connection.
    package private(set) var clock: LiveClock
    private let source: LiveSource
    private let options: LiveOptions
    private let connection: LiveConnection
    private let shaper: LiveShaper
    private let firstIndex: Int
    private var waiting: LiveFrame?
    private var lateSince: Int64?

    /// A source whose pictures are decoded more slowly than they come piles up in the network's buffers. Later than
    /// this, for so long, and only a new connection brings it back to the present.
    private static let late: Int64 = 2_000_000, lateFor: Int64 = 2_000_000

    /// Connects and decodes the first picture.
    /// - Parameters:
    ///   - firstIndex: Index of the first frame.
    ///   - clock: Of the connection before, or a new one.
    package init(
        _ source: LiveSource, options: LiveOptions, firstIndex: Int, clock: LiveClock
    ) throws(MediaError) {
        self.source = source
        self.options = options
        self.firstIndex = firstIndex
        var clock = clock
        clock.reconnect()
        connection = try LiveConnection(source, options)
        shaper = LiveShaper(connection, options)
        var counts = MediaCounts()
        guard let first = try Self.next(connection, shaper, options, &counts, &clock, firstIndex) else {
            throw .unreachable(source: source.name, reason: "it ended before its first picture")
        }
        waiting = first
        let rate = av_guess_frame_rate(connection.context, connection.stream, nil)
        info = MediaInfo(
            container: connection.formatName, codec: connection.codecName, pixelFormat: shaper.pixelFormat,
            width: first.frame.width, height: first.frame.height, rotationDegrees: shaper.rotationDegrees,
            isMirrored: shaper.isMirrored, durationMicroseconds: nil,
            frameRate: connection.hasTimes
                ? FrameRate(numerator: Int(rate.num), denominator: Int(rate.den)) : nil, isPicture: false,
            hasAudio: false, bytes: 0)
        self.counts = counts
        self.clock = clock
    }

    package var notes: [String] { shaper.notes }

    /// The next picture; nil where the other side has ended the stream.
    package func next() throws(MediaError) -> LiveFrame? {
        if let frame = waiting {
            waiting = nil
            return frame
        }
        let next = try Self.next(connection, shaper, options, &counts, &clock, firstIndex)
        if let next { try checkLateness(next) }
        return next
    }

    private func checkLateness(_ live: LiveFrame) throws(MediaError) {
        let lateness = live.arrival - clock.origin - live.frame.time.microseconds
        guard lateness > Self.late else {
            lateSince = nil
            return
        }
        let since = lateSince ?? live.arrival
        lateSince = since
        if live.arrival - since > Self.lateFor {
            throw .unreachable(
                source: source.name,
                reason:
                    "its pictures are \(lateness / 1_000_000) s late; if that goes on, they are too large for this machine"
            )
        }
    }

    /// Static, because `init` needs it before `info` is known.
    private static func next(
        _ connection: LiveConnection, _ shaper: LiveShaper, _ options: LiveOptions, _ counts: inout MediaCounts,
        _ clock: inout LiveClock, _ firstIndex: Int
    ) throws(MediaError) -> LiveFrame? {
        let decoded = try FramePixels()
        guard try connection.decode(into: decoded, &counts) else { return nil }
        let arrival = options.now()
        let raw = decoded.raw.pointee
        let pixels = Int64(raw.width) * Int64(raw.height)
        if pixels > options.limits.maximumPixels {
            throw .limitExceeded(path: connection.name, limit: options.limits.pixels, value: pixels)
        }
        if raw.flags & AV_FRAME_FLAG_CORRUPT != 0 || raw.decode_error_flags != 0 {
            counts.note("frame \(firstIndex + counts.decoded) is damaged")
        }
        let before = clock.repaired
        let time = clock.time(pts: connection.presentationMicroseconds(of: decoded), arrival: arrival)
        counts.ptsRepaired += clock.repaired - before
        let frame = try shaper.frame(
            decoded, index: firstIndex + counts.decoded, time: time, isKey: raw.key_frame != 0)
        counts.decoded += 1
        return LiveFrame(frame: frame, arrival: arrival)
    }
}
