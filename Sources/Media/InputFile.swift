// A local file as FFmpeg reads it: through our own descriptor, so that its name is never taken for a URL, a pattern
// or a protocol, and so that nothing but a regular file is ever read.

import CFFmpeg
import CFFmpegShims
import Glibc

/// Used by one thread at a time. `io` is valid as long as the object lives.
final class InputFile {
    let name: String
    let bytes: Int64
    let isCancelled: @Sendable () -> Bool
    /// errno of the first read or seek that failed; FFmpeg passes such errors on, but not always.
    private(set) var failure: Int32 = 0
    private(set) var io: UnsafeMutablePointer<AVIOContext>?
    private let descriptor: Int32

    private static let bufferBytes = 64 << 10

    init(path: [UInt8], isCancelled: @escaping @Sendable () -> Bool) throws(MediaError) {
        name = displayName(ofPath: path)
        self.isCancelled = isCancelled
        (descriptor, bytes) = try openRegularFile(path)
        guard let buffer = av_malloc(Self.bufferBytes) else {
            throw .outOfMemory(whatFor: "a read buffer")
        }
        io = avio_alloc_context(
            buffer.assumingMemoryBound(to: UInt8.self), Int32(Self.bufferBytes), 0,
            Unmanaged.passUnretained(self).toOpaque(),
            { file, target, count in InputFile.from(file)?.read(into: target, count: count) ?? cff_error_exit() },
            nil,
            { file, offset, whence in InputFile.from(file)?.seek(to: offset, whence: whence) ?? -1 })
        guard io != nil else {
            av_free(buffer)
            throw .outOfMemory(whatFor: "a read buffer")
        }
    }

    deinit {
        if let io {
            // FFmpeg may have exchanged the buffer for another one.
            av_free(io.pointee.buffer)
            avio_context_free(&self.io)
        }
        close(descriptor)
    }

    static func from(_ opaque: UnsafeMutableRawPointer?) -> InputFile? {
        opaque.map { Unmanaged<InputFile>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Bytes at a place, apart from FFmpeg's reading; fewer at the end of the file.
    func bytes(at offset: Int, count: Int) -> [UInt8] {
        guard offset >= 0, count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = max(pread(descriptor, buffer.baseAddress, count, off_t(offset)), 0)
        }
    }

    private func read(into target: UnsafeMutablePointer<UInt8>?, count: Int32) -> Int32 {
        if isCancelled() { return cff_error_exit() }
        while true {
            let got = Glibc.read(descriptor, target, Int(count))
            if got > 0 { return Int32(got) }
            if got == 0 { return cff_error_eof() }
            if errno == EINTR { continue }
            failure = errno
            return cff_error_of_errno(errno)
        }
    }

    private func seek(to offset: Int64, whence: Int32) -> Int64 {
        if whence & AVSEEK_SIZE != 0 { return bytes }
        // Callers may add AVSEEK_FORCE, which lseek does not know.
        let position = lseek(descriptor, off_t(offset), whence & 3)
        return position >= 0 ? Int64(position) : Int64(cff_error_of_errno(errno))
    }
}

/// Opens for reading, without waiting (a FIFO would) and without touching devices.
func openRegularFile(_ path: [UInt8]) throws(MediaError) -> (descriptor: Int32, bytes: Int64) {
    let name = displayName(ofPath: path)
    let cPath = cString(path)
    var status = stat()
    guard stat(cPath, &status) == 0 else { throw .noInput(path: name, reason: String(cString: strerror(errno))) }
    if let kind = otherKind(status.st_mode) { throw .noInput(path: name, reason: "is \(kind), not a file") }
    let descriptor = open(cPath, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw .noInput(path: name, reason: String(cString: strerror(errno))) }
    // Looked at again: the name may have been exchanged since.
    guard fstat(descriptor, &status) == 0, otherKind(status.st_mode) == nil else {
        close(descriptor)
        throw .noInput(path: name, reason: "is not a regular file")
    }
    return (descriptor, Int64(status.st_size))
}

/// What it is if not a regular file.
private func otherKind(_ mode: mode_t) -> String? {
    switch mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "a folder"
    case S_IFIFO: "a FIFO"
    case S_IFSOCK: "a socket"
    case S_IFCHR, S_IFBLK: "a device"
    default: "something else"
    }
}
