// One way of writing JSON for the whole API: keys in snake_case, sorted, so that equal values give equal bytes.

package import Foundation

package enum JSON {
    static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A number that JSON cannot hold must not cost the whole answer.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    package static func encode(_ value: some Encodable) throws -> Data { try encoder().encode(value) }
}
