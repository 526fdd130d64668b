// An errno, and the calls that the C library's Swift module does not show.

internal import Glibc

/// `IntakeError` is made from it where it is known what was being done.
struct SystemError: Error, Hashable {
    let code: Int32

    var text: String { Self.text(code) }

    static func text(_ code: Int32) -> String {
        guard let message = strerror(code) else { return "error \(code)" }
        return String(cString: message)
    }

    /// Runs a call that returns -1 and sets errno; interrupted calls are made again.
    @discardableResult
    static func check(_ call: () -> Int32) throws(SystemError) -> Int32 {
        while true {
            let value = call()
            if value >= 0 { return value }
            let code = errno
            if code != EINTR { throw SystemError(code: code) }
        }
    }

    /// As above for a call that takes a path. A NUL would silently name another file.
    @discardableResult
    static func check(_ path: [UInt8], _ call: (UnsafePointer<CChar>) -> Int32) throws(SystemError) -> Int32 {
        guard !path.contains(0) else { throw SystemError(code: EINVAL) }
        let outcome = withCString(path) { chars in
            Result { () throws(SystemError) in try check { call(chars) } }
        }
        return try outcome.get()
    }

    static func withCString<Value>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Value) -> Value {
        (path + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { chars in
                chars.baseAddress.map(body) ?? "".withCString(body)
            }
        }
    }
}

/// Functions of glibc that Swift's module hides: renameat2 behind _GNU_SOURCE, statfs and the lease commands because
/// their headers are not part of it. The functions are looked up by name.
enum HiddenCalls {
    private typealias RenameAt2 =
        @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    private typealias StatFS = @convention(c) (UnsafePointer<CChar>, UnsafeMutableRawPointer) -> Int32

    static let setSignal: Int32 = 10  // F_SETSIG
    static let setLease: Int32 = 1024  // F_SETLEASE
    private static let noReplace: UInt32 = 1

    /// Fails with EEXIST where `new` is taken, and with EINVAL or ENOSYS where the file system cannot promise that.
    static func renameToFree(
        _ old: UnsafePointer<CChar>, in source: Int32, _ new: UnsafePointer<CChar>, in destination: Int32
    ) -> Int32 {
        guard let symbol = dlsym(nil, "renameat2") else {
            errno = ENOSYS
            return -1
        }
        return unsafeBitCast(symbol, to: RenameAt2.self)(source, old, destination, new, noReplace)
    }

    /// The number that names the kind of a file system; nil where it cannot be asked.
    static func fileSystemMagic(_ path: [UInt8]) -> Int64? {
        guard let symbol = dlsym(nil, "statfs") else { return nil }
        let call = unsafeBitCast(symbol, to: StatFS.self)
        // struct statfs opens with f_type, a long; all of it is 120 bytes on 64-bit Linux.
        return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 16) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let outcome = Result { () throws(SystemError) in try SystemError.check(path) { call($0, start) } }
            guard case .success = outcome else { return nil }
            return Int64(buffer.load(as: Int.self)) & 0xFFFF_FFFF
        }
    }
}
