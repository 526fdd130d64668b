// Intake pauses before the disk is full and goes on when there is room again. Pure, but for the question itself.

internal import Glibc

package struct DiskGate: Hashable, Sendable {
    package enum Change: Hashable, Sendable {
        case paused(available: UInt64)
        case resumed(available: UInt64)
    }

    /// Bytes. Between the two nothing changes, so that intake does not flutter.
    package let pauseBelow: UInt64
    package let resumeAbove: UInt64
    package private(set) var isOpen = true

    /// `resumeAbove` is at least `pauseBelow`; a lower one is raised to it.
    package init(pauseBelow: UInt64, resumeAbove: UInt64) {
        self.pauseBelow = pauseBelow
        self.resumeAbove = max(pauseBelow, resumeAbove)
    }

    /// Takes a measurement; the change, if it made one.
    package mutating func update(available: UInt64) -> Change? {
        if isOpen, available < pauseBelow {
            isOpen = false
            return .paused(available: available)
        }
        if !isOpen, available >= resumeAbove {
            isOpen = true
            return .resumed(available: available)
        }
        return nil
    }

    /// A write met a full disk (ENOSPC, a quota) whatever the measurement says.
    package mutating func close() { isOpen = false }

    /// The least room that an unprivileged process has on the file systems of these paths, in bytes.
    package static func available(
        at paths: [[UInt8]],
        measure: ([UInt8]) throws(IntakeError) -> UInt64 = { path throws(IntakeError) in
            try DiskGate.measure(path)
        }
    ) throws(IntakeError) -> UInt64 {
        var least = UInt64.max
        for path in paths { least = min(least, try measure(path)) }
        return least
    }

    package static func measure(_ path: [UInt8]) throws(IntakeError) -> UInt64 {
        var status = statvfs()
        do throws(SystemError) {
            try SystemError.check(path) { statvfs($0, &status) }
        } catch {
            throw .failed("ask for the free space of", path, error)
        }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : bytes
    }
}
