// The writer's part of a checkpoint: first its files are brought to the disk, then the state that counts on them.

import Core
import Media
import Overlay
import Results
import Timeline

extension RunWriter {
    /// What the writer knows behind one frame.
    struct State: Codable {
        static let version = 1

        let timelineBytes: Int64
        let timelineCounts: TimelineWriter<ResultsError>.Counts
        let summary: SummaryAccumulator
        let faceIDs: Set<Int>
        let frames: Int
        /// Of the annotated pictures, once there is one.
        let width: Int?
        let height: Int?
        let painter: PainterState
        let mosaic: MosaicState
        let video: SegmentedVideoState?
        let videoFailed: Bool
        let videoReport: RunReport.Video?
        let notes: [String]
    }

    var state: State {
        State(
            timelineBytes: timelineFile.count, timelineCounts: timeline.counts, summary: summary, faceIDs: faceIDs,
            frames: frames, width: size?.width, height: size?.height, painter: painter.state, mosaic: mosaic.state,
            video: segments?.state, videoFailed: videoFailed, videoReport: videoReport, notes: notes)
    }

    func reached(_ point: ResumePoint) throws {
        guard let checkpoints else { return }
        unsaved = point
        let passed = point.time.microseconds - (checkpointTime ?? point.time).microseconds
        if passed >= checkpoints.interval { try saveCheckpoint() }
    }

    /// Makes safe what there is, where the frame taken last was one to resume behind.
    func saveCheckpoint() throws {
        guard let checkpoints, let point = unsaved else { return }
        unsaved = nil
        try closeSegment(checkpoints.work)
        try timelineFile.sync()
        if !newStills.isEmpty {
            for still in newStills { try checkpoints.work.sync(still) }
            try checkpoints.work.syncNames(in: Self.stillsName)
            newStills = []
        }
        try checkpoints.work.syncNames()
        try checkpoints.save(point, state)
        checkpointTime = point.time
    }

    /// A piece of video ends at every checkpoint, so that none is ever gone on with in its middle.
    private func closeSegment(_ work: WorkFolder) throws {
        guard let segments else { return }
        do throws(MediaError) {
            guard try segments.closeSegment() != nil else { return }
        } catch {
            if error.kind == .noSpace { throw error }
            return giveUpVideo(error)
        }
        if let last = segments.state.segments.last { try work.sync("\(Self.segmentsName)/\(last)") }
        try work.syncNames(in: Self.segmentsName)
    }

    /// Whether all the files that a state counts on are there.
    static func isWhole(_ state: State, in work: WorkFolder) -> Bool {
        work.holds(timelineName, bytes: state.timelineBytes)
            && (state.video?.segments ?? []).allSatisfy { work.holds("\(segmentsName)/\($0)") }
    }
}

/// What a writer needs to keep checkpoints.
struct CheckpointKeeper {
    let work: WorkFolder
    /// In microseconds of media.
    let interval: Int64
    let save: (ResumePoint, RunWriter.State) throws -> Void
}
