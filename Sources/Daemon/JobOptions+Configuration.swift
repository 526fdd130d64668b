// From the operator's settings to what a worker is told.

internal import Results
internal import ServiceConfig

extension JobOptions {
    init(_ analysis: ServiceConfiguration.Analysis) {
        self.init()
        from = analysis.from.map(\.microseconds)
        to = analysis.to.map(\.microseconds)
        every = analysis.every
        framesPerSecond = analysis.fps
        detector = analysis.detector.rawValue
        detectorModel = analysis.detectorModel.map { Array($0.utf8) }
        detectorEngine = analysis.detectorEngine?.rawValue
        detectSize = analysis.detectSize
        // Blurred pictures need a look at every frame: a new face must not be seen until its first detection.
        let isFree = analysis.detectEvery == .adaptive || analysis.detectEvery == .auto
        let isBlurred = analysis.video == .blurred && isFree
        detectEvery = isBlurred ? "1" : analysis.detectEvery.name
        minimumScore = analysis.minimumScore
        model = analysis.model.map { Array($0.utf8) }
        engine = analysis.emotionEngine.rawValue
        cpuLevel = analysis.cpuLevel
        video = Video(rawValue: analysis.video.rawValue) ?? .annotated
        frames = analysis.frames.name
        notice = analysis.notice
        maximumPixels = analysis.maximumPixels
        maximumSeconds = Int(analysis.maximumDuration.microseconds / 1_000_000)
        maximumStreams = analysis.maximumStreams
    }
}

extension JobLimits {
    init(_ workers: ServiceConfiguration.Workers) {
        // The kernel kills a worker before the daemon.
        self.init(
            memoryBytes: workers.memory, cpuSeconds: workers.cpu.map { max(1, Int($0.microseconds / 1_000_000)) },
            oomScore: 500)
    }
}
