// File names are bytes, command lines are text. A name that is not UTF-8 travels through the argument parser
// with each offending byte as one private code point and becomes bytes again where it is used.

import Glibc

enum ArgumentBytes {
    /// U+10FF00 + byte: the last 256 code points of the last private plane.
    private static let escape: UInt32 = 0x10FF00

    /// The process's arguments, lossless; `CommandLine.arguments` would have repaired them.
    static func arguments() -> [String] {
        // Swift looks for them beside the environment, where they are not if a preloaded library has moved that.
        guard CommandLine.argc > 0 else { return kernelArguments() }
        return (1..<max(Int(CommandLine.argc), 1)).compactMap { index in
            CommandLine.unsafeArgv[index].map { text(of: Array(UnsafeBufferPointer(start: $0, count: length($0)))) }
        }
    }

    private static func kernelArguments() -> [String] {
        guard let file = fopen("/proc/self/cmdline", "re") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        // The program's own name first, a zero behind each.
        return bytes.split(separator: 0, omittingEmptySubsequences: false).dropFirst().dropLast()
            .map { text(of: Array($0)) }
    }

    private static func length(_ pointer: UnsafePointer<CChar>) -> Int {
        var count = 0
        while pointer[count] != 0 { count += 1 }
        return count
    }

    private static func text(of bytes: [CChar]) -> String {
        text(of: bytes.map { UInt8(bitPattern: $0) })
    }

    static func text(of bytes: [UInt8]) -> String {
        var text = String.UnicodeScalarView()
        var rest = bytes[...]
        while let first = rest.first {
            if let (scalar, length) = decode(rest), scalar.value < escape {
                text.append(scalar)
                rest = rest.dropFirst(length)
            } else {
                // A name that really holds one of these code points is escaped too, so no two names become one.
                if let scalar = Unicode.Scalar(escape + UInt32(first)) { text.append(scalar) }
                rest = rest.dropFirst()
            }
        }
        return String(text)
    }

    static func bytes(of text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.value >= escape {
                bytes.append(UInt8(scalar.value - escape))
            } else {
                bytes.append(contentsOf: String(Character(scalar)).utf8)
            }
        }
        return bytes
    }

    private static func decode(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int)? {
        guard let first = bytes.first else { return nil }
        let length =
            first < 0x80 ? 1 : first >> 5 == 0b110 ? 2 : first >> 4 == 0b1110 ? 3 : first >> 3 == 0b11110 ? 4 : 0
        guard length > 0, bytes.count >= length else { return nil }
        let sequence = bytes.prefix(length)
        guard let text = String(validating: sequence, as: UTF8.self),
            let scalar = text.unicodeScalars.first
        else { return nil }
        return (scalar, length)
    }
}
