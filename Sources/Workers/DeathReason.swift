// What a job's record says when its worker did not live to tell.

internal import Glibc
internal import Results
internal import Subprocess

enum DeathReason {
    static func outcome(
        _ running: Worker.Running, killed: Worker.Kill?, _ status: TerminationStatus, settings: WorkerPool.Settings,
        isEnding: Bool, lines: [String]
    ) -> JobOutcome {
        let request = running.request
        switch killed {
        case .cancelled:
            return request.outcome(.cancelled, .interrupted, "cancelled")
        case .stopped, .tooSlow:
            return request.outcome(.stopped, .tryLater, "the service stops, and the job did not end in time")
        case .notReady:
            return request.outcome(
                .notStarted, .tryLater,
                "the worker \(settings.executable) was not ready within \(settings.startLimit)" + last(lines))
        case .stalled:
            return request.outcome(
                .stalled, .internalError, "showed no sign of work for \(settings.stall), and was killed")
        case .overMemory(let bytes):
            return request.outcome(
                .overMemory, .internalError,
                "used \(bytes >> 20) MiB of memory, more than the \((settings.memoryBytes ?? 0) >> 20) that it may, and was killed"
            )
        case .badProtocol(let what):
            return request.outcome(.badProtocol, .internalError, "the worker was killed: \(what)")
        case nil: break
        }
        if isEnding { return request.outcome(.stopped, .tryLater, "the service stops") }
        if running.isCancelled { return request.outcome(.cancelled, .interrupted, "cancelled") }
        guard running.isBegun else {
            return request.outcome(
                .notStarted, .tryLater, "the worker \(settings.executable) does not run: \(text(status, lines))")
        }
        let end: JobOutcome.End =
            switch status {
            case .signaled(let signal): .crashed(signal: signal)
            case .exited(let code): .exited(code: code)
            }
        return request.outcome(end, .internalError, text(status, lines))
    }

    static func text(_ status: TerminationStatus, _ lines: [String]) -> String {
        switch status {
        case .signaled(SIGXCPU):
            "killed by \(SignalName.text(SIGXCPU)): it used more processor time than a job may" + last(lines)
        case .signaled(SIGKILL):
            "killed by \(SignalName.text(SIGKILL)): by hand, by the kernel for want of memory, or for closing its outputs"
        case .signaled(let signal): "killed by \(SignalName.text(signal))" + last(lines)
        case .exited(let code): "ended with exit code \(code)" + last(lines)
        }
    }

    private static func last(_ lines: [String]) -> String { lines.last.map { "; last line: \($0)" } ?? "" }
}
