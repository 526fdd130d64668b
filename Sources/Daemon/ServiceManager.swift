// Tells systemd how the daemon is: sd_notify(3) without its library, one datagram a message.

import Dispatch
import Foundation
import Glibc

/// Speaks to the socket that `NOTIFY_SOCKET` names; without one every call does nothing.
package final class ServiceManager: Sendable {
    private let address: [UInt8]?
    /// Half of what systemd waits for before it takes the daemon for dead; nil where it does not watch.
    package let watchdogPeriod: Duration?

    /// - Parameter environment: `NOTIFY_SOCKET` is a path, or an abstract name after `@`; `WATCHDOG_USEC` counts only
    ///   for the process that `WATCHDOG_PID` names.
    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        let name = environment["NOTIFY_SOCKET"].map { Array($0.utf8) } ?? []
        address = name.first == UInt8(ascii: "/") || name.first == UInt8(ascii: "@") ? name : nil
        let isOurs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init)
        watchdogPeriod = isOurs ? microseconds.map { .microseconds($0 / 2) } : nil
    }

    /// READY=1, after start and at the end of a reload.
    package func ready(_ status: String) { send("READY=1\nSTATUS=\(oneLine(status))") }

    package func status(_ text: String) { send("STATUS=\(oneLine(text))") }

    package func watchdog() { send("WATCHDOG=1") }

    package func stopping() { send("STOPPING=1\nSTATUS=stopping: running jobs write their checkpoints") }

    /// systemd wants the monotonic time with it, so that it can tell this reload from an earlier one.
    package func reloading() {
        send("RELOADING=1\nMONOTONIC_USEC=\(DispatchTime.now().uptimeNanoseconds / 1000)")
    }

    private func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    /// A message that cannot be delivered is lost: the daemon works without a service manager.
    private func send(_ message: String) {
        guard var name = address else { return }
        var socketAddress = sockaddr_un()
        guard name.count < MemoryLayout.size(ofValue: socketAddress.sun_path) else { return }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        socketAddress.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &socketAddress.sun_path) { $0.copyBytes(from: name) }
        // The path's NUL does not count for an abstract name.
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(message.utf8)
        _ = withUnsafePointer(to: &socketAddress) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
