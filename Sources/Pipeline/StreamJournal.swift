// What happens to a stream, told three times: to whoever runs it, in the log, and as a line of events.jsonl beside
// the segments.

import Logging
import Results

final class StreamJournal: Sendable {
    private let name: String
    private let folder: StreamFolder
    private let clock: StreamClock
    private let logger: Logger
    private let report: @Sendable (StreamReport) -> Void

    init(
        name: String, folder: StreamFolder, clock: StreamClock, logger: Logger,
        report: @escaping @Sendable (StreamReport) -> Void
    ) {
        self.name = name
        self.folder = folder
        self.clock = clock
        self.logger = logger
        self.report = report
    }

    /// - Parameter timestamp: On the stream's own clock.
    func note(_ kind: StreamEvent.Kind, _ detail: String, timestamp: Int64?) {
        let event = StreamEvent(utc: clock.wall(), timestamp: timestamp, kind: kind, detail: detail)
        logger.notice("stream '\(name)': \(kind.rawValue)\(detail.isEmpty ? "" : ": \(detail)")")
        do throws(ResultsError) {
            try folder.append(event.line, to: "events.jsonl")
        } catch {
            // A full disk stops the segments, which say so; here it must not stop the reading.
            logger.error("\(error)")
        }
        report(.event(event))
    }

    func warn(_ text: String) { logger.warning("stream '\(name)': \(text)") }
    func debug(_ text: String) { logger.debug("stream '\(name)': \(text)") }
}

extension StreamEvent {
    /// One line of JSON without its end.
    fileprivate var line: [UInt8] {
        let seconds: SettingValue = timestamp.map { .number(Double($0) / 1e6) } ?? .null
        let members: [String: SettingValue] = [
            "utc": .text(UTC.text(utc)), "seconds": seconds, "event": .text(kind.rawValue), "detail": .text(detail),
        ]
        return SettingValue.object(members).canonicalJSON
    }
}
