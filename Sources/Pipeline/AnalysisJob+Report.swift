// What run.json says of a run: each figure from the stage that knows it.

import Core
import Faces
import Inference
import Logging
import Media
import Results
import Timeline

extension AnalysisJob {
    func input(_ source: (hex: String, bytes: Int64), _ info: MediaInfo) -> RunReport.Input {
        var input = RunReport.Input(name: path, bytes: source.bytes, sha256: source.hex)
        input.container = info.container
        input.codec = info.codec
        input.width = info.width
        input.height = info.height
        input.rotation = info.rotationDegrees
        input.duration = info.durationMicroseconds.map { Double($0) / 1e6 }
        input.fps = info.frameRate?.framesPerSecond
        return input
    }

    func fill(
        _ report: inout RunReport, _ outcome: PipelineOutcome, _ reader: MediaReader, _ writer: RunWriter,
        wall: Double, _ logger: Logger
    ) {
        report.counts.packets = reader.counts.packets
        report.counts.decoded = reader.counts.decoded
        report.counts.analysed = outcome.analysed
        report.counts.skipped = outcome.skipped + reader.counts.skippedBeforeStart
        report.counts.withFaces = writer.counts.framesWithFaces
        report.counts.rows = writer.counts.rows
        report.counts.tracks = writer.tracks
        report.counts.ptsRepaired = reader.counts.ptsRepaired
        report.counts.errors = reader.counts.errors + (outcome.readFailure == nil ? 0 : 1)
        report.errors = reader.counts.firstErrors + (outcome.readFailure.map { [$0.description] } ?? [])
        if !report.counts.isBalanced {
            logger.error(
                "\(PathBytes.shown(path)): \(report.counts.decoded) frames decoded, but \(report.counts.analysed) analysed and \(report.counts.skipped) skipped: this is a bug, please report it"
            )
        }
        report.notes =
            reader.notes + writer.notes + [
                outcome.detections == outcome.analysed
                    ? "faces detected on every frame"
                    : "faces detected on \(outcome.detections) frames, followed between"
            ]
        report.timing.stages = outcome.times.seconds
        report.timing.wall = wall
        report.timing.framesPerSecond = wall > 0 ? Double(outcome.analysed) / wall : nil
        report.video = writer.videoReport
    }
}

extension Installation.Detector {
    var file: RunReport.ModelFile {
        RunReport.ModelFile(name: detector.name, sha256: sha256, engine: engine?.rawValue)
    }
}

extension Installation {
    var host: RunReport.Host {
        RunReport.Host(cpu: KernelLevel.cpuName, kernelLevel: level.name, threads: options.decoderThreads + 3)
    }
}

extension ExitReason {
    init(_ kind: MediaError.Kind) {
        self =
            switch kind {
            case .noInput: .noInput
            case .notMedia: .badInput
            case .inputOutput, .noSpace: .ioError
            case .cannotCreate: .cannotCreate
            case .cancelled: .interrupted
            case .unavailable: .unavailable
            case .badSource: .usage
            case .internalError: .internalError
            }
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
