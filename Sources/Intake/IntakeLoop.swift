// One way of intake: rounds of scan, settling and comparison with what the caller knows. Whatever wakes the caller
// (a clock, inotify) only makes a round come earlier; a full scan when one is due finds what was missed.

package struct IntakeOptions: Sendable, Hashable {
    /// How long a file must be still; see `Settling`.
    package var quiet: Duration
    /// Between full scans. Short where inotify says nothing; see `FileSystemKind`.
    package var scanInterval: Duration
    package var ignore: IgnoreRules
    package var priorities: PriorityRules
    package var maxFileBytes: Int64?

    package init(
        quiet: Duration = .seconds(5), scanInterval: Duration = .seconds(300), ignore: IgnoreRules = .standard,
        priorities: PriorityRules = .none, maxFileBytes: Int64? = nil
    ) {
        self.quiet = quiet
        self.scanInterval = scanInterval
        self.ignore = ignore
        self.priorities = priorities
        self.maxFileBytes = maxFileBytes
    }
}

/// What a round looks at. Files that wait are looked at in every round.
package enum IntakeScope: Hashable, Sendable {
    case pending
    /// `folders` without their sub-folders, `trees` with them; paths below the watched folder.
    case parts(folders: Set<[UInt8]>, trees: Set<[UInt8]>)
    case everything
}

package enum Knowledge: Hashable, Sendable {
    case new
    /// Not to be taken in; the reason is shown to people ("done as job 12").
    case known(reason: String)
}

package struct ReadyInput: Hashable, Sendable {
    /// Below the watched folder.
    package let path: [UInt8]
    package let fingerprint: Fingerprint
    package let priority: Int

    package init(path: [UInt8], fingerprint: Fingerprint, priority: Int) {
        self.path = path
        self.fingerprint = fingerprint
        self.priority = priority
    }
}

package struct IntakeRound: Sendable {
    package let root: RootState
    /// Higher priority first, then older files. A file is named again in each round until the caller knows it.
    package internal(set) var ready: [ReadyInput] = []
    /// Verdicts that are new or changed since the last round.
    package internal(set) var sightings: [Sighting] = []
    /// When to call again at the latest.
    package internal(set) var nextRound: ContinuousClock.Instant
    /// The whole tree was looked at.
    package let wasFull: Bool
    /// Files below the folder that are not ignored, as far as known.
    package internal(set) var fileCount = 0
}

