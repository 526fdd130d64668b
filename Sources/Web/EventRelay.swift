// One source of events, many listeners: numbers them, keeps the last ones for who comes back, and holds nobody up.

internal import Foundation
internal import Synchronization

/// What goes down one connection of `/api/v1/events`.
struct EventMessage: Hashable, Sendable {
    /// As it goes over the wire, with the empty line that ends it.
    let text: String

    static let heartbeat = EventMessage(text: ": still here\n\n")

    /// - Parameter id: what the listener names when it comes back.
    init(id: String, name: String, data: String) {
        text = "id: \(id)\nevent: \(name)\ndata: \(data)\n\n"
    }

    private init(text: String) { self.text = text }
}

/// Ids are `epoch-number`: after a restart the epoch is another one, and a listener that comes back is told to read
/// everything anew.
final class EventRelay: Sendable {
    private struct State {
        var last: UInt64 = 0
        /// The newest at the end.
        var kept: [EventMessage] = []
        var listeners: [Int: AsyncStream<EventMessage>.Continuation] = [:]
        var nextListener = 0
        var isClosed = false
    }

    static let keptEvents = 1024
    static let mostListeners = 128
    private static let backlog = 256

    private let epoch: String
    private let state = Mutex(State())

    init(epoch: UInt64 = UInt64.random(in: .min ... .max)) {
        self.epoch = String(epoch, radix: 36)
    }

    var listenerCount: Int { state.withLock { $0.listeners.count } }

    func tell(_ event: ServiceEvent) {
        guard let (name, data) = event.wire else { return }
        state.withLock { state in
            state.last += 1
            let message = EventMessage(id: "\(epoch)-\(state.last)", name: name, data: data)
            if state.kept.count == Self.keptEvents { state.kept.removeFirst() }
            state.kept.append(message)
            Self.send(message, &state)
        }
    }

    func beat() { state.withLock { Self.send(.heartbeat, &$0) } }

    /// A listener that does not keep up is let go: it comes back by itself and is told what it missed.
    private static func send(_ message: EventMessage, _ state: inout State) {
        for (number, listener) in state.listeners {
            if case .enqueued = listener.yield(message) { continue }
            listener.finish()
            state.listeners[number] = nil
        }
    }

    /// - Parameter lastID: of the last event that the listener has seen; nil for a new one.
    /// - Returns: nil when there are too many listeners already, or the service stops.
    func listen(after lastID: String?) -> AsyncStream<EventMessage>? {
        let (stream, continuation) = AsyncStream.makeStream(
            of: EventMessage.self, bufferingPolicy: .bufferingOldest(Self.keptEvents + Self.backlog))
        let number: Int? = state.withLock { state in
            guard !state.isClosed, state.listeners.count < Self.mostListeners else { return nil }
            if let missed = missed(after: lastID, state) {
                for message in missed { continuation.yield(message) }
            } else {
                let name = lastID == nil ? "hello" : "reset"
                continuation.yield(EventMessage(id: "\(epoch)-\(state.last)", name: name, data: "{}"))
            }
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        guard let number else { return nil }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    /// nil: it cannot be told what was missed.
    private func missed(after lastID: String?, _ state: State) -> ArraySlice<EventMessage>? {
        guard let parts = lastID?.split(separator: "-"), parts.count == 2, parts[0] == epoch[...],
            let seen = UInt64(parts[1]), seen <= state.last
        else { return nil }
        let count = state.last - seen
        return count <= UInt64(state.kept.count) ? state.kept.suffix(Int(count)) : nil
    }

    /// Ends every listener's stream, so that its request ends too.
    func close() {
        let all = state.withLock { state in
            defer { state.listeners = [:] }
            state.isClosed = true
            return Array(state.listeners.values)
        }
        for listener in all { listener.finish() }
    }
}

extension ServiceEvent {
    /// Name and JSON, which has no line break; nil only for what JSON cannot hold, and such an event is no loss.
    fileprivate var wire: (name: String, data: String)? {
        switch self {
        case .job(let job): wire("job", job)
        case .progress(let progress): wire("progress", progress)
        case .counts(let counts): wire("counts", QueueCounts(counts).named)
        case .stream(let stream): wire("stream", stream)
        case .streamRemoved(let name): wire("stream-removed", ["name": name])
        case .readiness(let readiness): wire("readiness", readiness)
        }
    }

    private func wire(_ name: String, _ value: some Encodable) -> (name: String, data: String)? {
        (try? JSON.encode(value)).map { (name, String(decoding: $0, as: UTF8.self)) }
    }
}
