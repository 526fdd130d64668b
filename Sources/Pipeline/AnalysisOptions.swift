// What a run was asked for. Everything here that changes the output goes into the settings' hash.

package import Core
package import Faces
package import Results

package enum DetectorChoice: String, Sendable, CaseIterable {
    case auto, yunet, cascade
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
    package var detectEvery = DetectionRate.adaptive
    package var minimumScore: Float?
    package var model: [UInt8]?
    package var engine = EngineChoice.native
    /// Nil: the best that the host has.
    package var cpuLevel: String?
    package var video = true
    package var stills = StillChoice.none
    package var overwrite = false
    package var decoderThreads = 2
    package var maximumPixels = 8192 * 8192
    package var maximumSeconds = 24 * 3600
    package var maximumStreams = 64

    package init() {}

    /// The options that change the output, by their names on the command line; never paths, threads or CPU level.
    package func settings(detector: String) -> [String: SettingValue] {
        [
            "from": from.map { .text($0.seconds) } ?? .null,
            "to": to.map { .text($0.seconds) } ?? .null,
            "every": .integer(Int64(every)),
            "fps": framesPerSecond.map { .number($0) } ?? .null,
            "detector": .text(detector),
            "detect_size": .integer(Int64(detectSize)),
            "detect_every": .text(detectEvery.name),
            "minimum_score": minimumScore.map { .number(Double($0)) } ?? .null,
            "emotion_engine": .text(engine.rawValue),
            "video": .bool(video),
            "frames": .text(stills.name),
        ]
    }
}