/// Blocks while it reads folders: to be called on a thread of its own.
package struct IntakeLoop: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package let root: [UInt8]
    private let probe: WriterProbe
    private var memory: IntakeMemory
    private var rootMemory = RootMemory()
    private var settling: Settling
    private var nextScan: Instant?
    private var lastState = RootState.present
    /// So that files which become still one after the other do not cause a round each.
    private static let shortestPause = Duration.milliseconds(20)

    /// A change holds from the next round on, which is a full scan.
    package var options: IntakeOptions {
        didSet {
            guard options != oldValue else { return }
            settling.quiet = options.quiet
            nextScan = nil
        }
    }

    /// - Parameter expecting: files that ought to be there: inputs of jobs that are queued or were running. If none
    ///   of them is there and the folder is empty, its mount is taken for vanished.
    package init(
        root: [UInt8], options: IntakeOptions, expecting: Set<[UInt8]> = [], probe: WriterProbe = .system
    ) {
        self.root = root
        self.options = options
        self.probe = probe
        memory = IntakeMemory(expecting: expecting)
        settling = Settling(quiet: options.quiet)
    }

    /// The caller moved or deleted an input itself: that it is absent is no news.
    package mutating func tookAway(_ path: [UInt8]) {
        memory.forget(path)
        settling.forget(path)
    }

    package mutating func round(
        _ scope: IntakeScope, now: Instant, known: (FoundFile) -> Knowledge
    ) -> IntakeRound {
        // While the root is not what it was, parts of it tell nothing.
        if scope != .everything, lastState.isPresent, let nextScan, now < nextScan, let look = lookAtParts(of: scope) {
            return judge(look, at: now, known: known)
        }
        let look = lookAtEverything()
        lastState = look.state
        nextScan = now + options.scanInterval
        return judge(look, at: now, known: known)
    }

    // MARK: Looking

    private struct Look {
        var state: RootState
        var files: [FoundFile] = []
        /// Names that are no inputs.
        var others: [Sighting] = []
        /// Of a full scan; nil where only parts were looked at.
        var scan: ScanResult?
    }

    private var scan: FolderScan { FolderScan(root: root, ignore: options.ignore) }

    private mutating func lookAtEverything() -> Look {
        do throws(IntakeError) {
            let result = try scan.everything()
            let state = rootMemory.judge(
                .found(
                    device: result.rootDevice, isEmpty: result.isEmpty,
                    seesExpected: result.files.contains { memory.expects($0) }),
                expected: memory.count)
            return Look(state: state, files: result.files, others: Self.others(of: result), scan: result)
        } catch {
            return Look(state: rootMemory.judge(.missing("\(error)"), expected: memory.count))
        }
    }

    /// Nil where only a look at everything can tell what happened: the root is another one, or a file is not there.
    private func lookAtParts(of scope: IntakeScope) -> Look? {
        guard let seen = try? scan.files(settling.paths.sorted { $0.lexicographicallyPrecedes($1) }),
            seen.root.device == rootMemory.knownDevice, !seen.files.contains(nil)
        else { return nil }
        var look = Look(state: .present, files: seen.files.compactMap(\.self))
        guard case .parts(let folders, let trees) = scope else { return look }
        guard let result = try? scan.parts(folders: folders, trees: trees), result.rootDevice == seen.root.device else {
            return nil
        }
        let pending = Set(look.files.map(\.path))
        look.files += result.files.filter { !pending.contains($0.path) }
        look.others = Self.others(of: result)
        return look
    }

    private static func others(of result: ScanResult) -> [Sighting] {
        result.ignored.map { Sighting(path: $0.path, fingerprint: nil, verdict: .ignored($0.reason)) }
            + result.unreadable.map { Sighting(path: $0.path, fingerprint: nil, verdict: .unreadable($0.reason)) }
    }

    // MARK: Judging

    private mutating func judge(_ look: Look, at now: Instant, known: (FoundFile) -> Knowledge) -> IntakeRound {
        let scheduled = nextScan ?? now
        var round = IntakeRound(root: look.state, nextRound: scheduled, wasFull: look.scan != nil)
        round.fileCount = memory.count
        guard look.state.isPresent else { return round }

        var ready: [FoundFile] = []
        var still: [FoundFile] = []
        for file in look.files {
            if let limit = options.maxFileBytes, file.fingerprint.sizeBytes > limit {
                settling.forget(file.path)
                memory.note(file, .ignored(.tooLarge(limitBytes: limit)), in: &round)
            } else if case .known(let reason) = known(file) {
                settling.forget(file.path)
                memory.note(file, .known(reason), in: &round)
            } else {
                switch settling.observe(file.path, file.fingerprint, at: now) {
                case .waiting(let reason, _): memory.note(file, .waiting(reason), in: &round)
                case .still: still.append(file)
                case .ready: ready.append(file)
                }
            }
        }
        ready += released(of: still, at: now, in: &round)
        for file in ready { memory.note(file, .ready, in: &round) }
        for other in look.others { memory.note(other, in: &round) }
        if let scan = look.scan {
            for path in memory.compare(with: scan, in: &round) { settling.forget(path) }
        }
        round.ready = inOrder(ready)
        round.fileCount = memory.count
        if let due = settling.nextDue { round.nextRound = min(scheduled, max(due, now + Self.shortestPause)) }
        return round
    }

    /// Those of the still files that nobody is known to write to.
    private mutating func released(
        of still: [FoundFile], at now: Instant, in round: inout IntakeRound
    ) -> [FoundFile] {
        guard !still.isEmpty else { return [] }
        let writers = probe.writers(root, still)
        return still.filter { file in
            guard let writer = writers[file.path] else {
                settling.release(file.path)
                return true
            }
            if case .waiting(let reason, _) = settling.hold(file.path, pid: writer.pid, at: now) {
                memory.note(file, .waiting(reason), in: &round)
            }
            return false
        }
    }

    private func inOrder(_ files: [FoundFile]) -> [ReadyInput] {
        files.map { file in
            let priority = options.priorities.priority(of: file.path)
            return ReadyInput(path: file.path, fingerprint: file.fingerprint, priority: priority)
        }
        .sorted { a, b in
            if a.priority != b.priority { return a.priority > b.priority }
            let (first, second) = (a.fingerprint.mtimeNanoseconds, b.fingerprint.mtimeNanoseconds)
            return first != second ? first < second : a.path.lexicographicallyPrecedes(b.path)
        }
    }
}
