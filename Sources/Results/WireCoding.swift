// How the job protocol writes its members: flat objects whose names are known where they are used, and paths of any
// bytes as in run.json, text for people with the exact bytes beside it where text would lose them.

import Foundation

/// A member's name; the protocol's objects have different members by kind, so no enum lists them.
struct WireKey: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
    init(stringLiteral value: String) { stringValue = value }
}

extension KeyedEncodingContainer<WireKey> {
    mutating func encodePath(_ path: [UInt8], forKey key: WireKey) throws {
        try encode(PathBytes.lossy(path), forKey: key)
        try encodeIfPresent(PathBytes.base64IfNeeded(path), forKey: key.base64)
    }

    mutating func encodePathIfPresent(_ path: [UInt8]?, forKey key: WireKey) throws {
        if let path { try encodePath(path, forKey: key) }
    }

    /// JSON has no infinity and no NaN: such a number is left out.
    mutating func encodeIfFinite(_ number: Double?, forKey key: WireKey) throws {
        if let number, number.isFinite { try encode(number, forKey: key) }
    }
}

extension KeyedDecodingContainer<WireKey> {
    func decodePath(forKey key: WireKey) throws -> [UInt8] {
        let text = try decode(String.self, forKey: key)
        guard let coded = try decodeIfPresent(String.self, forKey: key.base64) else { return Array(text.utf8) }
        guard let data = Data(base64Encoded: coded) else {
            throw DecodingError.dataCorruptedError(
                forKey: key.base64, in: self, debugDescription: "\(key.base64.stringValue) is no base64")
        }
        return [UInt8](data)
    }

    func decodePathIfPresent(forKey key: WireKey) throws -> [UInt8]? {
        contains(key) ? try decodePath(forKey: key) : nil
    }

    /// The member, or what it is where nobody says otherwise.
    func decode<Value: Decodable>(forKey key: WireKey, or usual: Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? usual
    }
}

extension WireKey {
    fileprivate var base64: WireKey { WireKey(stringValue: stringValue + "_base64") }
}
