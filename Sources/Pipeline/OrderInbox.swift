// A worker's orders, read from standard input on a thread of its own while jobs run on another.

import Foundation
import Glibc
import Logging
import Results

final class OrderInbox: @unchecked Sendable {
    /// Why a job is not to be finished.
    enum Fate: Sendable { case stopped, cancelled }

    private struct Running {
        let order: JobOrder
        let cancellation: Cancellation
        var fate: Fate?
        /// Outer nil: none came yet.
        var answer: KnownResult??
    }

    // Every field below is read and written, and `input` is read from, only while `condition` is locked.
    private let condition = NSCondition()
    private var splitter = LineSplitter()
    private var waiting: [JobOrder] = []
    private var running: Running?
    private var inputEnded = false
    private var endedAt: ContinuousClock.Instant?

    private let input: Int32
    private let logger: Logger

    init(input: Int32, logger: Logger) {
        self.input = input
        self.logger = logger
    }

    /// Reads orders for as long as the process lives. For a thread of its own.
    /// - Parameter tick: called about once a second, and after each order.
    func watch(tick: () -> Void) {
        while true {
            condition.lock()
            let isOpen = !inputEnded
            condition.unlock()
            var watched = pollfd(fd: isOpen ? input : -1, events: Int16(POLLIN), revents: 0)
            _ = poll(&watched, 1, 1000)
            condition.lock()
            readWhatIsThere()
            condition.unlock()
            tick()
        }
    }

    /// The next job with its cancellation; waits for it. Nil once the worker is to end.
    func next() -> (job: Int64, attempt: Int, description: JobDescription, cancellation: Cancellation)? {
        condition.lock()
        defer { condition.unlock() }
        running = nil
        while true {
            if endedAt != nil { return nil }
            if waiting.isEmpty {
                condition.wait()
                continue
            }
            let order = waiting.removeFirst()
            guard case .run(let description) = order.what else { continue }
            let cancellation = Cancellation()
            running = Running(order: order, cancellation: cancellation)
            return (order.job, order.attempt, description, cancellation)
        }
    }

    /// Jobs that were ordered and will not be begun.
    func takeWaiting() -> [JobOrder] {
        condition.lock()
        defer { condition.unlock() }
        defer { waiting = [] }
        return waiting
    }

    /// Of the running job, as far as orders have been read.
    var fate: Fate? {
        condition.lock()
        defer { condition.unlock() }
        return running?.fate
    }

    /// Waits for the service's answer to `hashed`. Nil to go on, or to end where that was ordered instead.
    func answer() -> KnownResult? {
        condition.lock()
        defer { condition.unlock() }
        while let current = running {
            if let answer = current.answer { return answer }
            if current.fate != nil || endedAt != nil { return nil }
            condition.wait()
        }
        return nil
    }

    /// Looks at standard input before it answers, so that an order which came before is not missed.
    func mayPublish() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        readWhatIsThere()
        return running?.fate == nil && endedAt == nil
    }

    /// As the end of standard input: for signals.
    func stop() {
        condition.lock()
        defer { condition.unlock() }
        end()
    }

    /// When the worker was told to end.
    var ending: ContinuousClock.Instant? {
        condition.lock()
        defer { condition.unlock() }
        return endedAt
    }

    // MARK: With the lock held

    private func readWhatIsThere() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !inputEnded {
            var watched = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
            guard poll(&watched, 1, 0) > 0 else { return }
            let count = read(input, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EAGAIN { return }
            guard count > 0 else {
                inputEnded = true
                return end()
            }
            do throws(JobProtocolError) {
                for line in try splitter.feed(buffer[..<count]) { take(line) }
            } catch {
                logger.error("\(error); the worker ends")
                inputEnded = true
                return end()
            }
        }
    }

    private func take(_ line: [UInt8]) {
        let order: JobOrder
        do throws(JobProtocolError) {
            order = try JobOrder(line: line)
        } catch {
            return logger.error("an order is left out: \(error)")
        }
        switch order.what {
        case .run:
            waiting.append(order)
        case .stop:
            end()
        case .answer(let result):
            if let current = running, current.order.job == order.job, current.order.attempt == order.attempt {
                running?.answer = .some(result)
            }
        case .cancel:
            waiting.removeAll { $0.job == order.job }
            guard let current = running, current.order.job == order.job, current.order.attempt == order.attempt else {
                break
            }
            running?.fate = current.fate ?? .cancelled
            current.cancellation.raise(.interrupt)
        }
        condition.broadcast()
    }

    private func end() {
        endedAt = endedAt ?? .now
        if let current = running {
            running?.fate = current.fate ?? .stopped
            current.cancellation.raise(.stop)
        }
        condition.broadcast()
    }
}
