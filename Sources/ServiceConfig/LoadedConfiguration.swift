// A configuration together with where each of its values came from: for `serve --check` and for messages.

import Foundation
import Yams

package struct LoadedConfiguration: Sendable {
    package let configuration: ServiceConfiguration
    private let origins: [String: ValueOrigin]

    /// One value of `explain()`.
    package struct Explained: Equatable, Sendable, CustomStringConvertible {
        package let key: String
        /// As it would be written, secrets of addresses left out.
        package let value: String
        package let origin: ValueOrigin

        package var description: String { "\(key): \(value)  # \(origin)" }
    }

    /// - Parameters:
    ///   - file: nil for none: the defaults, as `root` gives them.
    ///   - root: the state folder where neither file, environment nor options name one.
    ///   - overrides: by dotted key, from the command line.
    package static func load(
        file: String?, root: String? = nil, environment: [String: String], overrides: [String: String] = [:]
    ) throws(ConfigurationError) -> LoadedConfiguration {
        var yaml = ""
        if let file { yaml = try text(of: file) }
        return try parse(
            yaml, fileName: file ?? "defaults", root: root, environment: environment, overrides: overrides)
    }

    package static func parse(
        _ yaml: String, fileName: String, root: String? = nil, environment: [String: String] = [:],
        overrides: [String: String] = [:]
    ) throws(ConfigurationError) -> LoadedConfiguration {
        var source = try ConfigurationSource(yaml: yaml, fileName: fileName)
        source.apply(environment: environment)
        source.apply(options: overrides)
        if let root { source.setUnset("state.folder", to: root) }
        let problems = ProblemList()
        var configuration = ServiceConfiguration()
        do {
            configuration = try YAMLDecoder().decode(from: source.tree, userInfo: problems.userInfo)
        } catch {
            problems.add([], "cannot be understood: \(error)")
        }
        let found =
            source.problems
            + problems.found.map { path, text in
                .init(place: source.place(of: path), key: path, text: text)
            }
        guard found.isEmpty else { throw ConfigurationError(found) }
        return LoadedConfiguration(configuration: configuration, origins: source.origins)
    }

    private static func text(of file: String) throws(ConfigurationError) -> String {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: file))
        } catch {
            let code = ((error as? CocoaError)?.underlying as? POSIXError)?.code.rawValue
            let reason = code.map { String(cString: strerror($0)) } ?? error.localizedDescription
            throw ConfigurationError([.init(place: file, key: "", text: "cannot be read: \(reason)")])
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ConfigurationError([.init(place: file, key: "", text: "is not UTF-8 text")])
        }
        return text
    }

    /// Every value with where it came from, in the order of the file.
    package func explain() -> [Explained] {
        configuration.listed.map { path, text in
            Explained(key: path, value: text, origin: origins[path] ?? .standard)
        }
    }

    /// For what only another part can judge, such as a stream's schedule: an error with the key's place.
    package func problem(at key: String, _ text: String) -> ConfigurationError {
        ConfigurationError([.init(place: (origins[key] ?? .standard).description, key: key, text: text)])
    }
}
