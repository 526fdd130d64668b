// A file being written. Timeline's text ends here.

import Glibc

/// Buffered; used by one thread at a time. After a failure every further write fails alike, so that an error cannot
/// be lost between the writer that met it and the one who asks at the end.
package final class FileSink {
    package let path: [UInt8]
    /// Bytes taken so far, written or in the buffer.
    package private(set) var count: Int64 = 0
    private var descriptor: Int32?
    private var buffer: [UInt8] = []
    private var failure: ResultsError?
    private static let capacity = 1 << 16

    /// Takes over a descriptor that is open for writing, and closes it.
    /// - Parameter count: bytes that stand before the place where it writes.
    package init(adopting descriptor: Int32, path: [UInt8], count: Int64 = 0) {
        self.descriptor = descriptor
        self.path = path
        self.count = count
        buffer.reserveCapacity(Self.capacity)
    }

    deinit {
        // Not flushed: whoever wants the bytes closes the sink and learns whether they arrived.
        if let descriptor { Glibc.close(descriptor) }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(ResultsError) {
        if let failure { throw failure }
        guard descriptor != nil else { throw fail(EBADF) }
        count += Int64(bytes.count)
        if buffer.count + bytes.count > Self.capacity { try flush() }
        if bytes.count > Self.capacity {
            try writeAll(bytes)
        } else {
            buffer.append(contentsOf: bytes)
        }
    }

    package func write(_ bytes: [UInt8]) throws(ResultsError) {
        // Array.withUnsafeBytes rethrows any Error; a Result carries the type through.
        let outcome = bytes.withUnsafeBytes { raw in
            Result { () throws(ResultsError) in try write(raw) }
        }
        try outcome.get()
    }

    /// Hands everything to the kernel; not to the disk, which is the publish's business.
    package func flush() throws(ResultsError) {
        if let failure { throw failure }
        let outcome = buffer.withUnsafeBytes { raw in
            Result { () throws(ResultsError) in try writeAll(raw) }
        }
        buffer.removeAll(keepingCapacity: true)
        try outcome.get()
    }

    /// Everything taken so far is on the disk when this returns.
    package func sync() throws(ResultsError) {
        try flush()
        guard let descriptor else { throw fail(EBADF) }
        while fsync(descriptor) < 0 { if errno != EINTR { throw fail(errno) } }
    }

    /// Flushes and closes. Network file systems may tell only now that the disk is full.
    package func close() throws(ResultsError) {
        try flush()
        guard let descriptor else { return }
        self.descriptor = nil
        if Glibc.close(descriptor) < 0, errno != EINTR { throw fail(errno) }
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(ResultsError) {
        guard let descriptor else { return }  // closed, and so flushed
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                throw fail(errno)
            }
        }
    }

    private func fail(_ code: Int32) -> ResultsError {
        let error = ResultsError.writing("write", path, code)
        failure = error
        return error
    }
}
