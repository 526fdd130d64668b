// Paths as the kernel knows them: bytes without NUL. They are text for people only, in messages and in JSON.

import Foundation

package enum PathBytes {
    static let slash = UInt8(ascii: "/")
    static let dot = UInt8(ascii: ".")

    /// `folder/name`; an absolute `name` is not treated apart, so that the result stays below `folder`.
    package static func join(_ folder: [UInt8], _ name: [UInt8]) -> [UInt8] {
        if folder.isEmpty { return name }
        return folder.last == slash ? folder + name : folder + [slash] + name
    }

    package static func components(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: slash).map(Array.init)
    }

    /// What stands behind the last slash, trailing slashes aside; nil for an empty path and for `/`.
    package static func lastComponent(_ path: [UInt8]) -> [UInt8]? { components(path).last }

    package static func isUTF8(_ path: [UInt8]) -> Bool { String(validating: path, as: UTF8.self) != nil }

    /// For JSON and the log: bytes that are no UTF-8 become U+FFFD.
    package static func lossy(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }

    /// The exact bytes for JSON where `lossy` would lose them.
    package static func base64IfNeeded(_ path: [UInt8]) -> String? {
        isUTF8(path) ? nil : Data(path).base64EncodedString()
    }

    /// For one line of a message: as `lossy`, in quotes, control characters escaped.
    package static func shown(_ path: [UInt8]) -> String {
        var text = "'"
        for scalar in lossy(path).unicodeScalars {
            if scalar.properties.generalCategory == .control {
                text += scalar.escaped(asASCII: true)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text + "'"
    }

    /// At most `limit` bytes of `name`, without cutting a UTF-8 character in two.
    package static func cut(_ name: [UInt8], to limit: Int) -> [UInt8] {
        guard name.count > limit else { return name }
        var end = max(limit, 0)
        // A character has three continuation bytes at most; more of them in a row are no UTF-8, and then any cut is good.
        for _ in 0..<3 where end > 0 && name[end] & 0xC0 == 0x80 { end -= 1 }
        if end > 0, name[end] & 0xC0 == 0x80 { end = max(limit, 0) }
        return Array(name[..<end])
    }

    /// The path as a C string. A NUL would silently name another file: callers refuse such paths before.
    static func withCString<Value>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Value) -> Value {
        (path + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { chars in
                chars.baseAddress.map(body) ?? "".withCString(body)
            }
        }
    }
}
