import Foundation
import Glibc
import Testing

@testable import Daemon

/// A datagram socket that stands for systemd's.
private final class NotifySocket {
    let descriptor: Int32
    let name: [UInt8]

    init?(_ name: [UInt8]) {
        self.name = name
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        if bound != 0 { return nil }
    }

    deinit { close(descriptor) }

    func next() -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
    }
}

@Test func `what systemd is told arrives at a socket with a path`() throws {
    let path = NSTemporaryDirectory() + "notify-\(UUID().uuidString.prefix(8))"
    defer { unlink(path) }
    let socket = try #require(NotifySocket(Array(path.utf8)))
    let manager = ServiceManager(environment: ["NOTIFY_SOCKET": path])
    manager.ready("two\nlines")
    #expect(socket.next() == "READY=1\nSTATUS=two lines")
    manager.watchdog()
    #expect(socket.next() == "WATCHDOG=1")
    manager.reloading()
    let reloading = socket.next().split(separator: "\n")
    #expect(reloading.first == "RELOADING=1")
    #expect(reloading.last?.hasPrefix("MONOTONIC_USEC=") == true)
    manager.stopping()
    #expect(socket.next().hasPrefix("STOPPING=1"))
}

@Test func `an abstract name is understood`() throws {
    let name = "emotiond-test-\(UUID().uuidString)"
    let socket = try #require(NotifySocket([0] + Array(name.utf8)))
    ServiceManager(environment: ["NOTIFY_SOCKET": "@" + name]).ready("here")
    #expect(socket.next() == "READY=1\nSTATUS=here")
}

@Test func `without a socket or with an unusable one nothing happens`() {
    ServiceManager(environment: [:]).ready("")
    ServiceManager(environment: ["NOTIFY_SOCKET": "vsock:1:2"]).ready("")
    ServiceManager(environment: ["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)]).ready("")
}

@Test func `the watchdog is fed twice in its period, and only by the process that is watched`() {
    #expect(ServiceManager(environment: ["WATCHDOG_USEC": "60000000"]).watchdogPeriod == .seconds(30))
    let ours = ["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": String(getpid())]
    #expect(ServiceManager(environment: ours).watchdogPeriod == .seconds(1))
    #expect(ServiceManager(environment: ["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"]).watchdogPeriod == nil)
    #expect(ServiceManager(environment: [:]).watchdogPeriod == nil)
}
