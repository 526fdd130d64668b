// How inputs are analysed: the options of `emotiond --file`, by the same names with `_` for `-`.

extension ServiceConfiguration {
    package enum Video: String, CaseIterable, Codable, Sendable {
        case none, annotated, blurred
    }

    package enum Detector: String, CaseIterable, Codable, Sendable {
        case auto, own, yunet, cascade
    }

    package enum Engine: String, CaseIterable, Codable, Sendable {
        case native, opencv
    }

    /// `auto` (every frame where the detector is cheap), `adaptive`, or on every n-th frame.
    package enum DetectEvery: Equatable, Codable, Sendable {
        case auto
        case adaptive
        case every(Int)

        package var name: String {
            switch self {
            case .auto: "auto"
            case .adaptive: "adaptive"
            case .every(let n): String(n)
            }
        }

        static let form = Form<Self>(
            allowed: "auto, adaptive or a whole number from 1 to 100000",
            parse: { text in
                if text == "auto" { return .auto }
                if text == "adaptive" { return .adaptive }
                return Int(text).flatMap { (1...100_000).contains($0) ? .every($0) : nil }
            }, show: \.name)
    }

    /// Which frames are kept as annotated pictures.
    package enum Stills: Equatable, Codable, Sendable {
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

        static let form = Form<Self>(
            allowed: "none, all, faces or every:N",
            parse: { text in
                switch text {
                case "none": return Stills.none
                case "all": return .all
                case "faces": return .faces
                default:
                    guard text.hasPrefix("every:"), let n = Int(text.dropFirst(6)), n >= 1 else { return nil }
                    return .every(n)
                }
            }, show: \.name)
    }

    package struct Analysis: ConfigurationSection {
        package var video = Video.annotated
        package var notice: String?
        package var frames = Stills.none
        package var from: Duration?
        package var to: Duration?
        package var fps: Double?
        package var every = 1
        package var detector = Detector.auto
        package var detectorModel: String?
        /// Nil: native. Of our own detector only.
        package var detectorEngine: Engine?
        package var detectSize = 640
        package var detectEvery = DetectEvery.auto
        /// Nil: the detector's own.
        package var minimumScore: Double?
        package var model: String?
        package var emotionEngine = Engine.native
        /// Nil: the best that the host has.
        package var cpuLevel: String?
        package var maximumPixels = 8192 * 8192
        package var maximumDuration = Duration.seconds(24 * 3600)
        package var maximumStreams = 64

        package init() {}

        package static let fields: [Field<Self>] = [
            .value("video", \.video, .choice),
            .value("notice", \.notice, Form.text.orNone),
            .value("frames", \.frames, Stills.form),
            .value("from", \.from, Form.duration(.zero, .seconds(1_000_000)).orNone),
            .value("to", \.to, Form.duration(.microseconds(1), .seconds(1_000_000)).orNone),
            .value("fps", \.fps, Form.number(0...1000, above: true).orNone),
            .value("every", \.every, .integer(1...1_000_000)),
            .value("detector", \.detector, .choice),
            .value("detector_model", \.detectorModel, Form.path.orNone),
            .value("detector_engine", \.detectorEngine, Form.choice.orNone),
            .value("detect_size", \.detectSize, .integer(64...8192)),
            .value("detect_every", \.detectEvery, DetectEvery.form),
            .value("minimum_score", \.minimumScore, Form.number(0...1).orNone),
            .value("model", \.model, Form.path.orNone),
            .value("emotion_engine", \.emotionEngine, .choice),
            .value("cpu_level", \.cpuLevel, Form.name.orNone),
            .value("max_pixels", \.maximumPixels, .integer(1...(1 << 32))),
            .value("max_duration", \.maximumDuration, .duration(.seconds(1), .seconds(1000 * 3600))),
            .value("max_streams", \.maximumStreams, .integer(1...10000)),
        ]

        package func faults() -> [Fault] {
            var faults: [Fault] = []
            if let from, let to, from >= to {
                faults.append(
                    Fault(key: "to", text: "is \(Amount.text(to)), not after from, \(Amount.text(from))"))
            }
            if detectorEngine != nil, detector == .yunet || detector == .cascade {
                faults.append(
                    Fault(key: "detector_engine", text: "is for the detector own, not for \(detector.rawValue)"))
            }
            return faults
        }
    }
}
