// What `emotiond jobs` speaks: HTTP/1.1 over the daemon's Unix socket, one request a connection.

import Foundation
import Glibc

package enum ControlError: Error, CustomStringConvertible, Equatable {
    /// Nobody listens at the socket.
    case unreachable(path: String, reason: String)
    case answer(status: Int, message: String)
    case malformed(path: String)

    package var description: String {
        switch self {
        case .unreachable(let path, let reason): "\(path): no daemon answers there (\(reason))"
        case .answer(_, let message): message
        case .malformed(let path): "\(path): the daemon's answer is not HTTP; is it another program's socket?"
        }
    }
}

/// Blocking, for a command that does nothing else.
package struct ControlClient {
    package let socketPath: String

    package init(socketPath: String) { self.socketPath = socketPath }

    /// The body of a 2xx answer.
    package func send(_ method: String, _ target: String, body: [UInt8] = []) throws(ControlError) -> [UInt8] {
        let descriptor = try connected()
        defer { close(descriptor) }
        let head =
            "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
        try write(Array(head.utf8) + body, to: descriptor)
        guard let answer = Answer(try readAll(descriptor)) else { throw .malformed(path: socketPath) }
        guard (200..<300).contains(answer.status) else {
            throw .answer(status: answer.status, message: answer.message)
        }
        return answer.body
    }

    private func connected() throws(ControlError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(socketPath.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .unreachable(path: socketPath, reason: "the path is longer than a socket's may be")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw unreachable(errno) }
        // A daemon that hangs must not hang the command.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            close(descriptor)
            throw unreachable(code)
        }
        return descriptor
    }

    private func unreachable(_ code: Int32) -> ControlError {
        .unreachable(path: socketPath, reason: String(cString: strerror(code)))
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(ControlError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw unreachable(errno) }
            sent += count
        }
    }

    private func readAll(_ descriptor: Int32) throws(ControlError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreachable(errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }
}

/// An answer that ended with the connection.
private struct Answer {
    let status: Int
    let body: [UInt8]

    init?(_ bytes: [UInt8]) {
        let end = Array("\r\n\r\n".utf8)
        guard let split = bytes.firstRange(of: end) else { return nil }
        let head = String(decoding: bytes[..<split.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = head[0].split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { return nil }
        self.status = status
        let isChunked = head.contains { $0.lowercased().replacing(" ", with: "") == "transfer-encoding:chunked" }
        guard let body = isChunked ? Self.joined(bytes[split.upperBound...]) : Array(bytes[split.upperBound...]) else {
            return nil
        }
        self.body = body
    }

    /// The message of an error answer: `{"error":{"message":…}}`, or the text as it is.
    var message: String {
        struct Wrapped: Decodable {
            struct Inner: Decodable { let message: String }
            let error: Inner
        }
        if let wrapped = try? JSONDecoder().decode(Wrapped.self, from: Data(body)) { return wrapped.error.message }
        return "the daemon answered \(status): \(String(decoding: body.prefix(500), as: UTF8.self))"
    }

    /// RFC 9112, 7.1: chunks of a hexadecimal length each, until one of length zero.
    private static func joined(_ chunks: ArraySlice<UInt8>) -> [UInt8]? {
        var rest = chunks
        var body: [UInt8] = []
        while let lineEnd = rest.firstRange(of: Array("\r\n".utf8)) {
            let digits = String(decoding: rest[..<lineEnd.lowerBound], as: UTF8.self).prefix { $0.isHexDigit }
            guard let length = Int(digits, radix: 16), length >= 0 else { return nil }
            if length == 0 { return body }
            let start = lineEnd.upperBound
            guard rest.endIndex - start >= length else { return nil }
            body += rest[start..<(start + length)]
            rest = rest[(start + length)...].dropFirst(2)
        }
        return nil
    }
}
