// A stream's description as each room wants it, and what is wrong with it in a sentence.

package import Core
import Media
package import Results

extension StreamDescription {
    private static let longestURLFile = 16 << 10

    /// The URL, from the description or from its file.
    package func address() throws(PipelineError) -> StreamURL {
        let text: String
        if let url {
            text = url
        } else if let urlFile {
            let bytes = try FileBytes.read(urlFile, limit: Self.longestURLFile, what: "stream's URL file")
            let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            text = String(decoding: line, as: UTF8.self).filter { $0 != " " && $0 != "\t" }
        } else {
            throw PipelineError(.configuration, "stream '\(name)': neither a url nor a url_file is given")
        }
        guard let address = StreamURL(text) else {
            throw PipelineError(
                .usage, "stream '\(name)': '\(Redaction.redact(text))' is no URL of a stream and no path below /dev")
        }
        return address
    }

    func source() throws(PipelineError) -> LiveSource {
        guard Self.isGoodName(name) else {
            throw PipelineError(
                .configuration, "'\(name)' cannot name a stream: no slashes, no dot at the start, at most 100 bytes")
        }
        let address = try address()
        do throws(MediaError) {
            return try LiveSource(address, transport: transport == .udp ? .udp : .tcp)
        } catch {
            throw PipelineError(.usage, error.description)
        }
    }

    func weeklySchedule() throws(PipelineError) -> WeeklySchedule? {
        guard let schedule else { return nil }
        do throws(ScheduleError) {
            return try WeeklySchedule(schedule)
        } catch {
            throw PipelineError(.configuration, "stream '\(name)': \(error)")
        }
    }

    /// The options of the analysis with those of the stream in place of the file's.
    func settings(_ options: [String: SettingValue]) -> [String: SettingValue] {
        var settings = options
        for name in ["from", "to", "every", "frames"] { settings[name] = nil }
        settings["fps"] = framesPerSecond.map { .number($0) } ?? .null
        settings["size"] = size.map { .integer(Int64($0)) } ?? .null
        settings["region"] = region.map { .list([$0.x, $0.y, $0.width, $0.height].map(SettingValue.number)) } ?? .null
        settings["segment"] = .integer(Int64(segmentSeconds))
        settings["video"] = .text(video.rawValue)
        return settings
    }
}
