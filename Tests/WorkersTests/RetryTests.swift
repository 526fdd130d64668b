import Results
import Testing
import Workers

@Suite struct RetryTests {
    private func outcome(_ end: JobOutcome.End, _ exit: ExitReason = .internalError) -> JobOutcome {
        JobOutcome(job: 1, attempt: 1, end: end, exit: exit)
    }

    @Test(arguments: [
        (ExitReason.usage, Verdict.failAtOnce), (.badInput, .failAtOnce), (.noInput, .failAtOnce),
        (.cannotCreate, .failAtOnce), (.configuration, .failAtOnce), (.internalError, .retry), (.ioError, .retry),
        (.tryLater, .retry),
    ])
    func `a failure is tried again where another attempt may end otherwise`(exit: ExitReason, verdict: Verdict) {
        #expect(Retry.classify(outcome(.failed, exit)) == verdict)
    }

    @Test func `complete and partial results are done`() {
        #expect(Retry.classify(outcome(.published, .done)) == .done)
        #expect(Retry.classify(outcome(.published, .partial)) == .done)
        #expect(Retry.classify(outcome(.skipped, .partial)) == .done)
    }

    @Test(arguments: [
        JobOutcome.End.crashed(signal: 11), .exited(code: 1), .stalled, .overMemory, .badProtocol,
    ])
    func `a job whose worker died is tried again`(end: JobOutcome.End) {
        #expect(Retry.classify(outcome(end)) == .retry)
    }

    @Test func `a full disk, a stop and a worker that cannot be started are no failed attempts`() {
        #expect(Retry.classify(outcome(.diskFull, .ioError)) == .diskFull)
        #expect(Retry.classify(outcome(.stopped, .tryLater)) == .stopped)
        #expect(Retry.classify(outcome(.notStarted, .tryLater)) == .noWorker)
        #expect(Retry.classify(outcome(.cancelled, .interrupted)) == .cancelled)
    }

    @Test func `pauses grow up to the longest and end with the last attempt`() {
        let policy = RetryPolicy(attempts: 5, first: .seconds(10), factor: 4, longest: .seconds(600))
        #expect(
            (1...5).map { policy.pause(after: $0) } == [.seconds(10), .seconds(40), .seconds(160), .seconds(600), nil])
        #expect(RetryPolicy(attempts: 1).pause(after: 1) == nil)
    }
}
