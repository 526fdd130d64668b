// Threads of the pipeline. FFmpeg, OpenCV and the encoder block, so none of this runs on Swift's cooperative pool.

import Foundation
import Synchronization

/// Carries what is not Sendable to the one thread that uses it from then on.
/// Unchecked because the rule is the caller's: after the hand-over the giver touches it no more until the join.
struct Handed<Value>: @unchecked Sendable {
    let value: Value
}

/// A thread that can be joined and that keeps the error which ended it.
final class StageThread: Sendable {
    private let failure = Mutex<(any Error)?>(nil)
    private let ended = DispatchSemaphore(value: 0)

    init(name: String, _ work: @escaping @Sendable () throws -> Void) {
        let thread = Thread { [self] in
            do {
                try work()
            } catch {
                failure.withLock { $0 = error }
            }
            ended.signal()
        }
        thread.name = name
        // OpenCV's and FFmpeg's callees use some hundred kilobytes of stack; Foundation's default is 512.
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Waits for the end. To be called once.
    func join() -> (any Error)? {
        ended.wait()
        return failure.withLock { $0 }
    }
}
