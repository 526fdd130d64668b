// The last stage: one result at a time into timeline, summary, annotated video or picture, and stills.

import Core
import Logging
import Media
import Overlay
import Results
import Timeline

/// What a run looks like while it goes on.
package struct RunProgress: Sendable {
    package var frames = 0
    /// Of the source's duration; nil where that is unknown.
    package var share: Double?

    package init(frames: Int, share: Double?) {
        self.frames = frames
        self.share = share
    }
}

final class RunWriter: ResultSink {
    private let staging: Staging
    private let sourcePath: [UInt8]
    private let info: MediaInfo
    private let options: AnalysisOptions
    private let logger: Logger
    private let progress: (RunProgress) -> Void
    private let timelineFile: FileSink
    private var timeline: TimelineWriter<ResultsError>
    private var summary: SummaryAccumulator
    private var painter: Painter
    private var video: AnnotatedVideoWriter?
    private var videoFailed = false
    private var size: (width: Int, height: Int)?
    private var faceIDs = Set<Int>()
    private var frames = 0
    private var firstTime: Timestamp?

    private(set) var videoReport: RunReport.Video?
    private(set) var notes: [String] = []

    var needsFrames: Bool { (options.video && !videoFailed) || options.stills != .none }
    var tracks: Int { faceIDs.count }
    private(set) var counts = TimelineWriter<ResultsError>.Counts()

    init(
        staging: Staging, source: [UInt8], info: MediaInfo, format: TimelineFormat, options: AnalysisOptions,
        logger: Logger, progress: @escaping (RunProgress) -> Void
    ) throws(ResultsError) {
        self.staging = staging
        self.sourcePath = source
        self.info = info
        self.options = options
        self.logger = logger
        self.progress = progress
        let file = try staging.createFile("timeline.csv")
        timelineFile = file
        timeline = try TimelineWriter(format: format) { bytes throws(ResultsError) in try file.write(bytes) }
        summary = SummaryAccumulator(format: format)
        var style = OverlayStyle()
        style.uncertainBelow = format.uncertainBelow
        painter = Painter(
            labels: format.labels,
            strip: TimeStrip(duration: info.durationMicroseconds.map(Timestamp.init(microseconds:))), style: style)
    }

    func take(_ result: FrameResult, frame: Frame?) throws {
        try timeline.write(result)
        summary.add(result)
        for face in result.faces { faceIDs.insert(face.id) }
        firstTime = firstTime ?? result.time
        if let frame { try annotate(result, frame) }
        frames += 1
        progress(RunProgress(frames: frames, share: share(result.time)))
    }

    private func share(_ time: Timestamp) -> Double? {
        guard let duration = options.to?.microseconds ?? info.durationMicroseconds, duration > 0 else { return nil }
        let start = options.from?.microseconds ?? 0
        return Double(time.microseconds - start) / Double(max(duration - start, 1))
    }

    /// A picture or video that cannot be written never costs the timeline, unless the disk is full.
    private func annotate(_ result: FrameResult, _ frame: Frame) throws {
        let wantsVideo = options.video && !videoFailed
        let wantsStill = isStill(result)
        guard wantsVideo || wantsStill else { return }
        do throws(MediaError) {
            // Later sizes are fitted into the first frame's; a video's sides must be even.
            let target = size ?? ((frame.width + 1) & ~1, (frame.height + 1) & ~1)
            size = target
            let picture = try frame.annotationPicture(width: target.width, height: target.height)
            painter.draw(result.placed(picture.placement), on: picture.planes)
            if wantsStill { try writeJPEG(picture, path: stillPath(result), quality: 90) }
            guard wantsVideo else { return }
            if info.isPicture {
                try writeJPEG(picture, path: staging.path(of: "annotated.jpg"), quality: 90)
                videoReport = RunReport.Video(codec: "mjpeg", audio: "none", note: nil)
            } else {
                try write(picture, at: result.time, target)
            }
        } catch {
            if error.kind == .noSpace { throw error }
            giveUpVideo(error)
        }
    }

    private func write(
        _ picture: WritablePicture, at time: Timestamp, _ target: (width: Int, height: Int)
    ) throws(MediaError) {
        let writer: AnnotatedVideoWriter
        if let video {
            writer = video
        } else {
            writer = try AnnotatedVideoWriter(
                path: staging.path(of: "annotated.mp4"), width: target.width, height: target.height,
                frameRate: info.frameRate,
                audio: info.hasAudio ? AudioSource(path: sourcePath, from: options.from, to: options.to) : nil)
            video = writer
        }
        try writer.write(picture, at: time)
    }

    private func giveUpVideo(_ error: MediaError) {
        logger.warning("the annotated video is left out: \(error)")
        notes.append("annotated video left out: \(error)")
        videoReport = RunReport.Video(codec: nil, audio: "dropped", note: error.description)
        videoFailed = true
        video?.abandon()
        video = nil
    }

    private func isStill(_ result: FrameResult) -> Bool {
        switch options.stills {
        case .none: false
        case .all: true
        case .faces: !result.faces.isEmpty
        case .every(let n): frames % n == 0
        }
    }

    private func stillPath(_ result: FrameResult) -> [UInt8] {
        let number = String(result.index ?? frames)
        let name = String(repeating: "0", count: max(0, 6 - number.count)) + number + ".jpg"
        return staging.path(of: "frames/\(name)")
    }

    /// Closes everything but run.json.
    /// - Parameter isCut: the video ends before its source, and so must its sound.
    func finish(end: Timestamp?, isCut: Bool) throws {
        counts = timeline.finish()
        try timelineFile.close()
        try staging.write("summary.csv", summary.csv(end: end))
        guard let video else { return }
        do throws(MediaError) {
            let report = try video.finish(cutsAudio: isCut)
            videoReport = report.runReport
        } catch {
            if error.kind == .noSpace { throw error }
            giveUpVideo(error)
        }
    }
}

extension FrameResult {
    /// In pixels of the picture that is drawn on.
    fileprivate func placed(_ placement: Media.Placement) -> FrameResult {
        var moved = self
        for i in moved.faces.indices {
            moved.faces[i].box = placement.map(faces[i].box)
            moved.faces[i].landmarks = faces[i].landmarks?.mapped(placement.map)
        }
        return moved
    }
}

extension VideoWriteReport {
    /// As run.json says it.
    fileprivate var runReport: RunReport.Video {
        switch audio {
        case .none: RunReport.Video(codec: encoder, audio: "none", note: nil)
        case .copied(let codec): RunReport.Video(codec: encoder, audio: "copied", note: "sound is \(codec)")
        case .transcoded(let codec):
            RunReport.Video(codec: encoder, audio: "transcoded", note: "sound was \(codec), is AAC")
        case .dropped(let reason): RunReport.Video(codec: encoder, audio: "dropped", note: reason)
        }
    }
}
