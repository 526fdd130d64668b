// What the tests of the configuration share.

import Foundation
import ServiceConfig

enum Template {
    /// The file that is installed.
    static let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "systemd/emotiond.yaml").path

    static func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    /// With the examples in force: their lines begin with `#` and no single space, unlike those of prose.
    static func withExamples() throws -> String {
        try text().split(separator: "\n", omittingEmptySubsequences: false).map { line in
            for list in ["priorities", "streams", "hooks"] where line.drop(while: { $0 == " " }) == "\(list): []" {
                return String(line.dropLast(3))
            }
            guard line.hasPrefix("#"), line.dropFirst().hasPrefix("  ") else { return String(line) }
            return String(line.dropFirst())
        }.joined(separator: "\n")
    }
}

func parsed(
    _ yaml: String, environment: [String: String] = [:], overrides: [String: String] = [:], root: String? = nil
) throws(ConfigurationError) -> LoadedConfiguration {
    try .parse(yaml, fileName: "c.yaml", root: root, environment: environment, overrides: overrides)
}

/// What is said about a configuration that is refused; empty if it is not.
func refusal(
    _ yaml: String, environment: [String: String] = [:], overrides: [String: String] = [:]
) -> [String] {
    do {
        _ = try parsed(yaml, environment: environment, overrides: overrides)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

let camera = """
    streams:
      - name: hall
        url: rtsp://admin:geheim@cam/live
        purpose: counting
        notice: you are analysed
    """
