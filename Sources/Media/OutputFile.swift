// A file as FFmpeg writes it: through our own descriptor, so that any name works and the errno of a full disk is kept.

import CFFmpeg
import CFFmpegShims
import Glibc

/// Used by one thread at a time. `io` is valid as long as the object lives.
final class OutputFile {
    let name: String
    /// errno of the first write that failed.
    private(set) var failure: Int32 = 0
    private(set) var io: UnsafeMutablePointer<AVIOContext>?
    private let descriptor: Int32
    private let path: [CChar]

    private static let bufferBytes = 256 << 10

    /// Makes the file, or empties the one that is there.
    init(path: [UInt8]) throws(MediaError) {
        name = displayName(ofPath: path)
        self.path = cString(path)
        descriptor = open(self.path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0o666)
        guard descriptor >= 0 else {
            if errno == ENOSPC || errno == EDQUOT { throw .noSpace(path: name) }
            throw .cannotCreate(path: name, code: cff_error_of_errno(errno))
        }
        guard let buffer = av_malloc(Self.bufferBytes) else { throw .outOfMemory(whatFor: "a write buffer") }
        io = avio_alloc_context(
            buffer.assumingMemoryBound(to: UInt8.self), Int32(Self.bufferBytes), 1,
            Unmanaged.passUnretained(self).toOpaque(), nil,
            { file, bytes, count in OutputFile.from(file)?.write(bytes, count: count) ?? cff_error_exit() },
            { file, offset, whence in OutputFile.from(file)?.seek(to: offset, whence: whence) ?? -1 })
        guard io != nil else {
            av_free(buffer)
            throw .outOfMemory(whatFor: "a write buffer")
        }
    }

    deinit {
        if let io {
            av_free(io.pointee.buffer)
            avio_context_free(&self.io)
        }
        close(descriptor)
    }

    static func from(_ opaque: UnsafeMutableRawPointer?) -> OutputFile? {
        opaque.map { Unmanaged<OutputFile>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Empties it again, for another try.
    func rewind() {
        io.map { avio_flush($0) }
        _ = io.map { avio_seek($0, 0, SEEK_SET) }
        if ftruncate(descriptor, 0) != 0 { failure = errno }
    }

    /// Takes the name away, where it is a file's: a device that was named as output stays.
    func remove() {
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG { unlink(path) }
    }

    /// What a failed call of FFmpeg on this file means.
    func error(_ code: Int32) -> MediaError {
        let number = failure != 0 ? failure : cff_errno_of_error(code)
        // EFBIG is the limit on file sizes of the process or the file system.
        if [ENOSPC, EDQUOT, EFBIG].contains(number) { return .noSpace(path: name) }
        return .writeFailed(path: name, code: failure != 0 ? cff_error_of_errno(failure) : code)
    }

    /// A second look at the same file, for `+faststart`, which moves what is written.
    func openReader() -> UnsafeMutablePointer<AVIOContext>? {
        let source = Unmanaged.passRetained(ReadBack(descriptor: descriptor))
        guard let buffer = av_malloc(Self.bufferBytes) else {
            source.release()
            return nil
        }
        let io = avio_alloc_context(
            buffer.assumingMemoryBound(to: UInt8.self), Int32(Self.bufferBytes), 0, source.toOpaque(),
            { source, target, count in ReadBack.from(source)?.read(into: target, count: count) ?? cff_error_exit() },
            nil,
            { source, offset, whence in ReadBack.from(source)?.seek(to: offset, whence: whence) ?? -1 })
        if io == nil {
            av_free(buffer)
            source.release()
        }
        return io
    }

    static func closeReader(_ io: UnsafeMutablePointer<AVIOContext>) {
        if let source = io.pointee.opaque { Unmanaged<ReadBack>.fromOpaque(source).release() }
        av_free(io.pointee.buffer)
        var closing: UnsafeMutablePointer<AVIOContext>? = io
        avio_context_free(&closing)
    }

    private func write(_ bytes: UnsafeMutablePointer<UInt8>?, count: Int32) -> Int32 {
        var written = 0
        while written < Int(count), let bytes {
            let now = Glibc.write(descriptor, bytes + written, Int(count) - written)
            if now >= 0 {
                written += now
            } else if errno != EINTR {
                if failure == 0 { failure = errno }
                return cff_error_of_errno(errno)
            }
        }
        return count
    }

    private func seek(to offset: Int64, whence: Int32) -> Int64 {
        if whence & AVSEEK_SIZE != 0 {
            var status = stat()
            return fstat(descriptor, &status) == 0 ? Int64(status.st_size) : -1
        }
        let position = lseek(descriptor, off_t(offset), whence & 3)
        return position >= 0 ? Int64(position) : Int64(cff_error_of_errno(errno))
    }

    /// Reads at its own place, so that the writer's is not moved. The descriptor outlives it.
    private final class ReadBack {
        let descriptor: Int32
        var position = 0

        init(descriptor: Int32) { self.descriptor = descriptor }

        static func from(_ opaque: UnsafeMutableRawPointer?) -> ReadBack? {
            opaque.map { Unmanaged<ReadBack>.fromOpaque($0).takeUnretainedValue() }
        }

        func read(into target: UnsafeMutablePointer<UInt8>?, count: Int32) -> Int32 {
            let got = pread(descriptor, target, Int(count), off_t(position))
            if got < 0 { return cff_error_of_errno(errno) }
            position += got
            return got == 0 ? cff_error_eof() : Int32(got)
        }

        func seek(to offset: Int64, whence: Int32) -> Int64 {
            guard whence & ~AVSEEK_FORCE == SEEK_SET else { return Int64(cff_error_of_errno(EINVAL)) }
            position = Int(offset)
            return offset
        }
    }
}
