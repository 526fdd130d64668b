// The options of --stream, with the sentences that --help prints.

import ArgumentParser
import Core
import Pipeline
import Results

struct StreamArguments: ParsableArguments {
    /// Where the URL may stand instead, as `ps` shows arguments to everybody.
    static let environmentName = "EMOTIOND_STREAM"

    @Option(
        help: ArgumentHelp(
            "Analyse a live stream until Ctrl-C: rtsp://, rtsps://, http://, https://, or a camera's path below /dev.",
            valueName: "url"))
    var stream: String?

    @Option(
        help: ArgumentHelp(
            "Read the stream's URL from the first line of a file; also from \(environmentName). For URLs with a password.",
            valueName: "file"))
    var streamFile: String?

    @Option(help: ArgumentHelp("Name of the stream's result folder; default: its host.", valueName: "name"))
    var streamName: String?

    @Option(help: ArgumentHelp("Length of a stream's result segments: 30s, 10m, 1h.", valueName: "time"))
    var segment = SegmentLength(seconds: 600)

    @Option(
        help: ArgumentHelp(
            "How RTSP carries the pictures: \(names(StreamDescription.Transport.self)).", valueName: "kind"))
    var transport = StreamDescription.Transport.tcp

    @Option(help: ArgumentHelp("Scale a stream's pictures down to this longest side.", valueName: "pixels"))
    var streamSize: Int?

    @Option(
        help: ArgumentHelp(
            "Look only at this part of a stream's picture: left, top, width, height in shares of its sides.",
            valueName: "x,y,w,h"))
    var region: StreamRegion?

    @Option(
        help: ArgumentHelp("Read the stream only then, in local time: 'Mo-Fr 08:00-18:00'.", valueName: "times"))
    var schedule: String?

    @Option(
        help: ArgumentHelp(
            "Pictures of a stream to keep: \(names(StreamDescription.Pictures.self)).", valueName: "kind"))
    var streamVideo = StreamDescription.Pictures.none

    mutating func validate() throws {
        if let stream {
            guard let url = StreamURL(stream) else {
                throw ValidationError("--stream takes a URL or a path below /dev, not '\(Redaction.redact(stream))'.")
            }
            if url.hasSecret {
                throw ValidationError(
                    """
                    The URL holds a password, and arguments are shown to everybody by ps. Put it on the first line of a \
                    file and give --stream-file FILE, or set \(Self.environmentName).
                    """)
            }
            if streamFile != nil { throw ValidationError("Give either --stream or --stream-file, not both.") }
        }
        if let streamName, !StreamDescription.isGoodName(streamName) {
            throw ValidationError("--stream-name '\(streamName)' cannot be a folder's name.")
        }
        if let streamSize, streamSize < 64 { throw ValidationError("--stream-size is at least 64 pixels.") }
        if let schedule {
            do { _ = try WeeklySchedule(schedule) } catch { throw ValidationError("--\(error)") }
        }
    }

    /// Nil where no stream was asked for.
    func description(environment: String?, output: [UInt8]) throws -> StreamDescription? {
        var description = StreamDescription(name: "", outputRoot: output)
        if let stream {
            description.url = stream
        } else if let streamFile {
            description.urlFile = ArgumentBytes.bytes(of: streamFile)
        } else if let environment, !environment.isEmpty {
            description.url = environment
        } else {
            return nil
        }
        description.name = try streamName ?? Self.folderName(description.address().host)
        description.transport = transport
        description.segmentSeconds = segment.seconds
        description.size = streamSize
        description.region = region
        description.schedule = schedule
        description.video = streamVideo
        return description
    }

    /// A host as a folder's name: what is none in a host is a dash.
    private static func folderName(_ host: String) -> String {
        let name = String(host.prefix(60).map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" })
        return StreamDescription.isGoodName(name) ? name : "stream"
    }
}

extension StreamDescription.Transport: ExpressibleByArgument {}
extension StreamDescription.Pictures: ExpressibleByArgument {}

extension StreamRegion: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

/// `30s`, `10m`, `1h`.
struct SegmentLength: ExpressibleByArgument {
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
        guard let last = argument.last, let unit = units[last], let count = Int(argument.dropLast()), count > 0,
            count <= 86_400, (1...86_400).contains(count * unit)
        else { return nil }
        seconds = count * unit
    }

    var defaultValueDescription: String { "\(seconds / 60)m" }
}
