// What the caller may set about reading a source, and the limits that keep a hostile file from taking the machine.

package import Core

/// A limit that was met, with the words a user needs to raise it.
package struct MediaLimit: Hashable, Sendable {
    package let name: String
    package let option: String
    package let maximum: Int64
}

package struct MediaLimits: Hashable, Sendable {
    /// Of one frame, as coded and as displayed.
    package var maximumPixels: Int
    /// Of all kinds in the container.
    package var maximumStreams: Int
    package var maximumDurationSeconds: Int
    /// Size of a picture's file.
    package var maximumPictureBytes: Int

    package init(
        maximumPixels: Int = 8192 * 8192, maximumStreams: Int = 64,
        maximumDurationSeconds: Int = 24 * 3600, maximumPictureBytes: Int = 512 << 20
    ) {
        self.maximumPixels = maximumPixels
        self.maximumStreams = maximumStreams
        self.maximumDurationSeconds = maximumDurationSeconds
        self.maximumPictureBytes = maximumPictureBytes
    }

    var pixels: MediaLimit {
        MediaLimit(name: "pixels of a frame", option: "--max-pixels", maximum: Int64(maximumPixels))
    }
    var streams: MediaLimit {
        MediaLimit(name: "number of streams", option: "--max-streams", maximum: Int64(maximumStreams))
    }
    var duration: MediaLimit {
        MediaLimit(name: "duration in seconds", option: "--max-duration", maximum: Int64(maximumDurationSeconds))
    }
    var pictureBytes: MediaLimit {
        MediaLimit(
            name: "size of a picture in bytes", option: "--max-picture-bytes", maximum: Int64(maximumPictureBytes))
    }

    /// Longest side to which a pixel aspect may stretch a frame: that of a square of `maximumPixels`.
    var longestStretchedSide: Int { Int(Double(maximumPixels).squareRoot()) }
}

package struct MediaOptions: Sendable {
    package var limits: MediaLimits
    /// Frame threads of the decoder.
    package var decoderThreads: Int
    /// Frames before `from` are decoded and counted, but not handed out; at `to` reading ends (`from ..< to`).
    package var from: Timestamp?
    package var to: Timestamp?
    /// Asked between packets and at every read, from the thread that reads.
    package var isCancelled: @Sendable () -> Bool

    package init(
        limits: MediaLimits = MediaLimits(), decoderThreads: Int = 2, from: Timestamp? = nil, to: Timestamp? = nil,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.limits = limits
        self.decoderThreads = decoderThreads
        self.from = from
        self.to = to
        self.isCancelled = isCancelled
    }
}
