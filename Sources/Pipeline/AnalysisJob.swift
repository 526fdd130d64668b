// One input from its bytes to its published folder. Used by the command for each file; a service's worker will
// call the same.

import Core
import Faces
package import Logging
import Media
package import Results

package struct AnalysisJob: Sendable {
    package let path: [UInt8]
    /// Path of the result below the output folder.
    package let relative: [UInt8]
    package let outputRoot: [UInt8]
    package let program: RunReport.Program
    package var hooks = JobHooks()

    package init(path: [UInt8], relative: [UInt8], outputRoot: [UInt8], program: RunReport.Program) {
        self.path = path
        self.relative = relative
        self.outputRoot = outputRoot
        self.program = program
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

    /// - Throws: `PipelineError` with the exit code and a sentence that names the file. Nothing is left behind then.
    package func run(
        _ installation: Installation, cancellation: Cancellation, logger: Logger,
        progress: @escaping (RunProgress) -> Void
    ) throws(PipelineError) -> Outcome {
        do {
            return try analyse(installation, cancellation, logger, progress)
        } catch let error as PipelineError {
            throw error
        } catch let error as MediaError {
            throw PipelineError(
                ExitReason(error.kind), error.description, isDiskFull: error.kind == .noSpace)
        } catch let error as ResultsError {
            throw PipelineError(error.exitReason, error.description, isDiskFull: error.isNoSpace)
        } catch {
            throw PipelineError(.internalError, "\(PathBytes.shown(path)): \(error)")
        }
    }

    private func analyse(
        _ installation: Installation, _ cancellation: Cancellation, _ logger: Logger,
        _ progress: @escaping (RunProgress) -> Void
    ) throws -> Outcome {
        let started = ContinuousClock.now
        var times = StageClock()
        let options = installation.options
        let source = try times.measure("hash") { () throws in
            try sha256(ofFile: path, isCancelled: { cancellation.isRaised })
        }
        hooks.hashed(source.hex)
        let detector = try installation.detector()
        let settings = RunReport.Settings(
            options: options.settings(detector: detector.detector.name), modelSHA256: installation.model.sha256,
            detectorSHA256: detector.sha256, sha256: Checksum.hex)
        let folder = ResultFolder(
            root: outputRoot, relative: relative,
            identity: Identity(inputSHA256: source.hex, settingsHash: settings.hash), overwrite: options.overwrite,
            replacesSame: hooks.replacesSame)
        if case .skip(let existing, let status) = folder.place() {
            return Outcome(
                exit: status == .partial ? .partial : .done, folder: existing, status: status, skipped: true, frames: 0,
                faces: 0, seconds: 0)
        }

        // The place is asked for before the input is opened: a refusal should not cost a decode.
        let staging = try folder.stage()
        let reader = try times.measure("open") { () throws in
            try MediaReader(path: path, options: options.media(isCancelled: { cancellation.isRaised }))
        }
        if options.stills != .none { try staging.makeFolder("frames") }
        let writer = try RunWriter(
            staging: staging, source: path, info: reader.info, format: installation.model.timelineFormat,
            options: options, logger: logger, progress: progress)
        let pipeline = VideoPipeline(
            reader: reader,
            finder: FaceFinder(
                detector: detector.detector, settings: options.faceSettings(template: installation.model.template)),
            classifier: try installation.model.classifier(options.engine, level: installation.level), sink: writer,
            selector: FrameSelector(every: options.every, framesPerSecond: options.framesPerSecond),
            cancellation: cancellation)
        var outcome = try pipeline.run()
        if let failure = outcome.readFailure, outcome.analysed == 0 { throw failure }
        let isCut = options.to != nil || outcome.interrupted
        try outcome.times.measure("write") { () throws in try writer.finish(end: nil, isCut: isCut) }
        outcome.times.join(times)

        var report = RunReport(
            status: Self.status(outcome, reader), program: program,
            input: input(source, reader.info), settings: settings,
            model: RunReport.ModelFile(name: installation.model.name, sha256: installation.model.sha256),
            detector: RunReport.ModelFile(name: detector.detector.name, sha256: detector.sha256),
            host: installation.host)
        let wall = (ContinuousClock.now - started).seconds
        fill(&report, outcome, reader, writer, wall: wall, logger)
        return try publish(report, staging, wall: wall)
    }

    private static func status(_ outcome: PipelineOutcome, _ reader: MediaReader) -> RunReport.Status {
        if outcome.interrupted { return .interrupted }
        return reader.isPartial || outcome.readFailure != nil ? .partial : .complete
    }

    private func publish(_ report: RunReport, _ staging: Staging, wall: Double) throws -> Outcome {
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
        switch try staging.publish(report, if: hooks.mayPublish) {
        case .published(let folder): return outcome(folder, report.status, skipped: false)
        case .found(let folder, let status): return outcome(folder, status, skipped: true)
        }
    }
}
