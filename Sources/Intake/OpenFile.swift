// An open file: reading and writing all of it.

internal import Glibc

final class OpenFile {
    let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    func entry() throws(SystemError) -> FileEntry { try FileEntry(descriptor: descriptor) }

    /// Fills the buffer from where the last read ended; fewer bytes only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = Glibc.read(descriptor, rest.baseAddress, rest.count)
            let code = errno
            if count < 0, code == EINTR { continue }
            if count < 0 { throw SystemError(code: code) }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            let code = errno
            if count < 0, code == EINTR { continue }
            if count < 0 { throw SystemError(code: code) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    func write(_ bytes: [UInt8]) throws(SystemError) {
        let outcome = bytes.withUnsafeBytes { raw in Result { () throws(SystemError) in try write(raw) } }
        try outcome.get()
    }

    func sync() throws(SystemError) { try SystemError.check { fsync(descriptor) } }
}
