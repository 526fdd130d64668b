// From the options of a job description, which are text, to those of a run.

import Core
package import Results

extension AnalysisOptions {
    /// - Throws: `.configuration` with the option's name: nobody but the one who wrote the description can help.
    package init(_ job: JobOptions) throws(PipelineError) {
        self.init()
        from = job.from.map(Timestamp.init(microseconds:))
        to = job.to.map(Timestamp.init(microseconds:))
        every = try Self.checked("every", job.every) { $0 >= 1 }
        framesPerSecond = try job.framesPerSecond.map { rate throws(PipelineError) in
            try Self.checked("fps", rate) { $0 > 0 && $0.isFinite }
        }
        detector = try Self.known("detector", job.detector, DetectorChoice.init(rawValue:))
        detectorModel = job.detectorModel
        detectorEngine = try job.detectorEngine.map { engine throws(PipelineError) in
            try Self.known("detector_engine", engine, EngineChoice.init(rawValue:))
        }
        detectSize = try Self.checked("detect_size", job.detectSize) { $0 >= 64 }
        detectEvery =
            job.detectEvery == "auto"
            ? nil : try Self.known("detect_every", job.detectEvery, DetectionRate.init(name:))
        minimumScore = try job.minimumScore.map { score throws(PipelineError) in
            Float(try Self.checked("minimum_score", score) { (0...1).contains($0) })
        }
        model = job.model
        engine = try Self.known("emotion_engine", job.engine, EngineChoice.init(rawValue:))
        cpuLevel = job.cpuLevel
        stills = try Self.known("frames", job.frames, StillChoice.init(name:))
        video = try Self.known("video", job.video.rawValue, VideoChoice.init(rawValue:))
        writesVideo = job.writesVideo
        notice = job.notice
        overwrite = job.overwrite
        decoderThreads = try Self.checked("decoder_threads", job.decoderThreads) { (1...64).contains($0) }
        maximumPixels = try Self.checked("max_pixels", job.maximumPixels ?? maximumPixels) { $0 >= 1 }
        maximumSeconds = try Self.checked("max_duration", job.maximumSeconds ?? maximumSeconds) { $0 >= 1 }
        maximumStreams = try Self.checked("max_streams", job.maximumStreams ?? maximumStreams) { $0 >= 1 }
    }

    private static func known<Value>(
        _ name: String, _ text: String, _ make: (String) -> Value?
    ) throws(PipelineError) -> Value {
        guard let value = make(text) else { throw refused(name, text) }
        return value
    }

    private static func checked<Value>(
        _ name: String, _ value: Value, _ isGood: (Value) -> Bool
    ) throws(PipelineError) -> Value {
        guard isGood(value) else { throw refused(name, "\(value)") }
        return value
    }

    private static func refused(_ name: String, _ value: String) -> PipelineError {
        PipelineError(.configuration, "the job's option \(name) is '\(value)', which this version cannot do")
    }
}

extension StillChoice {
    /// `none`, `all`, `faces` or `every:N`.
    package init?(name: String) {
        switch name {
        case "all": self = .all
        case "faces": self = .faces
        case "none": self = .none
        default:
            guard name.hasPrefix("every:"), let n = Int(name.dropFirst(6)), n >= 1 else { return nil }
            self = .every(n)
        }
    }
}
