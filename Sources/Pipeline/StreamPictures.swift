// The pictures that are kept of a stream, where somebody asked for them: a video a segment, and the latest picture.

import Core
import Logging
import Media
import Overlay
import Results
import Timeline

/// Used by the writing thread. What cannot be drawn or encoded never costs the timeline, unless the disk is full.
final class StreamPictures {
    private let folder: StreamFolder
    private let logger: Logger
    private let clock: StreamClock
    /// Nil where faces may be shown.
    private var mosaic: Mosaic?
    private var painter: Painter
    private var size: (width: Int, height: Int)?
    private var video: AnnotatedVideoWriter?
    private var origin: Int64 = 0
    private var lastSnapshot: Int64?
    private var failure: String?

    private static let latest = "latest.jpg"
    private static let snapshotInterval: Int64 = 2_000_000

    /// Nil where no pictures are kept.
    init?(
        _ description: StreamDescription, format: TimelineFormat, folder: StreamFolder, clock: StreamClock,
        logger: Logger
    ) throws(PipelineError) {
        guard description.video != .none else {
            // Kept when somebody wanted it, and nobody does now.
            try? folder.remove(Self.latest)
            return nil
        }
        self.folder = folder
        self.clock = clock
        self.logger = logger
        mosaic = description.video == .blurred ? Mosaic() : nil
        var style = OverlayStyle()
        style.uncertainBelow = format.uncertainBelow
        painter = Painter(labels: format.labels, notice: description.notice, style: style)
    }

    /// A segment begins: its video's time is zero at `time`.
    func begin(at time: Timestamp) {
        origin = time.microseconds
        size = nil
        failure = nil
    }

    func take(_ result: FrameResult, _ frame: Frame, info: MediaInfo?, in staging: Staging) throws(MediaError) {
        guard failure == nil else { return }
        do throws(MediaError) {
            // Later sizes are fitted into the first frame's; a video's sides must be even.
            let target = size ?? ((frame.width + 1) & ~1, (frame.height + 1) & ~1)
            size = target
            let picture = try frame.annotationPicture(width: target.width, height: target.height)
            let placed = result.moved(by: picture.placement)
            mosaic?.cover(placed.faces, at: placed.time, on: picture.planes)
            painter.draw(placed, on: picture.planes)
            try snapshot(picture)
            let writer: AnnotatedVideoWriter
            if let video {
                writer = video
            } else {
                writer = try AnnotatedVideoWriter(
                    path: staging.path(of: "annotated.mp4"), width: target.width, height: target.height,
                    frameRate: info?.frameRate)
                video = writer
            }
            try writer.write(picture, at: Timestamp(microseconds: result.time.microseconds - origin))
        } catch {
            if error.kind == .noSpace { throw error }
            giveUp(error)
        }
    }

    /// The segment ends; what run.json says of its video.
    func end() throws(MediaError) -> RunReport.Video {
        defer { video = nil }
        do throws(MediaError) {
            guard let report = try video?.finish() else {
                return RunReport.Video(codec: nil, audio: "none", note: failure)
            }
            return RunReport.Video(codec: report.encoder, audio: "none", note: nil)
        } catch {
            if error.kind == .noSpace { throw error }
            giveUp(error)
            return RunReport.Video(codec: nil, audio: "none", note: failure)
        }
    }

    private func giveUp(_ error: MediaError) {
        logger.warning("the segment's video is left out: \(error)")
        failure = error.description
        video?.abandon()
        video = nil
    }

    /// Replaced by a rename, so that whoever reads it sees a whole picture.
    private func snapshot(_ picture: WritablePicture) throws(MediaError) {
        let now = clock.monotonic()
        if let lastSnapshot, now - lastSnapshot < Self.snapshotInterval { return }
        lastSnapshot = now
        let temporary = ".\(Self.latest).tmp"
        try writeJPEG(picture, path: PathBytes.join(folder.path, Array(temporary.utf8)), quality: 75)
        do throws(ResultsError) {
            try folder.replace(Self.latest, with: temporary)
        } catch {
            logger.warning("\(error)")
        }
    }
}

extension FrameResult {
    /// In pixels of the picture that is drawn on.
    fileprivate func moved(by placement: Media.Placement) -> FrameResult {
        var moved = self
        for place in moved.faces.indices {
            moved.faces[place].box = placement.map(faces[place].box)
            moved.faces[place].landmarks = faces[place].landmarks?.mapped(placement.map)
        }
        return moved
    }
}
