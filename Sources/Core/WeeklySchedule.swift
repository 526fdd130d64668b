// When a stream is read: `Mo-Fr 08:00-18:00, Sa 22:00-02:00`, in local time. A value without a clock.

/// A moment of the week where the camera stands.
package struct LocalMoment: Hashable, Sendable {
    /// 0 is Monday.
    package var weekday: Int
    /// Of the day, 0…1439.
    package var minute: Int

    package init(weekday: Int, minute: Int) {
        self.weekday = weekday
        self.minute = minute
    }
}

package struct ScheduleError: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package let reason: String

    package var description: String {
        "schedule '\(text)': \(reason); write it like 'Mo-Fr 08:00-18:00, Sa 22:00-02:00' (Mo Tu We Th Fr Sa Su)"
    }
}

package struct WeeklySchedule: Hashable, Sendable {
    private struct Span: Hashable, Sendable {
        /// Minutes since Monday 00:00; `end` may lie beyond the week, where the span goes on into the next one.
        let start: Int
        let end: Int
    }

    private static let days = ["mo", "tu", "we", "th", "fr", "sa", "su"]
    private static let minutesADay = 1440
    private static let minutesAWeek = 7 * minutesADay

    private let spans: [Span]

    /// Parts by commas, each days (one, or a range that may run over Sunday; every day where left out) and a span of
    /// time; one that ends before it starts goes on into the next day, and equal ends mean the whole day.
    package init(_ text: String) throws(ScheduleError) {
        var spans: [Span] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: " ")
            guard (1...2).contains(words.count), let time = words.last else {
                throw ScheduleError(text: text, reason: "'\(part)' is not days and a span of time")
            }
            guard let (from, to) = Self.times(time) else {
                throw ScheduleError(text: text, reason: "'\(time)' is no span of time")
            }
            guard let days = words.count == 2 ? Self.weekdays(words[0]) : Array(0..<7) else {
                throw ScheduleError(text: text, reason: "'\(words[0])' are no days of the week")
            }
            let length = to > from ? to - from : to - from + Self.minutesADay
            for day in days {
                let start = day * Self.minutesADay + from
                spans.append(Span(start: start, end: start + length))
            }
        }
        self.spans = spans
    }

    package func isOpen(_ moment: LocalMoment) -> Bool {
        let minute = moment.weekday * Self.minutesADay + moment.minute
        return spans.contains { span in
            (span.start..<span.end).contains(minute) || (span.start..<span.end).contains(minute + Self.minutesAWeek)
        }
    }

    private static func weekdays(_ text: Substring) -> [Int]? {
        let names = text.split(separator: "-", omittingEmptySubsequences: false)
        let found = names.compactMap { days.firstIndex(of: $0.lowercased()) }
        guard found.count == names.count, let first = found.first, let last = found.last, names.count <= 2 else {
            return nil
        }
        let count = (last - first + 7) % 7
        return (0...count).map { (first + $0) % 7 }
    }

    private static func times(_ text: Substring) -> (Int, Int)? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(minute)
        guard ends.count == 2, let from = ends[0], let to = ends[1], from < minutesADay else { return nil }
        return (from, to)
    }

    /// `08:30`; `24:00` ends a day.
    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) }), let hours = Int(parts[0]),
            let minutes = Int(parts[1]), hours >= 0, (0..<60).contains(minutes),
            hours * 60 + minutes <= minutesADay
        else { return nil }
        return hours * 60 + minutes
    }
}
