// One live stream from its first connection to the moment when somebody stops it. Used by the command for --stream
// and by a service's worker for each camera.
//
//     read ──newest frames──▶ find faces, classify ──results──▶ write
//
// As for files, but reading never waits: what the analysis cannot take in time is dropped and counted.

import Core
import Faces
import Glibc
package import Logging
import Media
package import Results
import Timeline

package struct StreamJob: Sendable {
    package let description: StreamDescription
    package let program: RunReport.Program
    private let requiresFirstConnection: Bool
    private let clock: StreamClock
    private let seed: UInt64?

    /// At the newest end of this queue a picture waits for the analysis; those that wait too long are dropped.
    private static let queueItems = 16
    private static let queueBytes = 64 << 20
    private static let tick = Duration.milliseconds(100)

    /// - Parameters:
    ///   - requiresFirstConnection: End with an error where the first connection fails, instead of trying for ever.
    ///   - seed: Of the waits between two tries, for tests.
    package init(
        _ description: StreamDescription, program: RunReport.Program, requiresFirstConnection: Bool = false,
        clock: StreamClock = .system, seed: UInt64? = nil
    ) {
        self.description = description
        self.program = program
        self.requiresFirstConnection = requiresFirstConnection
        self.clock = clock
        self.seed = seed
    }

    package struct Outcome: Sendable {
        /// Folders that were published.
        package let segments: [[UInt8]]
        package let stats: StreamStats
        /// For the next start.
        package let state: StreamState
    }

    /// Blocks until the cancellation is raised; the last segment is published then.
    /// - Parameter report: Called from several threads; it must not block.
    /// - Throws: What no reconnecting cures: a wrong description, a full disk.
    package func run(
        _ installation: Installation, cancellation: Cancellation, logger: Logger,
        report: @escaping @Sendable (StreamReport) -> Void
    ) throws(PipelineError) -> Outcome {
        do {
            return try stream(installation, cancellation, logger, report)
        } catch let error as PipelineError {
            throw error
        } catch let error as MediaError {
            throw PipelineError(ExitReason(error.kind), error.description)
        } catch let error as ResultsError {
            throw PipelineError(error.exitReason, error.description)
        } catch {
            throw PipelineError(.internalError, "stream '\(description.name)': \(error)")
        }
    }

    private func stream(
        _ installation: Installation, _ cancellation: Cancellation, _ logger: Logger,
        _ report: @escaping @Sendable (StreamReport) -> Void
    ) throws -> Outcome {
        let source = try description.source()
        let detector = try installation.detector()
        let folder = try StreamFolder(root: description.outputRoot, name: description.name)
        let state = description.state ?? StreamState(originUTC: clock.wall())
        let account = StreamAccount()
        // Raised when another stage fails, so that reading does not go on alone.
        let halt = Cancellation()
        let isOver: @Sendable () -> Bool = { cancellation.isRaised || halt.isRaised }
        let journal = StreamJournal(
            name: description.name, folder: folder, clock: clock, logger: logger, report: report)
        let format = TimelineFormat(
            labels: installation.model.labels, uncertainBelow: installation.model.uncertainBelow, utc: true)
        let writer = StreamWriter(
            plan(installation, detector, source, format, origin: state.originUTC), folder: folder,
            pictures: try StreamPictures(description, format: format, folder: folder, clock: clock, logger: logger),
            state: state, account: account, journal: journal, clock: clock, report: report)
        let reading = Handed(
            value: StreamReading(
                try readingPlan(installation, source, isOver), times: times(state),
                firstIndex: state.nextFrame, clock: clock, account: account, journal: journal,
                isOver: isOver, generator: seed.map { SeededWaits(state: $0) } ?? SystemRandomNumberGenerator()))
        let analysis = Handed(
            value: StreamAnalysis(
                finder: FaceFinder(
                    detector: detector.detector,
                    settings: installation.options.faceSettings(
                        template: installation.model.template, detector)),
                classifier: try installation.model.classifier(
                    installation.options.engine, level: installation.level),
                keepFrames: writer.keepsPictures, lastID: state.lastFaceID, account: account))
        try run(reading, analysis, into: writer, halt)
        journal.note(.stopped, "\(writer.segments.count) segments", timestamp: account.lastTime)
        return Outcome(segments: writer.segments, stats: writer.finalStats, state: writer.finalState)
    }

    private func run(
        _ reading: Handed<StreamReading>, _ analysis: Handed<StreamAnalysis>, into writer: StreamWriter,
        _ halt: Cancellation
    ) throws {
        let frames = BoundedQueue<LiveFrame>(maximumItems: Self.queueItems, maximumBytes: Self.queueBytes)
        let analysed = BoundedQueue<AnalysedPicture>(maximumItems: 4, maximumBytes: Self.queueBytes)
        let threads = [
            StageThread(name: "read") { try reading.value.run(into: frames) },
            StageThread(name: "analyse") { try analysis.value.run(from: frames, into: analysed) },
        ]
        var failure: (any Error)?
        do {
            try write(analysed, into: writer)
        } catch {
            failure = error
            frames.abandon()
            analysed.abandon()
        }
        halt.raise()
        for thread in threads {
            let error = thread.join()
            failure = failure ?? error
        }
        // What was read before a stage failed is worth keeping, unless writing is what failed.
        if let failure {
            writer.discard()
            throw failure
        }
    }

    private func write(_ analysed: BoundedQueue<AnalysedPicture>, into writer: StreamWriter) throws {
        while true {
            switch analysed.pop(within: Self.tick) {
            case .element(let picture): try writer.take(picture)
            case .timedOut: try writer.tick()
            case .ended: return try writer.end()
            }
        }
    }

    // MARK: What each part is told

    private func readingPlan(
        _ installation: Installation, _ source: LiveSource, _ isOver: @escaping @Sendable () -> Bool
    ) throws -> StreamReading.Plan {
        var options = LiveOptions(isCancelled: isOver, now: clock.monotonic)
        options.limits = MediaLimits(
            maximumPixels: installation.options.maximumPixels, maximumStreams: installation.options.maximumStreams)
        options.connectSeconds = description.limits.connectSeconds
        options.firstFrameSeconds = description.limits.firstFrameSeconds
        options.stallSeconds = description.limits.stallSeconds
        options.region = description.region.map { ($0.x, $0.y, $0.width, $0.height) }
        options.longestSide = description.size
        options.decoderThreads = installation.options.decoderThreads
        return StreamReading.Plan(
            source: source, options: options, schedule: try description.weeklySchedule(),
            framesPerSecond: description.framesPerSecond, requiresFirstConnection: requiresFirstConnection)
    }

    /// Time goes on where the last run left it, even if the wall clock was set back meanwhile.
    private func times(_ state: StreamState) -> LiveClock {
        let passed = max(clock.wall() - state.originUTC, state.lastTimestamp + 1)
        return LiveClock(origin: clock.monotonic() - passed, last: state.lastTimestamp)
    }

    private func plan(
        _ installation: Installation, _ detector: Installation.Detector, _ source: LiveSource,
        _ format: TimelineFormat, origin: Int64
    ) -> StreamWriter.Plan {
        let model = installation.model
        let settings = RunReport.Settings(
            options: description.settings(installation.options.settings(detector)),
            modelSHA256: model.sha256, detectorSHA256: detector.sha256, sha256: Checksum.hex)
        var report = RunReport(
            status: .complete, program: program,
            input: RunReport.Input(name: Array(source.url.redacted.utf8), bytes: 0, sha256: ""), settings: settings,
            model: RunReport.ModelFile(name: model.name, sha256: model.sha256),
            detector: detector.file, host: installation.host)
        report.stream = RunReport.Stream(
            name: description.name, purpose: description.purpose, start: "", end: "", origin: UTC.text(origin),
            firstTimestamp: 0, reconnects: 0, stalls: 0, greatestLag: 0)
        return StreamWriter.Plan(
            description: description, report: report, format: format, labels: model.labels, origin: origin,
            checksum: Checksum.hex)
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014), where a test wants the same waits each time.
private struct SeededWaits: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
