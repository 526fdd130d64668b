// Where the service's files are, what is taken in, and how much of it stays.

extension ServiceConfiguration {
    package struct State: ConfigurationSection {
        package var folder = "/var/lib/emotiond"
        /// These may be relative to `folder`; read the resolved ones (`incomingFolder`).
        package var incoming = "incoming"
        package var results = "results"
        package var done = "done"
        package var failed = "failed"
        package var control = "emotiond.sock"

        package init() {}

        package static let fields: [Field<Self>] = [
            .value("folder", \.folder, .path),
            .value("incoming", \.incoming, .path),
            .value("results", \.results, .path),
            .value("done", \.done, .path),
            .value("failed", \.failed, .path),
            .value("control", \.control, .path),
        ]

        package func faults() -> [Fault] {
            let places = [
                ("incoming", incomingFolder), ("results", resultsFolder), ("done", doneFolder),
                ("failed", failedFolder),
            ]
            var faults: [Fault] = []
            for (key, place) in places {
                // A result or a finished input inside the watched folder would be taken in again.
                for (other, otherPlace) in places where key != other && Self.isWithin(place, otherPlace) {
                    faults.append(
                        Fault(key: key, text: "(\(place)) is within \(other) (\(otherPlace)); keep them apart"))
                }
            }
            return faults
        }

        private static func isWithin(_ path: String, _ folder: String) -> Bool {
            let parts = path.split(separator: "/"), outer = folder.split(separator: "/")
            return parts.starts(with: outer)
        }

        package var incomingFolder: String { resolved(incoming) }
        package var resultsFolder: String { resolved(results) }
        package var doneFolder: String { resolved(done) }
        package var failedFolder: String { resolved(failed) }
        package var controlSocket: String { resolved(control) }
        package var workFolder: String { resolved("work") }

        /// An absolute path as it is, a relative one below the state folder.
        package func resolved(_ path: String) -> String {
            if path.hasPrefix("/") { return path }
            return folder.hasSuffix("/") ? folder + path : folder + "/" + path
        }
    }

    package enum AfterDone: String, CaseIterable, Codable, Sendable {
        case move, keep, delete
    }

    package struct Priority: ConfigurationSection {
        /// A folder below `incoming`, or a pattern for it; the first that fits counts.
        package var folder = ""
        package var priority = 0

        package init() {}

        package static let fields: [Field<Self>] = [
            .value("folder", \.folder, .path),
            .value("priority", \.priority, .integer(-1000...1000)),
        ]

        package func faults() -> [Fault] { folder.isEmpty ? [Fault(key: "folder", text: "is missing")] : [] }
    }

    package struct Watch: ConfigurationSection {
        /// How long size and time of a file must have been still.
        package var quiet = Duration.seconds(2)
        package var scanInterval = Duration.seconds(300)
        package var networkScanInterval = Duration.seconds(15)
        package var ignore = [
            ".*", "._*", "*.part", "*.partial", "*.filepart", "*.crdownload", "*.tmp", "*~", "@eaDir", "#recycle",
            "_UNPACK_*", "lost+found", "Thumbs.db", "desktop.ini",
        ]
        package var priorities: [Priority] = []
        package var afterDone = AfterDone.move
        package var maximumBytes: Int64?

        package init() {}

        package static let fields: [Field<Self>] = [
            .value("quiet", \.quiet, .duration(.zero, .seconds(3600))),
            .value("scan_interval", \.scanInterval, .duration(.seconds(1), .seconds(86400))),
            .value("network_scan_interval", \.networkScanInterval, .duration(.seconds(1), .seconds(86400))),
            .values("ignore", \.ignore, .pattern),
            .sections("priorities", \.priorities),
            .value("after_done", \.afterDone, .choice),
            .value("max_bytes", \.maximumBytes, Form.bytes(1).orNone),
        ]
    }

    package struct Disk: ConfigurationSection {
        package var pauseBelow: Int64 = 2 << 30
        package var resumeAbove: Int64 = 4 << 30

        package init() {}

        package static let fields: [Field<Self>] = [
            .value("pause_below", \.pauseBelow, .bytes(0)),
            .value("resume_above", \.resumeAbove, .bytes(0)),
        ]

        package func faults() -> [Fault] {
            guard resumeAbove < pauseBelow else { return [] }
            let text = "is \(Amount.text(bytes: resumeAbove)), less than pause_below, \(Amount.text(bytes: pauseBelow))"
            return [Fault(key: "resume_above", text: text)]
        }
    }

    package struct Retention: ConfigurationSection {
        /// Nil: results of files stay.
        package var resultsAge: Duration?
        package var resultsTotal: Int64?
        /// What cameras left; a stream's own `retain` goes before.
        package var streamsAge: Duration? = .seconds(7 * 86400)
        /// Inputs in done/ and failed/; nil: never removed.
        package var inputsAge: Duration?

        package init() {}

        package static let fields: [Field<Self>] = [
            .value("results_age", \.resultsAge, age),
            .value("results_total", \.resultsTotal, Form.bytes(1 << 20).orNone),
            .value("streams_age", \.streamsAge, age),
            .value("inputs_age", \.inputsAge, age),
        ]

        static let age = Form.duration(.seconds(60), .seconds(36500 * 86400)).orNone
    }

    package enum LogLevel: String, CaseIterable, Codable, Sendable {
        case trace, debug, info, notice, warning, error
    }

    package struct Log: ConfigurationSection {
        package var level = LogLevel.notice

        package init() {}

        package static let fields: [Field<Self>] = [.value("level", \.level, .choice)]
    }
}
