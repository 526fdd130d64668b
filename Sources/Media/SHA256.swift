// SHA-256 by libavutil: the identity of inputs and settings.

import CFFmpeg
import CFFmpegShims
import Glibc

/// Used by one thread at a time.
package final class SHA256 {
    private let state: OpaquePointer

    package init() throws(MediaError) {
        guard let state = av_sha_alloc() else { throw .outOfMemory(whatFor: "a hash") }
        self.state = state
        av_sha_init(state, 256)
    }

    deinit { av_free(UnsafeMutableRawPointer(state)) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        av_sha_update(state, base.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    /// 64 hexadecimal digits. Nothing may be added afterwards.
    package consuming func hexDigest() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        av_sha_final(state, &digest)
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

package func sha256(of bytes: [UInt8]) throws(MediaError) -> String {
    let hash = try SHA256()
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.hexDigest()
}

/// Hash and size of a regular file, read in blocks of 1 MiB.
package func sha256(
    ofFile path: [UInt8], isCancelled: @Sendable () -> Bool = { false }
) throws(MediaError) -> (hex: String, bytes: Int64) {
    let (descriptor, _) = try openRegularFile(path)
    defer { close(descriptor) }
    let hash = try SHA256()
    var block = [UInt8](repeating: 0, count: 1 << 20)
    var total: Int64 = 0
    while true {
        if isCancelled() { throw .cancelled }
        let got = block.withUnsafeMutableBytes { buffer -> Int in
            let got = read(descriptor, buffer.baseAddress, buffer.count)
            if got > 0 { hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<got])) }
            return got
        }
        if got == 0 { return (hash.hexDigest(), total) }
        if got < 0, errno == EINTR { continue }
        if got < 0 { throw .readFailed(path: displayName(ofPath: path), code: cff_error_of_errno(errno)) }
        total += Int64(got)
    }
}
