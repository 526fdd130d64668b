// run.json: what was done to which input with what, and how it went. Readers go by `format`; members are only added.

package struct RunReport: Hashable, Sendable, Codable {
    package static let currentFormat = 1
    package static let fileName = "run.json"

    package enum Status: String, Sendable, Codable {
        case complete
        /// The input is damaged; what could be read is here.
        case partial
        /// The user or the service stopped it; a later run takes its place.
        case interrupted
    }

    package var format = RunReport.currentFormat
    package var status: Status
    package var program: Program
    package var input: Input
    package var settings: Settings
    package var model: ModelFile
    package var detector: ModelFile
    package var counts = Counts()
    /// The first messages of what `counts.errors` counts.
    package var errors: [String] = []
    package var timing = Timing()
    package var host: Host
    /// Nil where no annotated video was asked for.
    package var video: Video?
    /// Of segments of streams only.
    package var stream: Stream?
    package var notes: [String] = []

    package init(
        status: Status, program: Program, input: Input, settings: Settings, model: ModelFile, detector: ModelFile,
        host: Host
    ) {
        self.status = status
        self.program = program
        self.input = input
        self.settings = settings
        self.model = model
        self.detector = detector
        self.host = host
    }

    package var identity: Identity { Identity(inputSHA256: input.sha256, settingsHash: settings.hash) }
}

extension RunReport {
    package struct Program: Hashable, Sendable, Codable {
        package var version: String
        package var commit: String

        package init(version: String, commit: String) {
            self.version = version
            self.commit = commit
        }
    }

    package struct Input: Hashable, Sendable, Codable {
        /// As text; `nameBase64` has the bytes where they are no UTF-8.
        package var name: String
        package var nameBase64: String?
        package var bytes: Int64
        package var sha256: String
        package var container: String?
        package var codec: String?
        /// As displayed, in pixels.
        package var width: Int?
        package var height: Int?
        /// Degrees clockwise that the container asked for.
        package var rotation: Int?
        /// Seconds that the container claims.
        package var duration: Double?
        package var fps: Double?

        package init(name: [UInt8], bytes: Int64, sha256: String) {
            self.name = PathBytes.lossy(name)
            nameBase64 = PathBytes.base64IfNeeded(name)
            self.bytes = bytes
            self.sha256 = sha256
        }

        enum CodingKeys: String, CodingKey {
            case name, bytes, sha256, container, codec, width, height, rotation, duration, fps
            case nameBase64 = "name_base64"
        }
    }

    package struct ModelFile: Hashable, Sendable, Codable {
        package var name: String
        package var sha256: String?
        /// What ran it, where there is a choice.
        package var engine: String?

        package init(name: String, sha256: String?, engine: String? = nil) {
            self.name = name
            self.sha256 = sha256
            self.engine = engine
        }
    }

    package struct Counts: Hashable, Sendable, Codable {
        package var packets = 0
        package var decoded = 0
        package var analysed = 0
        /// Left out on purpose: `--fps`, `--every`, `--from`, `--to`.
        package var skipped = 0
        /// Lost for want of time; streams only.
        package var dropped = 0
        package var withFaces = 0
        package var rows = 0
        package var tracks = 0
        package var ptsRepaired = 0
        package var errors = 0

        package init() {}

        /// Every decoded frame went one of three ways; where this is false the program has a bug and should say so.
        package var isBalanced: Bool { decoded == analysed + skipped + dropped }

        enum CodingKeys: String, CodingKey {
            case packets, decoded, analysed, skipped, dropped, rows, tracks, errors
            case withFaces = "with_faces"
            case ptsRepaired = "pts_repaired"
        }
    }

    package struct Timing: Hashable, Sendable, Codable {
        /// Seconds per stage; stages run side by side, so they do not add up to `wall`.
        package var stages: [String: Double] = [:]
        package var wall = 0.0
        package var framesPerSecond: Double?

        package init() {}

        enum CodingKeys: String, CodingKey {
            case stages, wall
            case framesPerSecond = "frames_per_second"
        }
    }

    package struct Host: Hashable, Sendable, Codable {
        package var cpu: String
        package var kernelLevel: String
        package var threads: Int

        package init(cpu: String, kernelLevel: String, threads: Int) {
            self.cpu = cpu
            self.kernelLevel = kernelLevel
            self.threads = threads
        }

        enum CodingKeys: String, CodingKey {
            case cpu, threads
            case kernelLevel = "kernel_level"
        }
    }

    package struct Video: Hashable, Sendable, Codable {
        /// Nil where no encoder could be had; `note` says why.
        package var codec: String?
        /// `copied`, `aac`, `dropped` or `none`.
        package var audio: String
        package var note: String?

        package init(codec: String?, audio: String, note: String?) {
            self.codec = codec
            self.audio = audio
            self.note = note
        }
    }
}
