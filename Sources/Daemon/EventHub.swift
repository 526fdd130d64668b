// One source of events, many listeners: the dashboards that are open.

internal import Synchronization

/// A listener that does not keep up loses the oldest events, never holds up the daemon.
package final class EventHub<Event: Sendable>: Sendable {
    private struct Listeners {
        var next = 0
        var continuations: [Int: AsyncStream<Event>.Continuation] = [:]
    }

    private let listeners = Mutex(Listeners())

    package init() {}

    package func tell(_ event: Event) {
        let all = listeners.withLock { Array($0.continuations.values) }
        for listener in all { listener.yield(event) }
    }

    /// Whether anybody listens; what is costly to say need not be said to nobody.
    package var isHeard: Bool { listeners.withLock { !$0.continuations.isEmpty } }

    package func listen() -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(256))
        let number = listeners.withLock { state in
            state.next += 1
            state.continuations[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.listeners.withLock { _ = $0.continuations.removeValue(forKey: number) }
        }
        return stream
    }

    /// Ends every listener's stream, so that their requests can be answered.
    package func close() {
        let all = listeners.withLock { state in
            defer { state.continuations = [:] }
            return Array(state.continuations.values)
        }
        for listener in all { listener.finish() }
    }
}
