// One way of writing JSON for the whole API: keys in snake_case, sorted, so that equal values give equal bytes.

internal import Foundation

enum JSON {
    static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A number that JSON cannot hold must not cost the whole answer.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    static func encode(_ value: some Encodable) throws -> Data { try encoder().encode(value) }
}
