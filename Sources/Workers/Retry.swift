// What follows from a job's end. Pure decisions: the ledger writes them down, the daemon's clock waits.

internal import Results

package enum Verdict: Hashable, Sendable {
    case done
    /// Another attempt would end alike: the input's or the configuration's fault.
    case failAtOnce
    /// It may work another time. Costs an attempt.
    case retry
    /// Take no further job until there is room. Costs no attempt.
    case diskFull
    /// Take no further job for a while: workers cannot be started. Costs no attempt.
    case noWorker
    case cancelled
    /// Back into the queue as it was. Costs no attempt.
    case stopped
}

package enum Retry {
    package static func classify(_ outcome: JobOutcome) -> Verdict {
        switch outcome.end {
        case .published, .skipped: .done
        case .diskFull: .diskFull
        case .notStarted: .noWorker
        case .cancelled: .cancelled
        case .stopped: .stopped
        case .crashed, .exited, .stalled, .overMemory, .badProtocol: .retry
        case .failed: classify(outcome.exit)
        }
    }

    private static func classify(_ exit: ExitReason) -> Verdict {
        switch exit {
        case .done, .partial: .done
        case .usage, .badInput, .noInput, .cannotCreate, .configuration, .mixed: .failAtOnce
        case .unavailable, .internalError, .ioError, .tryLater, .interrupted: .retry
        }
    }
}

package struct RetryPolicy: Hashable, Sendable {
    /// In all, the first one counted.
    package var attempts: Int
    /// Before the second attempt; each further one waits `factor` times longer.
    package var first: Duration
    package var factor: Int
    package var longest: Duration

    package init(
        attempts: Int = 3, first: Duration = .seconds(10), factor: Int = 4, longest: Duration = .seconds(600)
    ) {
        self.attempts = attempts
        self.first = first
        self.factor = factor
        self.longest = longest
    }

    /// How long to wait before the next attempt; nil where there is none.
    /// - Parameter attempt: the one that failed, from 1.
    package func pause(after attempt: Int) -> Duration? {
        guard attempt < attempts else { return nil }
        var pause = first
        for _ in 1..<max(attempt, 1) where pause < longest { pause *= factor }
        return min(pause, longest)
    }
}
