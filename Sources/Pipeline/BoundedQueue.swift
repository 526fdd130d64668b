// The hand-over between two threads: limited in items and in bytes, closable from either end.

/// First in, first out. `push` waits while the queue is full, `pop` while it is empty.
///
/// - `finish()` is the producer's end: what is queued is still delivered, then `pop` gives nil.
/// - `abandon()` is the consumer's end: what is queued is dropped and every later `push` gives false.
package final class BoundedQueue<Element>: @unchecked Sendable {
    // Every field below is read and written only while `condition` is locked.
    private let condition = MonotonicCondition()
    /// A ring: `count` items from `head` on. A slot is emptied when its item is taken, as a frame that stayed in
    /// one would keep its megabytes.
    private var slots: [(element: Element, bytes: Int)?]
    private var head = 0
    private var count = 0
    private var bytesHeld = 0
    private var finished = false
    private var abandoned = false
    private var deepest = 0
    private let maximumBytes: Int

    package init(maximumItems: Int, maximumBytes: Int) {
        precondition(maximumItems > 0 && maximumBytes > 0, "a queue holds at least one item")
        slots = Array(repeating: nil, count: maximumItems)
        self.maximumBytes = maximumBytes
    }

    /// One item larger than the byte limit still passes, alone.
    private func hasRoom(_ bytes: Int) -> Bool {
        count == 0 || (count < slots.count && bytesHeld + bytes <= maximumBytes)
    }

    /// - Returns: false when nobody will take the element any more.
    package func push(_ element: sending Element, bytes: Int) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        precondition(!finished || abandoned, "nothing is pushed after finish()")
        while !abandoned, !hasRoom(bytes) { condition.wait() }
        guard !abandoned else { return false }
        slots[(head + count) % slots.count] = (element, bytes)
        count += 1
        bytesHeld += bytes
        deepest = max(deepest, count)
        condition.broadcast()
        return true
    }

    /// For a live source, which cannot wait: makes room by dropping what has waited longest.
    /// - Parameter isStale: Whether one that waits is too old by now.
    /// - Returns: what was dropped; nil when nobody will take the element any more.
    package func pushLive(
        _ element: Element, bytes: Int, droppingWhere isStale: (Element) -> Bool
    ) -> [Element]? where Element: Sendable {
        condition.lock()
        defer { condition.unlock() }
        guard !abandoned, !finished else { return nil }
        var dropped: [Element] = []
        while let oldest = slots[head], count > 0, !hasRoom(bytes) || isStale(oldest.element) {
            dropped.append(oldest.element)
            slots[head] = nil
            head = (head + 1) % slots.count
            count -= 1
            bytesHeld -= oldest.bytes
        }
        slots[(head + count) % slots.count] = (element, bytes)
        count += 1
        bytesHeld += bytes
        deepest = max(deepest, count)
        condition.broadcast()
        return dropped
    }

    /// - Returns: nil at the end, or once the queue is abandoned.
    package func pop() -> sending Element? {
        condition.lock()
        defer { condition.unlock() }
        while !abandoned, !finished, count == 0 { condition.wait() }
        guard !abandoned, count > 0, let item = slots[head] else { return nil }
        slots[head] = nil
        head = (head + 1) % slots.count
        count -= 1
        bytesHeld -= item.bytes
        condition.broadcast()
        // Handed over whole: the queue keeps no reference to it.
        nonisolated(unsafe) let element = item.element
        return element
    }

    package enum Taken {
        case element(Element)
        case timedOut
        case ended
    }

    /// As `pop`, but waits no longer than `patience`.
    package func pop(within patience: Duration) -> sending Taken {
        condition.lock()
        var isOver = false
        let deadline = ContinuousClock.now + patience
        while !abandoned, !finished, count == 0, !isOver {
            isOver = !condition.wait(until: deadline)
        }
        let waits = isOver && count == 0 && !finished && !abandoned
        condition.unlock()
        if waits { return .timedOut }
        return pop().map { .element($0) } ?? .ended
    }

    package func finish() {
        condition.lock()
        finished = true
        condition.broadcast()
        condition.unlock()
    }

    package func abandon() {
        condition.lock()
        abandoned = true
        for i in slots.indices { slots[i] = nil }
        count = 0
        bytesHeld = 0
        condition.broadcast()
        condition.unlock()
    }

    /// The most items that ever waited.
    package var greatestDepth: Int {
        condition.lock()
        defer { condition.unlock() }
        return deepest
    }
}
