// What a run was asked for. Everything here that changes the output goes into the settings' hash.

package import Core
package import Faces
package import Results

package enum DetectorChoice: String, Sendable, CaseIterable {
    case auto, own, yunet, cascade
}

package enum EngineChoice: String, Sendable, CaseIterable {
    case native, opencv
}

/// How often the detector looks; in between the tracker follows.
package typealias DetectionRate = Faces.DetectionRate

extension DetectionRate {
    package var name: String {
        switch self {
        case .adaptive: "adaptive"
        case .every(let n): String(n)
        }
    }

    /// `adaptive`, or a count from 1.
    package init?(name: String) {
        if name == "adaptive" {
            self = .adaptive
        } else if let n = Int(name), n >= 1 {
            self = .every(n)
        } else {
            return nil
        }
    }
}

/// How pictures of the input may be kept.
package enum VideoChoice: String, Sendable, CaseIterable {
    /// Not at all.
    case none
    case annotated
    /// Annotated, with the faces made unrecognisable.
    case blurred
}

package enum StillChoice: Hashable, Sendable {
    case none, all, faces
    case every(Int)

    package var name: String {
        switch self {
        case .none: "none"
        case .all: "all"
        case .faces: "faces"
        case .every(let n): "every:\(n)"
        }
    }
}

package struct AnalysisOptions: Sendable {
    package var from: Timestamp?
    package var to: Timestamp?
    package var every = 1
    package var framesPerSecond: Double?
    package var detector = DetectorChoice.auto
    package var detectorModel: [UInt8]?
    package var detectSize = 640
    /// Of our own detector only; nil: native.
    package var detectorEngine: EngineChoice?
    /// Nil: as `detectionRate` says.
    package var detectEvery: DetectionRate?
    package var minimumScore: Float?
    package var model: [UInt8]?
    package var engine = EngineChoice.native
    /// Nil: the best that the host has.
    package var cpuLevel: String?
    package var video = VideoChoice.annotated
    /// False: of what `video` allows, only the stills.
    package var writesVideo = true
    package var stills = StillChoice.none
    /// A line of text on everything that is drawn.
    package var notice: String?
    package var overwrite = false
    package var decoderThreads = 2
    package var maximumPixels = 8192 * 8192
    package var maximumSeconds = 24 * 3600
    package var maximumStreams = 64

    package init() {}

    /// Where faces are made unrecognisable every frame is looked at: a new face must not be seen until its first
    /// detection comes round.
    /// - Parameter automatic: what suits the detector, `Installation.Detector.automaticRate`.
    package func detectionRate(_ automatic: DetectionRate) -> DetectionRate {
        detectEvery ?? (video == .blurred ? .every(1) : automatic)
    }
    package var keepsVideo: Bool { video != .none && writesVideo }
    package var keepsStills: Bool { video != .none && stills != .none }

    /// The options that change the output, by their names on the command line; never paths, threads or CPU level.
    package func settings(_ detector: Installation.Detector) -> [String: SettingValue] {
        settings(detector: detector.detector.name, engine: detector.engine, rate: detector.automaticRate)
    }

    /// - Parameters:
    ///   - engine: nil where the detector has no choice of it.
    ///   - rate: what suits the detector.
    package func settings(
        detector: String, engine: EngineChoice? = nil, rate: DetectionRate = .adaptive
    ) -> [String: SettingValue] {
        var settings = always(detector: detector, rate: rate)
        if let engine { settings["detector_engine"] = .text(engine.rawValue) }
        // What is usual has no member, so that results of earlier versions keep their identity.
        guard keepsVideo || keepsStills else { return settings }
        if video == .blurred { settings["faces"] = .text("blurred") }
        if let notice { settings["notice"] = .text(notice) }
        return settings
    }

    private func always(detector: String, rate: DetectionRate) -> [String: SettingValue] {
        [
            "from": from.map { .text($0.seconds) } ?? .null,
            "to": to.map { .text($0.seconds) } ?? .null,
            "every": .integer(Int64(every)),
            "fps": framesPerSecond.map { .number($0) } ?? .null,
            "detector": .text(detector),
            "detect_size": .integer(Int64(detectSize)),
            "detect_every": .text(detectionRate(rate).name),
            "minimum_score": minimumScore.map { .number(Double($0)) } ?? .null,
            "emotion_engine": .text(engine.rawValue),
            "video": .bool(keepsVideo),
            "frames": .text(keepsStills ? stills.name : StillChoice.none.name),
        ]
    }
}
