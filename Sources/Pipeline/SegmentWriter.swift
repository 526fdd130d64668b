// One segment of a stream: its rows while they come, its folder when it ends.

import Core
import Media
import Results
import Timeline

/// Used by the writing thread.
final class SegmentWriter {
    let slot: SegmentGrid.Slot
    var identity: Identity { staging.identity }
    let firstUTC: Int64
    private let firstTime: Timestamp
    private let staging: Staging
    private let timelineFile: FileSink
    private var timeline: TimelineWriter<ResultsError>
    private var summary: SummaryAccumulator
    private let pictures: StreamPictures?
    private let before: StreamTotals
    private let stagesBefore: [String: Double]
    private let started = ContinuousClock.now
    private var faceIDs = Set<Int>()
    private(set) var lastUTC: Int64
    private(set) var greatestLag: Int64 = 0
    private(set) var counts = RunReport.Counts()

    /// - Parameters:
    ///   - before: What the stream had counted up to the last segment's end.
    ///   - stages: Seconds that its stages had spent by now.
    init(
        staging: Staging, slot: SegmentGrid.Slot, utc: Int64, time: Timestamp, format: TimelineFormat,
        pictures: StreamPictures?, before: StreamTotals, stages: [String: Double]
    ) throws(ResultsError) {
        self.staging = staging
        self.slot = slot
        firstUTC = utc
        lastUTC = utc
        firstTime = time
        self.before = before
        stagesBefore = stages
        self.pictures = pictures
        let file = try staging.createFile("timeline.csv")
        timelineFile = file
        timeline = try TimelineWriter(format: format) { bytes throws(ResultsError) in try file.write(bytes) }
        summary = SummaryAccumulator(format: format)
        pictures?.begin(at: time)
    }

    /// The clock has been set back by more than jitter, or the slot is over.
    func isOutside(_ utc: Int64) -> Bool { utc >= slot.end || utc < slot.start - 5_000_000 }

    func take(_ picture: AnalysedPicture, _ facts: FrameFacts, info: MediaInfo?, lag: Int64) throws {
        try timeline.write(picture.result, utc: facts.utc)
        summary.add(picture.result)
        for face in picture.result.faces { faceIDs.insert(face.id) }
        lastUTC = facts.utc
        greatestLag = max(greatestLag, lag)
        counts.analysed += 1
        counts.skipped += facts.skippedBefore
        counts.dropped += facts.droppedBefore
        if let frame = picture.frame { try pictures?.take(picture.result, frame, info: info, in: staging) }
    }

    /// Pictures that came and were not analysed before the stream ended.
    func add(skipped: Int, dropped: Int) {
        counts.skipped += skipped
        counts.dropped += dropped
    }

    var faces: Int { faceIDs.count }

    /// Closes the files and makes the folder visible.
    func publish(_ report: RunReport, after: StreamTotals, stages: [String: Double], errors: [String]) throws -> (
        Publication, RunReport
    ) {
        var report = report
        let rows = timeline.finish()
        try timelineFile.close()
        try staging.write("summary.csv", summary.csv(end: nil))
        report.video = try pictures?.end()
        counts.decoded = counts.analysed + counts.skipped + counts.dropped
        counts.packets = after.packets - before.packets
        counts.ptsRepaired = after.repaired - before.repaired
        counts.errors = after.errors - before.errors
        counts.withFaces = rows.framesWithFaces
        counts.rows = rows.rows
        counts.tracks = faces
        report.counts = counts
        report.errors = errors
        report.timing.stages = stages.merging(stagesBefore, uniquingKeysWith: -)
        report.timing.wall = (ContinuousClock.now - started).seconds
        report.timing.framesPerSecond =
            report.timing.wall > 0 ? Double(counts.analysed) / report.timing.wall : nil
        let losses = after.losses - before.losses
        report.status = counts.errors > 0 || losses > 0 ? .partial : .complete
        if losses > 0 { report.notes.append("the source was lost \(losses) times; events.jsonl says when") }
        report.stream?.start = UTC.text(firstUTC)
        report.stream?.end = UTC.text(lastUTC)
        report.stream?.firstTimestamp = Double(firstTime.microseconds) / 1e6
        report.stream?.reconnects = after.reconnects - before.reconnects
        report.stream?.stalls = after.stalls - before.stalls
        report.stream?.greatestLag = Double(greatestLag) / 1e6
        return (try staging.publish(report), report)
    }

    func discard() { staging.discard() }
}
