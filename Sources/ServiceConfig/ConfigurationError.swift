// Why a configuration was refused: all that is wrong with it, each with its place.

package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    package struct Problem: Equatable, Sendable, CustomStringConvertible {
        /// `/etc/emotiond/emotiond.yaml:12`, `EMOTIOND_WORKERS_COUNT`, or an option.
        package let place: String
        /// Dotted path of the key; empty where there is none.
        package let key: String
        package let text: String

        package var description: String { key.isEmpty ? "\(place): \(text)" : "\(place): \(key) \(text)" }
    }

    package let problems: [Problem]

    package init(_ problems: [Problem]) { self.problems = problems }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
