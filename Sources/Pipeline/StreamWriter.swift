// The writing thread of a stream: rows into the segment of their time, segments into the results, figures to whoever
// runs the stream.

import Core
import Logging
import Media
import Results
import Timeline

/// Used by the thread that runs the stream.
final class StreamWriter {
    /// What every segment's run.json says alike.
    struct Plan {
        var description: StreamDescription
        var report: RunReport
        var format: TimelineFormat
        var labels: [String]
        var origin: Int64
        var checksum: ([UInt8]) -> String
    }

    private let plan: Plan
    private let grid: SegmentGrid
    private let folder: StreamFolder
    private let pictures: StreamPictures?
    private let account: StreamAccount
    private let journal: StreamJournal
    private let clock: StreamClock
    private let report: @Sendable (StreamReport) -> Void
    private var segment: SegmentWriter?
    private var lastSlot: SegmentGrid.Slot?
    /// What was counted up to the last segment's end.
    private var counted = StreamTotals()
    private var state: StreamState
    private var rates: RateMeter
    private var stats = StreamStats()
    private var droppedTold = 0
    private var droppedToldAt: Int64?
    private var nextTick: Int64 = 0

    private(set) var segments: [[UInt8]] = []
    var keepsPictures: Bool { pictures != nil }
    var finalState: StreamState { state }
    var finalStats: StreamStats { stats }

    private static let tickInterval: Int64 = 1_000_000
    private static let dropInterval: Int64 = 60_000_000
    /// So long after its slot a segment waits for pictures on their way; while they come, they end it themselves.
    private static let grace: Int64 = 2_000_000

    init(
        _ plan: Plan, folder: StreamFolder, pictures: StreamPictures?, state: StreamState, account: StreamAccount,
        journal: StreamJournal, clock: StreamClock, report: @escaping @Sendable (StreamReport) -> Void
    ) {
        self.plan = plan
        grid = SegmentGrid(seconds: plan.description.segmentSeconds)
        self.folder = folder
        self.pictures = pictures
        self.state = state
        self.account = account
        self.journal = journal
        self.clock = clock
        self.report = report
        rates = RateMeter(start: clock.monotonic())
    }

    func take(_ picture: AnalysedPicture) throws {
        guard let facts = account.settle(picture.result.index) else { return }
        if segment?.isOutside(facts.utc) == true { try publish() }
        let open = try segment ?? begin(facts.utc, picture.result.time)
        segment = open
        let lag = clock.monotonic() - facts.arrival
        var times = StageClock()
        try times.measure("write") { () throws in
            try open.take(picture, facts, info: account.info, lag: lag)
        }
        account.add(times)
        state.nextFrame = (picture.result.index ?? state.nextFrame) + 1
        state.lastFaceID = max(state.lastFaceID, picture.result.faces.map(\.id).max() ?? 0)
        state.lastTimestamp = picture.result.time.microseconds
        stats.lagSeconds = Double(lag) / 1e6
        stats.lastFrameUTC = facts.utc
        stats.faces = picture.result.faces.map(face)
        try tick()
    }

    /// To be called a few times a second, whether pictures come or not.
    func tick() throws {
        if let segment, segment.isOutside(clock.wall() - Self.grace), !account.hasPending { try publish() }
        let now = clock.monotonic()
        guard now >= nextTick else { return }
        nextTick = now + Self.tickInterval
        tellDrops(now)
        tellStats(now)
    }

    /// Publishes what there is.
    func end() throws {
        let rest = account.settleRest()
        segment?.add(skipped: rest.skipped, dropped: rest.dropped)
        try publish()
        tellDrops(nil)
        tellStats(clock.monotonic())
    }

    /// After a failure: nothing of an unfinished segment is left.
    func discard() { segment?.discard() }

    // MARK: Segments

