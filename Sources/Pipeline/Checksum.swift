// SHA-256 of bytes in memory, from Media, which has it from libavutil.

import Media

enum Checksum {
    /// Hex digits.
    static func hex(_ bytes: [UInt8]) -> String {
        do throws(MediaError) {
            return try sha256(of: bytes)
        } catch {
            preconditionFailure("the only failure is an allocation of a hundred bytes: \(error)")
        }
    }
}
