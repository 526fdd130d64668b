// A client that speaks HTTP over a plain socket, so that tests can send what no library would, and see what came.

import Foundation
import Glibc
import Web

struct Answer: Sendable {
    var status = 0
    var headers: [String: String] = [:]
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }
    func header(_ name: String) -> String? { headers[name.lowercased()] }

    /// The sentence of an error.
    var message: String? {
        struct Refusal: Decodable {
            struct Inner: Decodable { let message: String }
            let error: Inner
        }
        return try? JSONDecoder().decode(Refusal.self, from: Data(body)).error.message
    }

    func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(body))
    }
}

struct ClientFailure: Error {
    let text: String
}

/// One connection. Calls block, with a limit of ten seconds each; tests run them away from Swift's pool by `Client.ask`.
final class Connection: Sendable {
    let descriptor: Int32

    init(_ address: ListenAddress) throws {
        switch address {
        case .tcp(_, let port):
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = in_port_t(port).bigEndian
            name.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            try Self.connect(descriptor, &name)
        case .unix(let path):
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path) }
            try Self.connect(descriptor, &name)
        }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    private static func connect<Name>(_ descriptor: Int32, _ name: inout Name) throws {
        let size = socklen_t(MemoryLayout<Name>.size)
        let result = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, size) }
        }
        guard result == 0 else { throw ClientFailure(text: "connect: \(String(cString: strerror(errno)))") }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor, buffer.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw ClientFailure(text: "send: \(String(cString: strerror(errno)))") }
            sent += count
        }
    }

    func closeSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Empty at the end of the connection.
    func receive() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw ClientFailure(text: "receive: \(String(cString: strerror(errno)))") }
        return Array(buffer.prefix(count))
    }

    /// All that comes until `isEnough`, or the end of the connection.
    func receive(until isEnough: (String) -> Bool) throws -> String {
        var all: [UInt8] = []
        while !isEnough(String(decoding: all, as: UTF8.self)) {
            let more = try receive()
            if more.isEmpty { break }
            all += more
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// The answer to a request that said `Connection: close`.
    func answer() throws -> Answer {
        var all: [UInt8] = []
        while true {
            let more = try receive()
            if more.isEmpty { break }
            all += more
        }
        return try Self.parse(all)
    }

    private static func parse(_ bytes: [UInt8]) throws -> Answer {
        let text = bytes.firstRange(of: Array("\r\n\r\n".utf8))
        guard let end = text else { throw ClientFailure(text: "no answer: \(String(decoding: bytes, as: UTF8.self))") }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var answer = Answer()
        answer.status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            answer.headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        answer.body = Array(bytes[end.upperBound...])
        return answer
    }
}

struct Client: Sendable {
    let address: ListenAddress
    var token: String?
    var host: String

    init(_ address: ListenAddress, token: String? = nil) {
        self.address = address
        self.token = token
        if case .tcp(_, let port) = address { host = "127.0.0.1:\(port)" } else { host = "localhost" }
    }

    func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
        try await ask("GET", path, headers)
    }

    func ask(
        _ method: String, _ path: String, _ headers: [String: String] = [:], body: [UInt8] = []
    ) async throws -> Answer {
        var lines = ["\(method) \(path) HTTP/1.1", "Connection: close"]
        var all = headers
        if all["Host"] == nil { all["Host"] = host }
        if let token, all["Authorization"] == nil { all["Authorization"] = "Bearer \(token)" }
        if method != "GET", method != "HEAD", all["Content-Length"] == nil { all["Content-Length"] = "\(body.count)" }
        lines += all.map { "\($0.key): \($0.value)" }
        let request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
        let address = address
        return try await blocking {
            let connection = try Connection(address)
            // The server may have said no before all has been sent.
            try? connection.send(request)
            return try connection.answer()
        }
    }
}

/// Runs a call that waits on a thread of its own.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
