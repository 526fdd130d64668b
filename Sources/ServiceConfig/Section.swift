// A section of the configuration is a struct with a table of its keys. From this one table it is read, checked,
// written and explained, so that none of these can forget a key.

import Foundation

package protocol ConfigurationSection: Codable, Sendable, Equatable {
    /// All defaults.
    init()
    static var fields: [Field<Self>] { get }
    /// What no key can know alone, such as two limits in the wrong order.
    func faults() -> [Fault]
}

package struct Fault: Sendable, Equatable {
    let key: String
    let text: String
}

/// One key of a section.
package struct Field<Root: Sendable>: Sendable {
    package let key: String
    let shape: Shape
    let read: @Sendable (inout Root, any Decoder, ProblemList) throws -> Void
    let write: @Sendable (Root, any Encoder) throws -> Void
    /// The scalars below this key, by their paths relative to the key.
    let list: @Sendable (Root) -> [(path: String, text: String)]
    let isEqual: @Sendable (Root, Root) -> Bool

    enum Shape: Sendable {
        case scalar, scalars
        case section([KeyPathText])
        case sections([KeyPathText])
    }
}

/// A key by its dotted path; `streams[].url` for the members of a list.
package struct KeyPathText: Sendable, Hashable {
    package let path: String
    /// A single value outside of lists: what environment and flags may set.
    package let isScalar: Bool
}

extension ConfigurationSection {
    package func faults() -> [Fault] { [] }

    /// Reads every key that is there and leaves its default to every other. With a `ProblemList` in the decoder's
    /// `userInfo` the problems are collected there, else the first one is thrown.
    package init(from decoder: any Decoder) throws {
        self.init()
        let collected = ProblemList.given(to: decoder)
        let problems = collected ?? ProblemList()
        let path = decoder.codingPath
        if let members = try? decoder.container(keyedBy: AnyKey.self) {
            let known = Dictionary(uniqueKeysWithValues: Self.fields.map { ($0.key, $0) })
            for key in members.allKeys {
                if let field = known[key.stringValue] {
                    try field.read(&self, members.superDecoder(forKey: key), problems)
                } else {
                    problems.addUnknown(path + [key], siblings: Self.fields.map(\.key))
                }
            }
        } else {
            problems.add(path, "must hold keys with values: \(Self.fields.map(\.key).joined(separator: ", "))")
        }
        for fault in faults() {
            // A value that was refused left the default in its place; to judge that helps nobody.
            let key = path + [AnyKey(fault.key)]
            if !problems.contains(key) { problems.add(key, fault.text) }
        }
        if collected == nil, let first = problems.found.first {
            throw DecodingError.dataCorrupted(.init(codingPath: path, debugDescription: "\(first.path): \(first.text)"))
        }
    }

    /// Secrets in addresses of streams are left out: what is written is for people.
    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: AnyKey.self)
        for field in Self.fields { try field.write(self, members.superEncoder(forKey: AnyKey(field.key))) }
    }

    /// Every key of this section and of those below it.
    static var keyPaths: [KeyPathText] {
        fields.flatMap { field in
            switch field.shape {
            case .scalar: [KeyPathText(path: field.key, isScalar: true)]
            case .scalars: [KeyPathText(path: field.key, isScalar: false)]
            case .section(let below):
                below.map { KeyPathText(path: "\(field.key).\($0.path)", isScalar: $0.isScalar) }
            case .sections(let below):
                below.map { KeyPathText(path: "\(field.key)[].\($0.path)", isScalar: false) }
            }
        }
    }

    /// All values as text, by path.
    var listed: [(path: String, text: String)] {
        Self.fields.flatMap { field in field.list(self).map { (field.key + $0.path, $0.text) } }
    }
}

extension Field where Root: ConfigurationSection {
    static func value<Value: Equatable>(
        _ key: String, _ property: any WritableKeyPath<Root, Value> & Sendable, _ form: Form<Value>
    ) -> Field {
        Field(
            key: key, shape: .scalar,
            read: { root, decoder, problems in
                if let value = form.read(decoder, problems) { root[keyPath: property] = value }
            },
            write: { try form.write($0[keyPath: property], to: $1) },
            list: { [("", form.show($0[keyPath: property]))] },
            isEqual: { $0[keyPath: property] == $1[keyPath: property] })
    }

    static func values<Value: Equatable>(
        _ key: String, _ property: any WritableKeyPath<Root, [Value]> & Sendable, _ form: Form<Value>
    ) -> Field {
        Field(
            key: key, shape: .scalars,
            read: { root, decoder, problems in
                guard let members = problems.members(of: decoder, "must be a list of \(form.allowed)") else { return }
                root[keyPath: property] = members.compactMap { form.read($0, problems) }
            },
            write: { root, encoder in
                var members = encoder.unkeyedContainer()
                for value in root[keyPath: property] { try form.write(value, to: members.superEncoder()) }
            },
            list: { root in
                [("", "[" + root[keyPath: property].map(form.show).joined(separator: ", ") + "]")]
            },
            isEqual: { $0[keyPath: property] == $1[keyPath: property] })
    }

    static func section<Below: ConfigurationSection>(
        _ key: String, _ property: any WritableKeyPath<Root, Below> & Sendable
    ) -> Field {
        Field(
            key: key, shape: .section(Below.keyPaths),
            read: { root, decoder, _ in
                // All keys commented out leaves a null: the defaults.
                if !decoder.isNull { root[keyPath: property] = try Below(from: decoder) }
            },
            write: { try $0[keyPath: property].encode(to: $1) },
            list: { $0[keyPath: property].listed.map { ("." + $0.path, $0.text) } },
            isEqual: { $0[keyPath: property] == $1[keyPath: property] })
    }

    static func sections<Below: ConfigurationSection>(
        _ key: String, _ property: any WritableKeyPath<Root, [Below]> & Sendable
    ) -> Field {
        Field(
            key: key, shape: .sections(Below.keyPaths),
            read: { root, decoder, problems in
                guard let members = problems.members(of: decoder, "must be a list, each member beginning with '-'")
                else { return }
                root[keyPath: property] = try members.map(Below.init(from:))
            },
            write: { root, encoder in
                var members = encoder.unkeyedContainer()
                for member in root[keyPath: property] { try member.encode(to: members.superEncoder()) }
            },
            list: { root in
                root[keyPath: property].enumerated().flatMap { place, member in
                    member.listed.map { ("[\(place)].\($0.path)", $0.text) }
                }
            },
            isEqual: { $0[keyPath: property] == $1[keyPath: property] })
    }
}

struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}
