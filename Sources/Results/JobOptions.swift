// The options of a run as text and numbers, by their names on the command line. The worker makes its own values of
// them and refuses what it does not know, so that a newer service cannot be misunderstood in silence.

package struct JobOptions: Hashable, Sendable {
    package enum Video: String, Sendable, Codable, CaseIterable { case none, annotated, blurred }

    /// In microseconds.
    package var from: Int64?
    package var to: Int64?
    package var every = 1
    package var framesPerSecond: Double?
    /// `auto`, `own`, `yunet`, `cascade`.
    package var detector = "auto"
    package var detectorModel: [UInt8]?
    /// `native`, `opencv`; nil: the worker's own choice. For our own detector only.
    package var detectorEngine: String?
    package var detectSize = 640
    /// `auto` (what suits the detector), `adaptive`, or a count of frames.
    package var detectEvery = "auto"
    package var minimumScore: Double?
    package var model: [UInt8]?
    /// `native`, `opencv`.
    package var engine = "native"
    /// Nil: the best that the worker's host has.
    package var cpuLevel: String?
    package var video = Video.annotated
    /// False: of what `video` allows, only the stills.
    package var writesVideo = true
    /// Stills: `none`, `all`, `faces`, `every:N`.
    package var frames = "none"
    /// Drawn on what pictures are kept.
    package var notice: String?
    /// A result with other settings may be replaced.
    package var overwrite = false
    package var decoderThreads = 2
    package var maximumPixels: Int?
    package var maximumSeconds: Int?
    package var maximumStreams: Int?

    package init() {}
}

extension JobOptions: Codable {
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: WireKey.self)
        from = try members.decodeIfPresent(Int64.self, forKey: "from")
        to = try members.decodeIfPresent(Int64.self, forKey: "to")
        every = try members.decode(forKey: "every", or: every)
        framesPerSecond = try members.decodeIfPresent(Double.self, forKey: "fps")
        detector = try members.decode(forKey: "detector", or: detector)
        detectorModel = try members.decodePathIfPresent(forKey: "detector_model")
        detectorEngine = try members.decodeIfPresent(String.self, forKey: "detector_engine")
        detectSize = try members.decode(forKey: "detect_size", or: detectSize)
        detectEvery = try members.decode(forKey: "detect_every", or: detectEvery)
        minimumScore = try members.decodeIfPresent(Double.self, forKey: "minimum_score")
        model = try members.decodePathIfPresent(forKey: "model")
        engine = try members.decode(forKey: "emotion_engine", or: engine)
        cpuLevel = try members.decodeIfPresent(String.self, forKey: "cpu_level")
        video = try members.decode(forKey: "video", or: video)
        writesVideo = try members.decode(forKey: "writes_video", or: writesVideo)
        frames = try members.decode(forKey: "frames", or: frames)
        notice = try members.decodeIfPresent(String.self, forKey: "notice")
        overwrite = try members.decode(forKey: "overwrite", or: overwrite)
        decoderThreads = try members.decode(forKey: "decoder_threads", or: decoderThreads)
        maximumPixels = try members.decodeIfPresent(Int.self, forKey: "max_pixels")
        maximumSeconds = try members.decodeIfPresent(Int.self, forKey: "max_duration")
        maximumStreams = try members.decodeIfPresent(Int.self, forKey: "max_streams")
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: WireKey.self)
        try members.encodeIfPresent(from, forKey: "from")
        try members.encodeIfPresent(to, forKey: "to")
        try members.encode(every, forKey: "every")
        try members.encodeIfFinite(framesPerSecond, forKey: "fps")
        try members.encode(detector, forKey: "detector")
        try members.encodePathIfPresent(detectorModel, forKey: "detector_model")
        try members.encodeIfPresent(detectorEngine, forKey: "detector_engine")
        try members.encode(detectSize, forKey: "detect_size")
        try members.encode(detectEvery, forKey: "detect_every")
        try members.encodeIfFinite(minimumScore, forKey: "minimum_score")
        try members.encodePathIfPresent(model, forKey: "model")
        try members.encode(engine, forKey: "emotion_engine")
        try members.encodeIfPresent(cpuLevel, forKey: "cpu_level")
        try members.encode(video, forKey: "video")
        try members.encode(writesVideo, forKey: "writes_video")
        try members.encode(frames, forKey: "frames")
        try members.encodeIfPresent(notice, forKey: "notice")
        try members.encode(overwrite, forKey: "overwrite")
        try members.encode(decoderThreads, forKey: "decoder_threads")
        try members.encodeIfPresent(maximumPixels, forKey: "max_pixels")
        try members.encodeIfPresent(maximumSeconds, forKey: "max_duration")
        try members.encodeIfPresent(maximumStreams, forKey: "max_streams")
    }
}