    private func begin(_ utc: Int64, _ time: Timestamp) throws -> SegmentWriter {
        let slot = grid.slot(of: utc)
        // A segment that follows the one before is named after the slot, the first and those after gaps by their
        // first picture: no name is used twice while the clock goes on.
        let name = lastSlot?.end == slot.start ? slot.start : utc
        let relative = PathBytes.join(folder.relative, Array(UTC.folder(name).utf8))
        let mark = "\(plan.description.name)\n\(plan.origin)\n\(state.nextFrame)\n\(utc)"
        let identity = Identity(
            inputSHA256: plan.checksum(Array(mark.utf8)), settingsHash: plan.report.settings.hash)
        let result = ResultFolder(root: plan.description.outputRoot, relative: relative, identity: identity)
        lastSlot = slot
        return try SegmentWriter(
            staging: try result.stage(), slot: slot, utc: utc, time: time, format: plan.format, pictures: pictures,
            before: counted, stages: account.stages)
    }

    private func publish() throws {
        guard let segment else { return }
        self.segment = nil
        let totals = account.totals
        var text = plan.report
        text.input.sha256 = segment.identity.inputSHA256
        if let info = account.info {
            text.input.container = info.container
            text.input.codec = info.codec
            text.input.width = info.width
            text.input.height = info.height
            text.input.fps = info.frameRate?.framesPerSecond
        }
        let (publication, done) = try segment.publish(
            text, after: totals, stages: account.stages, errors: account.takeErrors())
        counted = totals
        let path =
            switch publication {
            case .published(let path), .found(let path, _): path
            }
        segments.append(path)
        stats.segments += 1
        report(
            .published(
                StreamSegment(
                    folder: path, start: segment.firstUTC, end: segment.lastUTC, frames: done.counts.analysed,
                    rows: done.counts.rows, faces: segment.faces, status: done.status, state: state)))
    }

    // MARK: Figures

    private func face(_ face: FaceObservation) -> StreamFace {
        var named: [String: Float] = [:]
        if let values = face.probabilities?.values, values.count == plan.labels.count {
            for (label, value) in zip(plan.labels, values) where value.isFinite { named[label] = value }
        }
        let best = named.max { ($0.value, $1.key) < ($1.value, $0.key) }
        return StreamFace(
            id: face.id, dominant: best.flatMap { $0.value >= plan.format.uncertainBelow ? $0.key : nil },
            score: best?.value, probabilities: named,
            box: [face.box.x, face.box.y, face.box.width, face.box.height])
    }

    /// Drops come by the hundred: one line a minute says how many.
    private func tellDrops(_ now: Int64?) {
        let dropped = account.totals.dropped
        guard dropped > droppedTold else { return }
        if let now, let last = droppedToldAt, now - last < Self.dropInterval { return }
        journal.note(
            .dropped, "\(dropped - droppedTold) pictures for want of time, \(dropped) in all",
            timestamp: account.lastTime)
        droppedTold = dropped
        droppedToldAt = now
    }

    private func tellStats(_ now: Int64) {
        let totals = account.totals
        rates.add(now: now, came: totals.decoded, analysed: totals.analysed)
        stats.phase = account.phase
        stats.problem = account.problem
        stats.stages = account.stages
        (stats.fpsIn, stats.fpsOut) = rates.rates
        if stats.phase != .live { stats.faces = [] }
        stats.framesIn = totals.decoded
        stats.analysed = totals.analysed
        stats.skipped = totals.skipped
        stats.dropped = totals.dropped
        stats.reconnects = totals.reconnects
        stats.stalls = totals.stalls
        stats.errors = totals.errors
        stats.state = state
        report(.stats(stats))
    }
}

/// Pictures a second over the last five seconds.
private struct RateMeter {
    private static let window: Int64 = 5_000_000
    private var samples: [(time: Int64, came: Int, analysed: Int)]

    init(start: Int64) { samples = [(start, 0, 0)] }

    mutating func add(now: Int64, came: Int, analysed: Int) {
        samples.append((now, came, analysed))
        while samples.count > 2, now - samples[1].time >= Self.window { samples.removeFirst() }
    }

    var rates: (came: Double, analysed: Double) {
        guard let first = samples.first, let last = samples.last, last.time > first.time else { return (0, 0) }
        let seconds = Double(last.time - first.time) / 1e6
        return (Double(last.came - first.came) / seconds, Double(last.analysed - first.analysed) / seconds)
    }
}
