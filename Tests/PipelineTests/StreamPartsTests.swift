import Core
import Foundation
import Pipeline
import TestSupport
import Testing

@Suite struct BackoffTests {
    @Test func `waits grow from a second to a minute and never leave these bounds`() {
        var random = SeededGenerator(TestSeed.current)
        var backoff = Backoff()
        let waits = (0..<200).map { _ in backoff.next(using: &random) }
        #expect(waits.allSatisfy { (.seconds(1)...(.seconds(60))).contains($0) }, "seed \(random.seed)")
        #expect(waits[0] == .seconds(1))
        #expect(waits[6...].allSatisfy { $0 >= .seconds(30) })
        // They are spread, so that cameras behind one switch do not come back as one.
        #expect(Set(waits[10...]).count > 100)
        backoff.reset()
        #expect(backoff.next(using: &random) == .seconds(1))
    }
}

@Suite struct LiveQueueTests {
    @Test func `a live producer never waits, and the oldest make room`() {
        let queue = BoundedQueue<Int>(maximumItems: 3, maximumBytes: 1000)
        var dropped: [Int] = []
        for i in 0..<10 { dropped += queue.pushLive(i, bytes: 1, droppingWhere: { _ in false }) ?? [] }
        #expect(dropped == Array(0..<7))
        queue.finish()
        var left: [Int] = []
        while let next = queue.pop() { left.append(next) }
        #expect(left == [7, 8, 9])
    }

    @Test func `stale ones go even where there is room, and bytes count`() {
        let queue = BoundedQueue<Int>(maximumItems: 10, maximumBytes: 100)
        for i in 0..<4 { _ = queue.pushLive(i, bytes: 10, droppingWhere: { _ in false }) }
        #expect(queue.pushLive(4, bytes: 10, droppingWhere: { $0 < 2 }) == [0, 1])
        #expect(queue.pushLive(5, bytes: 90, droppingWhere: { _ in false }) == [2, 3])
        queue.abandon()
        #expect(queue.pushLive(6, bytes: 1, droppingWhere: { _ in false }) == nil)
    }

    @Test func `a wait with a limit ends by an element, by the limit, or by the end`() {
        let queue = BoundedQueue<Int>(maximumItems: 3, maximumBytes: 100)
        func name(_ taken: BoundedQueue<Int>.Taken) -> String {
            switch taken {
            case .element(let value): "\(value)"
            case .timedOut: "timed out"
            case .ended: "ended"
            }
        }
        #expect(name(queue.pop(within: .milliseconds(5))) == "timed out")
        _ = queue.pushLive(7, bytes: 1, droppingWhere: { _ in false })
        #expect(name(queue.pop(within: .zero)) == "7")
        Thread.detachNewThread { _ = queue.pushLive(8, bytes: 1, droppingWhere: { _ in false }) }
        #expect(name(queue.pop(within: .seconds(60))) == "8")
        Thread.detachNewThread { queue.finish() }
        #expect(name(queue.pop(within: .seconds(60))) == "ended")
    }
}

@Suite struct SegmentGridTests {
    private static let midnight: Int64 = 1_795_564_800_000_000  // 2026-11-25T00:00:00Z

    @Test(arguments: [1, 7, 60, 600, 3600, 50_000, 86_400])
    func `every moment lies in one slot, slots meet, and none runs over a day`(seconds: Int) {
        var random = SeededGenerator(TestSeed.current)
        let grid = SegmentGrid(seconds: seconds)
        for _ in 0..<500 {
            let moment = Int64.random(in: -(1 << 55)...(1 << 55), using: &random)
            let slot = grid.slot(of: moment)
            #expect(slot.start <= moment && moment < slot.end)
            #expect(slot.end - slot.start <= Int64(seconds) * 1_000_000)
            #expect(grid.slot(of: slot.end).start == slot.end && grid.slot(of: slot.end - 1) == slot)
            let day: Int64 = 86_400_000_000
            #expect(
                (slot.start - Self.midnight) / day == (slot.end - 1 - Self.midnight) / day || slot.start < Self.midnight
            )
        }
    }

    @Test func `slots begin at round times and folders are named after them`() {
        let grid = SegmentGrid(seconds: 600)
        let slot = grid.slot(of: Self.midnight + 45_296_000_000 + 123_456)  // 12:34:56
        #expect(UTC.folder(slot.start) == "2026-11-25/123000Z")
        #expect(UTC.text(slot.end) == "2026-11-25T12:40:00.000000Z")
    }
}
