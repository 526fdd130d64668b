// What is wrong with a configuration, collected while it is read, so that an operator sees all of it at once.

import Foundation

final class ProblemList {
    private static let key = CodingUserInfoKey(rawValue: "emotiond.problems")

    /// The list that the caller of the decoder gave.
    static func given(to decoder: any Decoder) -> ProblemList? {
        key.flatMap { decoder.userInfo[$0] as? ProblemList }
    }

    var userInfo: [CodingUserInfoKey: Any] { Self.key.map { [$0: self] } ?? [:] }

    private(set) var found: [(path: String, text: String)] = []

    func add(_ path: [any CodingKey], _ text: String) {
        let path = Self.text(path)
        if !found.contains(where: { $0.path == path && $0.text == text }) { found.append((path, text)) }
    }

    func contains(_ path: [any CodingKey]) -> Bool {
        let path = Self.text(path)
        return found.contains { $0.path == path }
    }

    func addUnknown(_ path: [any CodingKey], siblings: [String]) {
        let key = path.last?.stringValue ?? ""
        let section = Self.text(Array(path.dropLast()))
        add(path, "is not a known key; " + Spelling.advice(for: key, section: section, siblings: siblings))
    }

    /// One decoder for each member of a list; nil for a null, which leaves the default, and, with a problem noted, for
    /// what is no list.
    func members(of decoder: any Decoder, _ sentence: String) -> [any Decoder]? {
        if decoder.isNull { return nil }
        do {
            var list = try decoder.unkeyedContainer()
            var members: [any Decoder] = []
            while !list.isAtEnd { members.append(try list.superDecoder()) }
            return members
        } catch {
            add(decoder.codingPath, sentence)
            return nil
        }
    }

    /// `streams[0].url`.
    static func text(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            if let place = key.intValue {
                text += "[\(place)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }
}

extension Decoder {
    /// A scalar's text, whatever YAML would take it for; nil for lists and mappings.
    var scalar: String? { try? singleValueContainer().decode(String.self) }

    /// A key without a value, `~` or `null`.
    var isNull: Bool { scalar.map { ["", "~", "null"].contains($0) } ?? false }
}
