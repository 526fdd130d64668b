// A bell that one task waits for and any may ring.

/// Rings before the wait are kept, several as one.
actor Wake {
    private let clock: any Clock<Duration>
    private var isRung = false
    private var waiter: CheckedContinuation<Void, Never>?

    init(_ clock: any Clock<Duration> = ContinuousClock()) { self.clock = clock }

    func ring() {
        if let waiter {
            self.waiter = nil
            waiter.resume()
        } else {
            isRung = true
        }
    }

    /// Until it rings, the time is over, or the task is cancelled. For one task at a time.
    func wait(atMost limit: Duration) async {
        if isRung || limit <= .zero {
            isRung = false
            return
        }
        let timer = Task {
            try await clock.sleep(for: limit)
            ring()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if isRung || Task.isCancelled {
                    isRung = false
                    continuation.resume()
                } else {
                    waiter = continuation
                }
            }
        } onCancel: {
            Task { await ring() }
        }
        timer.cancel()
    }
}
