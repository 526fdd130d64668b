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
    /// The frames are those that an earlier run has analysed, on the way to where it ended.
    package var isCatchingUp = false

    package init(frames: Int, share: Double?, isCatchingUp: Bool = false) {
        self.frames = frames
        self.share = share
        self.isCatchingUp = isCatchingUp
    }
}

final class RunWriter: ResultSink {
    static let timelineName = "timeline.csv", summaryName = "summary.csv", stillsName = "frames"
    static let videoName = "annotated.mp4", pictureName = "annotated.jpg"
    /// What is published, beside run.json.
    static let resultNames = [timelineName, summaryName, videoName, pictureName, stillsName]
    /// Pieces of the annotated video, in a work folder.
    static let segmentsName = "segments"

    private let files: any ResultFiles
    private let sourcePath: [UInt8]
    private let info: MediaInfo
    private let options: AnalysisOptions
    private let logger: Logger
    private let progress: (RunProgress) -> Void
    let timelineFile: FileSink
    private(set) var timeline: TimelineWriter<ResultsError>
    private(set) var summary: SummaryAccumulator
    private(set) var painter: Painter
    private(set) var mosaic: Mosaic
    private var video: (any VideoWriter)?
    private(set) var segments: SegmentedVideoWriter?
    private(set) var videoFailed: Bool
    private(set) var size: (width: Int, height: Int)?
    private(set) var faceIDs: Set<Int>
    private(set) var frames: Int

    let checkpoints: CheckpointKeeper?
    /// Behind the frame taken last, and not yet on the disk.
    var unsaved: ResumePoint?
    /// Of the checkpoint before, or of the first frame.
    var checkpointTime: Timestamp?
    /// Written since then.
    var newStills: [String] = []

    private(set) var videoReport: RunReport.Video?
    private(set) var notes: [String]

    var needsFrames: Bool { (options.keepsVideo && !videoFailed) || options.keepsStills }
    var tracks: Int { faceIDs.count }
    private(set) var counts = TimelineWriter<ResultsError>.Counts()

    /// - Parameters:
    ///   - checkpoints: where `files` is a work folder.
    ///   - state: as an earlier run of the same job left it there.
    init(
        files: any ResultFiles, source: [UInt8], info: MediaInfo, format: TimelineFormat, options: AnalysisOptions,
        logger: Logger, checkpoints: CheckpointKeeper? = nil, resuming state: State? = nil,
        progress: @escaping (RunProgress) -> Void
    ) throws(ResultsError) {
        self.files = files
        self.sourcePath = source
        self.info = info
        self.options = options
        self.logger = logger
        self.checkpoints = checkpoints
        self.progress = progress
        if options.keepsStills { try files.makeFolder(Self.stillsName) }
        if let state, let work = checkpoints?.work {
            guard let file = try work.reopenFile(Self.timelineName, keeping: state.timelineBytes) else {
                throw .io(action: "go on writing", path: work.path(of: Self.timelineName), code: 0)
            }
            timelineFile = file
            timeline = TimelineWriter(format: format, resuming: state.timelineCounts) { bytes throws(ResultsError) in
                try file.write(bytes)
            }
        } else {
            let file = try files.createFile(Self.timelineName)
            timelineFile = file
            timeline = try TimelineWriter(format: format) { bytes throws(ResultsError) in try file.write(bytes) }
        }
        summary = state?.summary ?? SummaryAccumulator(format: format)
        var style = OverlayStyle()
        style.uncertainBelow = format.uncertainBelow
        painter = Painter(
            labels: format.labels, notice: options.notice,
            strip: TimeStrip(duration: info.durationMicroseconds.map(Timestamp.init(microseconds:))), style: style)
        mosaic = Mosaic(state: state?.mosaic ?? MosaicState())
        videoFailed = state?.videoFailed ?? false
        faceIDs = state?.faceIDs ?? []
        frames = state?.frames ?? 0
        notes = state?.notes ?? []
        videoReport = state?.videoReport
        guard let state else { return }
        painter.state = state.painter
        if let width = state.width, let height = state.height { size = (width, height) }
        if let video = state.video { try openSegments(resuming: video) }
    }

