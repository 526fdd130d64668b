// A worker's way to the one who started it.

import Glibc
import Results
import Synchronization

/// Whole lines, from any thread.
final class ReportChannel: Sendable {
    private let descriptor: Mutex<Int32>

    /// - Parameter descriptor: closed with this object.
    init(adopting descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    /// Keeps the process's standard output for reports; whatever a library prints goes to standard error from now on.
    static func takingStandardOutput() -> ReportChannel {
        let own = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        dup2(STDERR_FILENO, STDOUT_FILENO)
        return ReportChannel(adopting: own)
    }

    deinit { close(descriptor.withLock { $0 }) }

    /// A report that cannot be delivered is lost: if nobody reads any more, the end of standard input tells the same.
    func send(_ report: JobReport) {
        guard let line = try? report.encodedLine() else { return }
        descriptor.withLock { descriptor in
            var sent = 0
            while sent < line.count {
                let step = line[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                if step < 0, errno == EINTR { continue }
                if step <= 0 { return }
                sent += step
            }
        }
    }
}
