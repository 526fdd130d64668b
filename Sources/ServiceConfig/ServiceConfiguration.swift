// What an operator decides about the service: one YAML file, read into one value. Every key with its meaning stands
// in systemd/emotiond.yaml.

/// All defaults unless something else was read.
///
/// Not named like its module, and not like the types of other packages (`Subprocess.Configuration`).
package struct ServiceConfiguration: ConfigurationSection {
    package var state = State()
    package var watch = Watch()
    package var analysis = Analysis()
    package var workers = Workers()
    package var streams: [Stream] = []
    package var http = HTTP()
    package var disk = Disk()
    package var retention = Retention()
    package var hooks: [Hook] = []
    package var log = Log()

    package init() {}

    package static let fields: [Field<Self>] = [
        .section("state", \.state),
        .section("watch", \.watch),
        .section("analysis", \.analysis),
        .section("workers", \.workers),
        .sections("streams", \.streams),
        .section("http", \.http),
        .section("disk", \.disk),
        .section("retention", \.retention),
        .sections("hooks", \.hooks),
        .section("log", \.log),
    ]

    package func faults() -> [Fault] {
        var seen: Set<String> = []
        var faults: [Fault] = []
        for (place, stream) in streams.enumerated() where !seen.insert(stream.name).inserted && !stream.name.isEmpty {
            faults.append(
                Fault(
                    key: "streams[\(place)].name", text: "is \"\(stream.name)\", as another stream's; names are unique")
            )
        }
        return faults
    }

    /// Every key by its dotted path, `streams[].url` for members of lists.
    package static let allKeys: [KeyPathText] = keyPaths

    /// The file behind `credential:NAME`, which systemd's `LoadCredential=NAME:...` puts there; any other value is a path
    /// already. Nil where systemd gave no credentials.
    package static func credentialPath(_ value: String, environment: [String: String]) -> String? {
        let prefix = "credential:"
        guard value.hasPrefix(prefix) else { return value }
        return environment["CREDENTIALS_DIRECTORY"].map { $0 + "/" + value.dropFirst(prefix.count) }
    }

    /// For `serve --root DIR`: all defaults below that folder.
    package static func defaults(root: String) -> ServiceConfiguration {
        var configuration = ServiceConfiguration()
        configuration.state.folder = root
        return configuration
    }
}

extension ServiceConfiguration {
    /// A section: the unit that restarts when a reload changes it.
    package enum Part: String, CaseIterable, Sendable {
        case state, watch, analysis, workers, streams, http, disk, retention, hooks, log
    }

    /// Which sections differ. `state` cannot change while the service runs: say that it waits for a restart.
    package static func changes(from old: ServiceConfiguration, to new: ServiceConfiguration) -> Set<Part> {
        Set(fields.filter { !$0.isEqual(old, new) }.compactMap { Part(rawValue: $0.key) })
    }

    package struct StreamChanges: Sendable, Equatable {
        /// By name: to stop, changed ones included.
        package var ended: [String] = []
        /// To start, changed ones included.
        package var begun: [Stream] = []
    }

    /// Streams that did not change run on.
    package static func streamChanges(
        from old: ServiceConfiguration, to new: ServiceConfiguration
    ) -> StreamChanges {
        StreamChanges(
            ended: old.streams.filter { !new.streams.contains($0) }.map(\.name),
            begun: new.streams.filter { !old.streams.contains($0) })
    }
}
