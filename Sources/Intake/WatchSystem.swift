// The calls of inotify(7) that a watch makes, so that tests can let them fail or overflow.

internal import Glibc

package struct WatchSystem: Sendable {
    /// inotify_init1, inotify_add_watch and read; they return -1 and set errno as the calls do.
    package var open: @Sendable () -> Int32
    package var add: @Sendable (_ inotify: Int32, _ path: UnsafePointer<CChar>, _ mask: UInt32) -> Int32
    package var read: @Sendable (_ inotify: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int
    /// The present value of a sysctl, for messages.
    package var setting: @Sendable (_ name: String) -> String?

    package static let linux = WatchSystem(
        open: { inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)) },
        add: { inotify_add_watch($0, $1, $2) },
        read: { Glibc.read($0, $1.baseAddress, $1.count) },
        setting: { name in
            let steps = (["sys"] + name.split(separator: ".").map(String.init)).map { Array($0.utf8) }
            guard let folder = try? OpenFolder(at: Array("/proc".utf8)).descend(steps.dropLast()),
                let last = steps.last, let file = try? folder.openFile(last)
            else { return nil }
            var bytes = [UInt8](repeating: 0, count: 64)
            let outcome = bytes.withUnsafeMutableBytes { buffer in
                Result { () throws(SystemError) in try file.read(into: buffer) }
            }
            guard case .success(let count) = outcome else { return nil }
            return String(decoding: bytes[..<count].prefix { $0 > 32 }, as: UTF8.self)
        })
}

/// One event as the kernel wrote it.
struct WatchEvent {
    let number: Int32
    let mask: UInt32
    let name: [UInt8]

    func has(_ flag: some BinaryInteger) -> Bool { mask & UInt32(truncatingIfNeeded: flag) != 0 }

    /// A sub-folder is meant.
    var isFolder: Bool { has(IN_ISDIR) }

    /// `inotify_event` is 16 bytes (wd, mask, cookie, len), then `len` bytes of name, filled up with NUL.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> [WatchEvent] {
        var events: [WatchEvent] = []
        var rest = bytes
        while rest.count >= 16 {
            let nameCount = Int(rest.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
            guard rest.count >= 16 + nameCount else { break }
            events.append(
                WatchEvent(
                    number: rest.loadUnaligned(as: Int32.self),
                    mask: rest.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                    name: Array(rest[16..<(16 + nameCount)].prefix { $0 != 0 })))
            rest = UnsafeRawBufferPointer(rebasing: rest[(16 + nameCount)...])
        }
        return events
    }
}
