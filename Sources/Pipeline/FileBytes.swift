// Whole small files by their byte paths.

import Glibc
import Results

enum FileBytes {
    static func read(_ path: [UInt8], limit: Int, what: String) throws(PipelineError) -> [UInt8] {
        let shown = String(decoding: path, as: UTF8.self)
        let descriptor = (path + [0]).withUnsafeBytes { raw in
            raw.withMemoryRebound(to: CChar.self) { buffer in
                buffer.baseAddress.map { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) } ?? -1
            }
        }
        guard descriptor >= 0 else {
            throw PipelineError(
                .configuration, "\(shown): the \(what) cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw PipelineError(.configuration, "\(shown): the \(what) is no regular file")
        }
        guard status.st_size <= limit else {
            throw PipelineError(
                .configuration, "\(shown): \(status.st_size) bytes; the limit for the \(what) is \(limit)")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else {
                throw PipelineError(
                    .ioError, "\(shown): cannot be read to its end: \(String(cString: strerror(errno)))")
            }
            filled += got
        }
        return bytes
    }
}
