// Where the values come from: the file, above it the environment, above that the command line.

import Foundation
import Yams

/// Where a value was set.
package enum ValueOrigin: Equatable, Sendable, CustomStringConvertible {
    case standard
    case file(name: String, line: Int)
    case environment(variable: String)
    case option(key: String)

    package var description: String {
        switch self {
        case .standard: "default"
        case .file(let name, let line): "\(name):\(line)"
        case .environment(let variable): variable
        case .option(let key): "option \(key)"
        }
    }
}

/// The tree of values before it is read, with the place of each.
struct ConfigurationSource {
    private(set) var tree = Node.mapping(Node.Mapping([]))
    private(set) var origins: [String: ValueOrigin] = [:]
    private(set) var problems: [ConfigurationError.Problem] = []
    private let fileName: String

    init(yaml: String, fileName: String) throws(ConfigurationError) {
        self.fileName = fileName
        do {
            // The text of a scalar counts, not what YAML 1.1 takes `on` and `1:30` for.
            let root = try compose(yaml: yaml, .basic)
            if let root, !(root.scalar?.string ?? "x").isEmpty { tree = root }
        } catch {
            throw ConfigurationError([Self.problem(error, fileName)])
        }
        note(tree, path: "", line: 1)
    }

    private static func problem(_ error: any Error, _ file: String) -> ConfigurationError.Problem {
        var place = file
        var text = "is no YAML: \(error)"
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            place = "\(file):\(mark.line)"
            text = "is no YAML: \(problem)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            place = "\(file):\(context.mark.line)"
            text = "holds a key twice: \(duplicates.joined(separator: ", "))"
        case .reader: text = "is no YAML: it is not UTF-8 text"
        default: break
        }
        return .init(place: place, key: "", text: text)
    }

    private mutating func note(_ node: Node, path: String, line: Int) {
        origins[path] = .file(name: fileName, line: line)
        if let mapping = node.mapping {
            for (key, value) in mapping {
                let name = key.string ?? "?"
                let line = key.mark?.line ?? line
                note(value, path: path.isEmpty ? name : "\(path).\(name)", line: line)
            }
        } else if let sequence = node.sequence {
            for (place, value) in sequence.enumerated() {
                note(value, path: "\(path)[\(place)]", line: value.mark?.line ?? line)
            }
        }
    }

    /// `EMOTIOND_WORKERS_COUNT=2` sets workers.count. Empty variables are as unset ones; others that begin like a
    /// section's are taken for misspelt.
    mutating func apply(environment: [String: String]) {
        let keys = Dictionary(
            ServiceConfiguration.allKeys.map { (Self.variable($0.path), $0) }, uniquingKeysWith: { first, _ in first })
        let prefixes = ServiceConfiguration.fields.map { Self.variable($0.key) + "_" }
        for (variable, text) in environment.sorted(by: { $0.key < $1.key }) where !text.isEmpty {
            let origin = ValueOrigin.environment(variable: variable)
            if let key = keys[variable] {
                set(key, text, origin)
            } else if prefixes.contains(where: variable.hasPrefix) {
                let near = Spelling.nearest(to: variable, among: Array(keys.keys))
                let advice = near.map { "; did you mean \($0)?" } ?? ""
                problems.append(.init(place: variable, key: "", text: "sets no known key" + advice))
            }
        }
    }

    /// Dotted keys, as `workers.count`.
    mutating func apply(options: [String: String]) {
        let keys = Dictionary(uniqueKeysWithValues: ServiceConfiguration.allKeys.map { ($0.path, $0) })
        for (path, text) in options.sorted(by: { $0.key < $1.key }) {
            if let key = keys[path] {
                set(key, text, .option(key: path))
            } else {
                let near = Spelling.nearest(to: path, among: ServiceConfiguration.allKeys.map(\.path))
                let advice = near.map { "; did you mean \($0)?" } ?? ""
                problems.append(.init(place: "option \(path)", key: "", text: "sets no known key" + advice))
            }
        }
    }

    private static func variable(_ path: String) -> String {
        "EMOTIOND_" + path.uppercased().replacing("[]", with: "").replacing(".", with: "_")
    }

    private mutating func set(_ key: KeyPathText, _ text: String, _ origin: ValueOrigin) {
        guard key.isScalar else {
            problems.append(.init(place: origin.description, key: key.path, text: "is a list: set it in the file"))
            return
        }
        tree = Self.setting(key.path.split(separator: ".")[...], to: text, in: tree)
        origins[key.path] = origin
    }

    /// A section that is null becomes one with this key; a list or text in its place stays, to be found wrong.
    private static func setting(_ path: ArraySlice<Substring>, to text: String, in node: Node?) -> Node {
        guard let first = path.first else { return Node(text) }
        if let node, node.mapping == nil, !["", "~", "null"].contains(node.scalar?.string) { return node }
        var mapping = node?.mapping ?? Node.Mapping([])
        let key = Node(String(first))
        mapping[key] = setting(path.dropFirst(), to: text, in: mapping[key])
        return .mapping(mapping)
    }

    /// A value below all others but the default.
    mutating func setUnset(_ path: String, to text: String) {
        guard origins[path] == nil else { return }
        tree = Self.setting(path.split(separator: ".")[...], to: text, in: tree)
        origins[path] = .option(key: "root")
    }

    /// The place of a key, or of the nearest that holds it.
    func place(of path: String) -> String {
        var path = path[...]
        while true {
            if let origin = origins[String(path)] { return origin.description }
            guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { break }
            path = path[..<end]
        }
        return origins[""]?.description ?? fileName
    }
}
