// The annotated video of a run that may be interrupted: closed pieces, each a whole MP4 file with an encoder of its
// own, joined at the end without encoding again. A piece that was closed outlives the process; one that was not is
// made again.

import CFFmpeg
package import Core

/// What is needed to go on behind the last closed piece.
package struct SegmentedVideoState: Hashable, Sendable, Codable {
    package static let version = 1

    /// Names of the closed pieces in order.
    package fileprivate(set) var segments: [String] = []
    /// In the closed pieces.
    package fileprivate(set) var frames = 0
    package fileprivate(set) var encoder: String?
    fileprivate var width: Int
    fileprivate var height: Int
    fileprivate var clock: VideoClock
}

/// Used by one thread at a time.
package final class SegmentedVideoWriter: VideoWriter {
    /// Of the closed pieces.
    package private(set) var state: SegmentedVideoState
    private let folder: [UInt8]
    private let target: [UInt8]
    private let audio: AudioSource?
    private let frameRate: FrameRate?
    private let encoders: [String]
    private let isCancelled: @Sendable () -> Bool
    private var open: AnnotatedVideoWriter?

    /// - Parameters:
    ///   - folder: is there, and holds the pieces.
    ///   - target: where the whole is written.
    ///   - resuming: as an earlier writer left it; its pieces are in `folder`.
    package init(
        folder: [UInt8], target: [UInt8], width: Int, height: Int, frameRate: FrameRate? = nil,
        audio: AudioSource? = nil, resuming: SegmentedVideoState? = nil,
        encoders: [String] = AnnotatedVideoWriter.encoders, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.folder = folder
        self.target = target
        self.audio = audio
        self.frameRate = frameRate
        self.encoders = encoders
        self.isCancelled = isCancelled
        state = resuming ?? SegmentedVideoState(width: width, height: height, clock: VideoClock(frameRate))
    }

    package func write(_ picture: WritablePicture, at time: Timestamp) throws(MediaError) {
        let writer: AnnotatedVideoWriter
        if let open {
            writer = open
        } else {
            writer = try AnnotatedVideoWriter(
                path: path(of: Self.name(state.segments.count)), width: state.width, height: state.height,
                frameRate: frameRate, clock: state.clock, audio: nil, encoders: encoders, isCancelled: isCancelled)
            open = writer
        }
        try writer.write(picture, at: time)
    }

    /// Closes the piece that is being written. Returns its path, nil where none was begun.
    package func closeSegment() throws(MediaError) -> [UInt8]? {
        guard let writer = open else { return nil }
        open = nil
        let report = try writer.finish()
        let name = Self.name(state.segments.count)
        state.segments.append(name)
        state.frames += report.frames
        state.encoder = report.encoder
        state.clock = writer.clock
        return path(of: name)
    }

    package func finish(cutsAudio: Bool) throws(MediaError) -> VideoWriteReport {
        _ = try closeSegment()
        let joined = try VideoJoin(
            segments: state.segments.map(path(of:)), lastStep: state.clock.lastStep, target: target, audio: audio,
            isCancelled: isCancelled)
        let frames = try joined.run(cutsAudioAt: cutsAudio ? state.clock.end : nil)
        guard frames == state.frames else {
            joined.abandon()
            throw .segmentsDiffer(path: displayName(ofPath: target), expected: state.frames, found: frames)
        }
        return VideoWriteReport(encoder: state.encoder ?? "", frames: frames, audio: joined.audio)
    }

    /// Leaves off and removes the pieces.
    package func abandon() {
        open?.abandon()
        open = nil
        for name in state.segments { removeFile(path(of: name)) }
        removeFile(target)
    }

    private func path(of name: String) -> [UInt8] { folder + Array("/\(name)".utf8) }

    private static func name(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(6 - digits.count, 0)) + digits + ".mp4"
    }
}