    func take(_ result: FrameResult, frame: Frame?) throws {
        unsaved = nil
        checkpointTime = checkpointTime ?? result.time
        try timeline.write(result)
        summary.add(result)
        for face in result.faces { faceIDs.insert(face.id) }
        if let frame { try annotate(result, frame) }
        frames += 1
        progress(RunProgress(frames: frames, share: share(result.time)))
    }

    func passed(_ frames: Int, at time: Timestamp) {
        progress(RunProgress(frames: frames, share: share(time), isCatchingUp: true))
    }

    private func share(_ time: Timestamp) -> Double? {
        guard let duration = options.to?.microseconds ?? info.durationMicroseconds, duration > 0 else { return nil }
        let start = options.from?.microseconds ?? 0
        return Double(time.microseconds - start) / Double(max(duration - start, 1))
    }

    /// A picture or video that cannot be written never costs the timeline, unless the disk is full.
    private func annotate(_ result: FrameResult, _ frame: Frame) throws {
        let wantsVideo = options.keepsVideo && !videoFailed
        let wantsStill = isStill(result)
        guard wantsVideo || wantsStill else { return }
        do {
            let picture = try draw(result, frame)
            if wantsStill {
                let name = stillName(result)
                try writeJPEG(picture, path: files.path(of: name), quality: 90)
                if checkpoints != nil { newStills.append(name) }
            }
            guard wantsVideo else { return }
            if info.isPicture {
                try writeJPEG(picture, path: files.path(of: Self.pictureName), quality: 90)
                videoReport = RunReport.Video(codec: "mjpeg", audio: "none", note: nil)
            } else {
                try videoWriter(picture).write(picture, at: result.time)
            }
        } catch let error as MediaError where error.kind != .noSpace {
            giveUpVideo(error)
        }
    }

    private func draw(_ result: FrameResult, _ frame: Frame) throws(MediaError) -> WritablePicture {
        // Later sizes are fitted into the first frame's; a video's sides must be even.
        let target = size ?? ((frame.width + 1) & ~1, (frame.height + 1) & ~1)
        size = target
        let picture = try frame.annotationPicture(width: target.width, height: target.height)
        let placed = result.placed(picture.placement)
        if options.video == .blurred { mosaic.cover(placed.faces, at: placed.time, on: picture.planes) }
        painter.draw(placed, on: picture.planes)
        return picture
    }

    private func videoWriter(_ picture: WritablePicture) throws -> any VideoWriter {
        if let video { return video }
        if checkpoints != nil {
            try openSegments(resuming: nil)
        } else {
            video = try AnnotatedVideoWriter(
                path: files.path(of: Self.videoName), width: picture.width, height: picture.height,
                frameRate: info.frameRate, audio: audio)
        }
        guard let video else { preconditionFailure("a writer was just made") }
        return video
    }

    private var audio: AudioSource? {
        info.hasAudio ? AudioSource(path: sourcePath, from: options.from, to: options.to) : nil
    }

    private func openSegments(resuming state: SegmentedVideoState?) throws(ResultsError) {
        guard let size else { return }
        try files.makeFolder(Self.segmentsName)
        let writer = SegmentedVideoWriter(
            folder: files.path(of: Self.segmentsName), target: files.path(of: Self.videoName), width: size.width,
            height: size.height, frameRate: info.frameRate, audio: audio, resuming: state)
        segments = writer
        video = writer
    }

    func giveUpVideo(_ error: MediaError) {
        logger.warning("the annotated video is left out: \(error)")
        notes.append("annotated video left out: \(error)")
        videoReport = RunReport.Video(codec: nil, audio: "dropped", note: error.description)
        videoFailed = true
        video?.abandon()
        video = nil
        segments = nil
    }

    private func isStill(_ result: FrameResult) -> Bool {
        guard options.keepsStills else { return false }
        return switch options.stills {
        case .none: false
        case .all: true
        case .faces: !result.faces.isEmpty
        case .every(let n): frames % n == 0
        }
    }

    private func stillName(_ result: FrameResult) -> String {
        let number = String(result.index ?? frames)
        return "\(Self.stillsName)/" + String(repeating: "0", count: max(0, 6 - number.count)) + number + ".jpg"
    }

    /// Closes everything but run.json.
    /// - Parameter isCut: the video ends before its source, and so must its sound.
    func finish(end: Timestamp?, isCut: Bool) throws {
        counts = timeline.finish()
        try timelineFile.close()
        try files.write(Self.summaryName, summary.csv(end: end))
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
