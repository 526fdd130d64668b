// What a stream's worker is told. Codable, because it travels to the worker as one line of JSON.

package struct StreamDescription: Hashable, Sendable, Codable {
    package enum Transport: String, Sendable, Codable, CaseIterable { case tcp, udp }
    package enum Pictures: String, Sendable, Codable, CaseIterable { case none, annotated, blurred }

    /// Names the folder below `streams/`.
    package var name: String
    /// Either this or `urlFile`. It may hold a password: `description` does not show it.
    package var url: String?
    /// A file whose first line is the URL.
    package var urlFile: [UInt8]?
    /// The results folder; the stream's own is `streams/<name>` below it.
    package var outputRoot: [UInt8]
    package var purpose: String?
    /// Drawn on what pictures are kept.
    package var notice: String?
    /// Of RTSP; others do not care.
    package var transport = Transport.tcp
    package var segmentSeconds = 600
    /// Analyse at most this many frames a second.
    package var framesPerSecond: Double?
    /// Longest side to which pictures are scaled down before all else, in pixels.
    package var size: Int?
    package var region: StreamRegion?
    /// `Mo-Fr 08:00-18:00`, in local time; nil: always.
    package var schedule: String?
    package var video = Pictures.none
    package var limits = StreamLimits()
    /// Of the stream's last run; nil at its first.
    package var state: StreamState?

    package init(name: String, url: String? = nil, urlFile: [UInt8]? = nil, outputRoot: [UInt8]) {
        self.name = name
        self.url = url
        self.urlFile = urlFile
        self.outputRoot = outputRoot
    }

    /// Whether a name can be a folder's: no slash, no control characters, not hidden, short enough.
    package static func isGoodName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 100 && !name.hasPrefix(".")
            && !name.unicodeScalars.contains { $0 == "/" || $0.properties.generalCategory == .control }
    }
}

extension StreamDescription: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String { "stream '\(name)'" }
    package var debugDescription: String { description }
}

/// The part of the picture that is looked at, in shares of its sides.
package struct StreamRegion: Hashable, Sendable, Codable {
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double

    /// Nil where it is not inside the picture.
    package init?(x: Double, y: Double, width: Double, height: Double) {
        guard x >= 0, y >= 0, width > 0, height > 0, x + width <= 1 + 1e-9, y + height <= 1 + 1e-9 else { return nil }
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// Four shares by commas: `0.25,0,0.5,1`.
    package init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Double($0) }
        guard parts.count == 4, numbers.count == 4 else { return nil }
        self.init(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])
    }
}

/// How long a source may be silent, in seconds.
package struct StreamLimits: Hashable, Sendable, Codable {
    package var connectSeconds = 10.0
    /// From the connection to the first picture.
    package var firstFrameSeconds = 10.0
    package var stallSeconds = 10.0

    package init() {}
}

/// What goes on over reconnects, segments and restarts; kept by whoever starts the stream.
package struct StreamState: Hashable, Sendable, Codable {
    /// Where `timestamp` is 0, in microseconds since 1970.
    package var originUTC: Int64
    package var nextFrame: Int
    package var lastFaceID: Int
    /// In microseconds since the origin.
    package var lastTimestamp: Int64

    package init(originUTC: Int64, nextFrame: Int = 0, lastFaceID: Int = 0, lastTimestamp: Int64 = -1) {
        self.originUTC = originUTC
        self.nextFrame = nextFrame
        self.lastFaceID = lastFaceID
        self.lastTimestamp = lastTimestamp
    }
}
