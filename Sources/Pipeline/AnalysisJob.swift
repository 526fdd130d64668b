// One input from its bytes to its published folder. Used by the command for each file; a service's worker will
// call the same.

import Core
import Faces
import Inference
package import Logging
import Media
package import Results

package struct AnalysisJob: Sendable {
    package let path: [UInt8]
    /// Path of the result below the output folder.
    package let relative: [UInt8]
    package let outputRoot: [UInt8]
    package let program: RunReport.Program
    /// Nil: a run that ends before its input leaves nothing to go on from.
    package let work: WorkSettings?
    package var hooks = JobHooks()

    package init(
        path: [UInt8], relative: [UInt8], outputRoot: [UInt8], program: RunReport.Program, work: WorkSettings? = nil
    ) {
        self.path = path
        self.relative = relative
        self.outputRoot = outputRoot
        self.program = program
        self.work = work
    }

    package struct Outcome: Sendable {
        package let exit: ExitReason
        package let folder: [UInt8]
        package let status: RunReport.Status
        /// The result was there already.
        package let skipped: Bool
        package let frames: Int
        package let faces: Int
        package let seconds: Double
    }

    /// With a work folder, a run that was stopped (`Cancellation.Kind.stop`) or that failed goes on there later.
    ///
    /// - Parameter onCheckpoint: called on this thread once a checkpoint is on the disk, and when one is taken up.
    /// - Throws: `PipelineError` with the exit code and a sentence that names the file; `.tryLater` where it was
    ///   stopped. Nothing is left behind then but the work folder.
    package func run(
        _ installation: Installation, cancellation: Cancellation, logger: Logger,
        onCheckpoint: @escaping (CheckpointNote) -> Void = { _ in }, progress: @escaping (RunProgress) -> Void
    ) throws(PipelineError) -> Outcome {
        let watch = RunWatch(
            cancellation: cancellation, logger: logger, onCheckpoint: onCheckpoint, progress: progress)
        do {
            return try analyse(installation, watch)
        } catch let error as PipelineError {
            throw error
        } catch let error as MediaError {
            if error.kind == .cancelled, work != nil, cancellation.kind == .stop { throw stopped }
            throw PipelineError(
                ExitReason(error.kind), error.description, isDiskFull: error.kind == .noSpace)
        } catch let error as ResultsError {
            throw PipelineError(error.exitReason, error.description, isDiskFull: error.isNoSpace)
        } catch {
            throw PipelineError(.internalError, "\(PathBytes.shown(path)): \(error)")
        }
    }

    /// What a run is watched by from outside.
    private struct RunWatch {
        let cancellation: Cancellation
        let logger: Logger
        let onCheckpoint: (CheckpointNote) -> Void
        let progress: (RunProgress) -> Void
    }

    private var stopped: PipelineError {
        PipelineError(.tryLater, "\(PathBytes.shown(path)): stopped; the next run goes on where this one ended")
    }

    private func analyse(_ installation: Installation, _ watch: RunWatch) throws -> Outcome {
        let started = ContinuousClock.now
        var times = StageClock()
        let options = installation.options, cancellation = watch.cancellation
        let source = try times.measure("hash") { () throws in
            try sha256(ofFile: path, isCancelled: { cancellation.isRaised })
        }
        let detector = try installation.detector()
        let settings = RunReport.Settings(
            options: options.settings(detector), modelSHA256: installation.model.sha256,
            detectorSHA256: detector.sha256, sha256: Checksum.hex)
        if let known = hooks.hashed(source.hex, settings.hash) {
            if let work { try WorkFolder(path: work.folder).remove(CheckpointFile.everything) }
            return Outcome(
                exit: known.isPartial ? .partial : .done, folder: known.folder,
                status: known.isPartial ? .partial : .complete, skipped: true, frames: 0, faces: 0, seconds: 0)
        }
        let folder = ResultFolder(
            root: outputRoot, relative: relative,
            identity: Identity(inputSHA256: source.hex, settingsHash: settings.hash), overwrite: options.overwrite,
            replacesSame: hooks.replacesSame)
        let place = folder.place()
        if case .skip(let existing, let status) = place {
            if let work { try WorkFolder(path: work.folder).remove(CheckpointFile.everything) }
            return Outcome(
                exit: status == .partial ? .partial : .done, folder: existing, status: status, skipped: true, frames: 0,
                faces: 0, seconds: 0)
        }
        // The place is asked for before the input is opened: a refusal should not cost a decode.
        if case .refused(let path, let reason) = place { throw ResultsError.refused(path: path, reason: reason) }

        let draft = try draft(folder, installation.level, watch)
        var run = Run(installation: installation, detector: detector, watch: watch, draft: draft, started: started)
        let end: RunEnd
        do {
            end = try analyse(&run, times)
        } catch let mismatch as ResumeMismatch {
            watch.logger.notice("\(PathBytes.shown(path)): the job starts over: \(mismatch)")
            run.draft.checkpoint = nil
            try draft.work?.remove(CheckpointFile.everything)
            end = try analyse(&run, times)
        }

        var report = RunReport(
            status: Self.status(end.outcome, end.reader), program: program,
            input: input(source, end.reader.info), settings: settings,
            model: RunReport.ModelFile(name: installation.model.name, sha256: installation.model.sha256),
            detector: detector.file,
            host: installation.host)
        let wall = (run.draft.checkpoint?.wall ?? 0) + (ContinuousClock.now - started).seconds
        fill(&report, end.outcome, end.reader, end.writer, wall: wall, watch.logger)
        if let resumed = run.draft.checkpoint?.point.analysed {
            report.notes.append("went on from a checkpoint behind \(resumed) analysed frames")
        }
        return try publish(report, run.draft, folder, wall: wall)
    }

    /// Where the result grows, and what an earlier run has left of it.
    private struct Draft {
        /// Nil with a work folder, until the publish.
        let staging: Staging?
        let file: CheckpointFile?
        var checkpoint: Checkpoint?

        var work: WorkFolder? { file?.work }
    }

    private func draft(_ folder: ResultFolder, _ level: KernelLevel, _ watch: RunWatch) throws -> Draft {
        guard let work else { return Draft(staging: try folder.stage(), file: nil, checkpoint: nil) }
        let there = try WorkFolder(path: work.folder)
        guard there.sharesFileSystem(with: outputRoot) else {
            throw PipelineError(
                .configuration,
                "\(PathBytes.shown(work.folder)): the work folder is not on the file system of the results (\(PathBytes.shown(outputRoot))); choose one that is"
            )
        }
        let key = Checkpoint.Key(program: program, level: level, identity: folder.identity)
        let file = CheckpointFile(work: there, key: key)
        var checkpoint = try file.load(watch.logger)
        if let found = checkpoint, !RunWriter.isWhole(found.writer, in: there) {
            watch.logger.notice("\(PathBytes.shown(path)): the job starts over: files of its checkpoint are missing")
            checkpoint = nil
        }
        if let checkpoint {
            watch.logger.info(
                "\(PathBytes.shown(path)): goes on behind \(checkpoint.point.analysed) analysed frames")
            watch.onCheckpoint(
                CheckpointNote(frames: checkpoint.point.analysed, time: checkpoint.point.time, resumed: true))
        } else {
            try there.remove(CheckpointFile.everything)
        }
        return Draft(staging: nil, file: file, checkpoint: checkpoint)
    }

    private struct Run {
        let installation: Installation
        let detector: Installation.Detector
        let watch: RunWatch
        var draft: Draft
        let started: ContinuousClock.Instant
    }

    private struct RunEnd {
        let outcome: PipelineOutcome
        let reader: MediaReader
        let writer: RunWriter
    }

    /// From the first packet to the last file but run.json.
    private func analyse(_ run: inout Run, _ before: StageClock) throws -> RunEnd {
        var times = before
        let installation = run.installation, options = installation.options, cancellation = run.watch.cancellation
        guard let files: any ResultFiles = run.draft.staging ?? run.draft.work else {
            preconditionFailure("a result grows in one folder or the other")
        }
        let reader = try times.measure("open") { () throws in
            try MediaReader(path: path, options: options.media(isCancelled: { cancellation.isRaised }))
        }
        let checkpoint = run.draft.checkpoint
        let writer = try RunWriter(
            files: files, source: path, info: reader.info, format: installation.model.timelineFormat,
            options: options, logger: run.watch.logger, checkpoints: keeper(run), resuming: checkpoint?.writer,
            progress: run.watch.progress)
        let pipeline = VideoPipeline(
            reader: reader,
            finder: FaceFinder(
                detector: run.detector.detector,
                settings: options.faceSettings(template: installation.model.template, run.detector)),
            classifier: try installation.model.classifier(options.engine, level: installation.level), sink: writer,
            selector: FrameSelector(every: options.every, framesPerSecond: options.framesPerSecond),
            cancellation: cancellation,
            resumption: Resumption(keepsPoints: run.draft.file != nil, point: checkpoint?.point))
        var outcome = try pipeline.run()
        if outcome.stopped {
            try writer.saveCheckpoint()
            throw stopped
        }
        if let failure = outcome.readFailure, outcome.analysed == 0 { throw failure }
        let isCut = options.to != nil || outcome.interrupted
        try outcome.times.measure("write") { () throws in try writer.finish(end: nil, isCut: isCut) }
        outcome.times.join(times)
        return RunEnd(outcome: outcome, reader: reader, writer: writer)
    }

    private func keeper(_ run: Run) -> CheckpointKeeper? {
        guard let work, let file = run.draft.file else { return nil }
        let started = run.started, earlier = run.draft.checkpoint, watch = run.watch
        let parts = work.interval.components
        return CheckpointKeeper(
            work: file.work, interval: max(parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000, 1)
        ) { point, state in
            try file.save(
                Checkpoint(
                    key: file.key, point: point, writer: state,
                    wall: (earlier?.wall ?? 0) + (ContinuousClock.now - started).seconds))
            watch.onCheckpoint(CheckpointNote(frames: point.analysed, time: point.time, resumed: false))
        }
    }

    private static func status(_ outcome: PipelineOutcome, _ reader: MediaReader) -> RunReport.Status {
        if outcome.interrupted { return .interrupted }
        return reader.isPartial || outcome.readFailure != nil ? .partial : .complete
    }

    private func publish(
        _ report: RunReport, _ draft: Draft, _ folder: ResultFolder, wall: Double
    ) throws -> Outcome {
        let staging = try draft.staging ?? folder.stage()
        if let work = draft.work {
            // An interrupted result may be replaced by one that goes on from its checkpoint: not from the files that
            // it shares with it.
            if report.status == .interrupted { try work.remove([CheckpointFile.name]) }
            try staging.take(RunWriter.resultNames, from: work)
        }

        func outcome(_ folder: [UInt8], _ status: RunReport.Status, skipped: Bool) -> Outcome {
            let exit: ExitReason =
                switch report.status {
                case .interrupted: .interrupted
                case .complete, .partial: status == .partial ? .partial : .done
                }
            return Outcome(
                exit: exit, folder: folder, status: status, skipped: skipped, frames: report.counts.analysed,
                faces: report.counts.tracks, seconds: wall)
        }
        let publication = try staging.publish(report, if: hooks.mayPublish)
        // Nothing is left to go on with. What cannot be removed now is when the job is seen to be done.
        try? draft.work?.remove(CheckpointFile.everything)
        switch publication {
        case .published(let folder): return outcome(folder, report.status, skipped: false)
        case .found(let folder, let status): return outcome(folder, status, skipped: true)
        }
    }
}
