import Foundation
import Pipeline
import Synchronization
import Testing

@Suite struct BoundedQueueTests {
    /// Pushes 0..<count from a thread of its own, then finishes; gives the number that were taken.
    private func produce(_ count: Int, bytes: Int, into queue: BoundedQueue<Int>) -> DispatchSemaphore {
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for i in 0..<count {
                guard queue.push(i, bytes: bytes) else { break }
            }
            queue.finish()
            done.signal()
        }
        return done
    }

    @Test(arguments: [1, 2, 7, 100])
    func `everything arrives in order however small the queue is`(items: Int) {
        let queue = BoundedQueue<Int>(maximumItems: items, maximumBytes: 1 << 20)
        let done = produce(5000, bytes: 1, into: queue)
        var expected = 0
        while let next = queue.pop() {
            #expect(next == expected)
            expected += 1
        }
        done.wait()
        #expect(expected == 5000)
        #expect(queue.greatestDepth <= items)
    }

    @Test func `the byte limit holds and one item larger than it passes alone`() {
        let queue = BoundedQueue<Int>(maximumItems: 100, maximumBytes: 10)
        let done = produce(50, bytes: 25, into: queue)
        var count = 0
        while queue.pop() != nil { count += 1 }
        done.wait()
        #expect(count == 50)
        #expect(queue.greatestDepth == 1)
    }

    @Test func `an abandoned queue lets a waiting producer go`() {
        let queue = BoundedQueue<Int>(maximumItems: 1, maximumBytes: 100)
        let done = produce(1_000_000, bytes: 1, into: queue)
        #expect(queue.pop() == 0)
        queue.abandon()
        done.wait()
        #expect(queue.pop() == nil)
        let taken = queue.push(1, bytes: 1)
        #expect(taken == false)
    }

    @Test func `elements are released when they are taken`() {
        final class Counted: Sendable {
            static let alive = Atomic<Int>(0)
            init() { Self.alive.add(1, ordering: .relaxed) }
            deinit { Self.alive.subtract(1, ordering: .relaxed) }
        }
        let queue = BoundedQueue<Counted>(maximumItems: 1000, maximumBytes: 1000)
        for _ in 0..<100 { _ = queue.push(Counted(), bytes: 1) }
        for left in (0..<100).reversed() {
            _ = queue.pop()
            #expect(Counted.alive.load(ordering: .relaxed) == left)
        }
    }
}
