// The reading thread of a stream: connects, reads, reconnects, for ever. What comes is handed on at once or not at
// all; a stream cannot wait.

import Core
import Media
import Results

/// Used by its own thread.
final class StreamReading {
    struct Plan {
        var source: LiveSource
        var options: LiveOptions
        var schedule: WeeklySchedule?
        var framesPerSecond: Double?
        /// The first connection has to succeed.
        var requiresFirstConnection: Bool
    }

    private let plan: Plan
    private let clock: StreamClock
    private let account: StreamAccount
    private let journal: StreamJournal
    private let isOver: () -> Bool
    private var selector: FrameSelector
    private var backoff = Backoff()
    private var generator: any RandomNumberGenerator
    private var times: LiveClock
    private var nextIndex: Int
    private var hasConnected = false
    private var isPaused = false
    /// Of the last try that failed.
    private var lastFailure = ""

    /// Pictures that wait longer than this for the analysis are of no use to anybody.
    private static let stale: Int64 = 400_000
    /// A connection that held so long starts the waits anew.
    private static let steady: Int64 = 30_000_000

    init(
        _ plan: Plan, times: LiveClock, firstIndex: Int, clock: StreamClock, account: StreamAccount,
        journal: StreamJournal, isOver: @escaping () -> Bool, generator: any RandomNumberGenerator
    ) {
        self.plan = plan
        self.times = times
        nextIndex = firstIndex
        self.clock = clock
        self.account = account
        self.journal = journal
        self.isOver = isOver
        self.generator = generator
        selector = FrameSelector(every: 1, framesPerSecond: plan.framesPerSecond)
    }

    /// Until the cancellation, or until nobody takes frames any more.
    func run(into frames: BoundedQueue<LiveFrame>) throws(PipelineError) {
        defer {
            account.enter(.stopped)
            frames.finish()
        }
        while !isOver() {
            if !isOpen {
                pause()
                clock.wait(.seconds(1), unless: { isOver() || isOpen })
                continue
            }
            let started = clock.monotonic()
            account.enter(.connecting)
            let goesOn: Bool
            do throws(MediaError) {
                goesOn = try connectAndRead(into: frames)
            } catch .cancelled {
                return
            } catch {
                if !hasConnected, plan.requiresFirstConnection {
                    throw PipelineError(ExitReason(error.kind), error.description)
                }
                note(error)
                goesOn = true
            }
            guard goesOn else { return }
            if clock.monotonic() - started >= Self.steady { backoff.reset() }
            guard isOpen else { continue }
            account.enter(.waiting)
            let wait = backoff.next(using: &generator)
            journal.debug("next try in \(wait.seconds) s")
            clock.wait(wait, unless: isOver)
        }
    }

    private var isOpen: Bool { plan.schedule?.isOpen(clock.local(clock.wall())) ?? true }

    private func pause() {
        account.enter(.paused)
        if !isPaused { journal.note(.paused, "by the schedule", timestamp: account.lastTime) }
        isPaused = true
    }

    /// - Returns: false when nobody takes frames any more.
    private func connectAndRead(into frames: BoundedQueue<LiveFrame>) throws(MediaError) -> Bool {
        let reader = try LiveReader(plan.source, options: plan.options, firstIndex: nextIndex, clock: times)
        announce(reader.info)
        var counted = MediaCounts()
        defer {
            account.add(reader.counts, since: counted)
            times = reader.clock
        }
        while let live = try reader.next() {
            nextIndex += 1
            account.add(reader.counts, since: counted)
            counted = reader.counts
            guard hand(live, to: frames) else { return false }
            if isOver() { throw .cancelled }
            // Closing time: the connection goes with the reader.
            if !isOpen { return true }
        }
        throw .unreachable(source: plan.source.url.redacted, reason: "the other side has ended the stream")
    }

    private func announce(_ info: MediaInfo) {
        if isPaused { journal.note(.resumed, "by the schedule", timestamp: account.lastTime) }
        isPaused = false
        account.connected(info, again: hasConnected)
        let what = "\(info.codec) \(info.width)x\(info.height) from \(plan.source.url.redacted)"
        journal.note(hasConnected ? .reconnected : .connected, what, timestamp: account.lastTime)
        hasConnected = true
        lastFailure = ""
    }

    private func hand(_ live: LiveFrame, to frames: BoundedQueue<LiveFrame>) -> Bool {
        let isWanted = selector.wants(live.frame.time)
        // When it was taken: as long ago as its time lies behind its arrival.
        let age = live.arrival - times.origin - live.frame.time.microseconds
        account.note(live, utc: clock.wall() - (clock.monotonic() - live.arrival) - age, isWanted: isWanted)
        guard isWanted else { return true }
        let oldest = live.arrival - Self.stale
        guard
            let dropped = frames.pushLive(
                live, bytes: live.frame.byteCount, droppingWhere: { $0.arrival < oldest })
        else { return false }
        account.drop(dropped.map(\.frame))
        return true
    }

    /// A loss is told when it happens; while the source stays away, only news is.
    private func note(_ error: MediaError) {
        var isStall = false
        if case .stalled = error { isStall = true }
        let wasLive = account.phase == .live
        if wasLive { account.lost(stalled: isStall) }
        // The first failure of all is told, too: there was no connection that could be lost.
        if wasLive || (lastFailure.isEmpty && !hasConnected) {
            journal.note(isStall ? .stalled : .lost, error.description, timestamp: account.lastTime)
        }
        if error.description != lastFailure { journal.warn(error.description) }
        lastFailure = error.description
        account.fail(error.description)
    }
}
