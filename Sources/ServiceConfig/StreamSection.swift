// A camera or another live source. People are in front of it: what it is for and what they are told is not optional.

extension ServiceConfiguration {
    /// The address of a source. Printing it in any way leaves its secrets out; `text` has them.
    package struct StreamURL: Hashable, Codable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
        CustomReflectable
    {
        package let text: String

        package init(_ text: String) { self.text = text }

        package init(from decoder: any Decoder) throws { text = try decoder.singleValueContainer().decode(String.self) }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(description)
        }

        package var description: String { redacted(text) }
        package var debugDescription: String { description }
        package var customMirror: Mirror { Mirror(reflecting: description) }

        static let form = Form<Self>(
            allowed: "an address such as rtsp://camera/live, http://camera/video, or a device below /dev/v4l/by-id",
            parse: { text in
                let schemes = ["rtsp", "rtsps", "http", "https", "v4l2"]
                let isKnown = schemes.contains { text.lowercased().hasPrefix($0 + "://") } || text.hasPrefix("/dev/")
                return isKnown && !text.contains("\0") && !text.contains(where: \.isWhitespace) ? StreamURL(text) : nil
            }, show: \.description)
    }

    /// A part of the picture, as shares of its width and height.
    package struct Region: Equatable, Codable, Sendable {
        package let x: Double
        package let y: Double
        package let width: Double
        package let height: Double

        static let form = Form<Self>(
            allowed: "x,y,width,height as shares of the picture from 0 to 1, such as 0.25,0,0.5,1",
            parse: { text in
                let all = text.split(separator: ",", omittingEmptySubsequences: false)
                    .map { Double($0.drop { $0 == " " }) }
                let parts = all.compactMap { $0 }
                guard all.count == 4, parts.count == 4, parts.allSatisfy({ (0...1).contains($0) }), parts[2] > 0,
                    parts[3] > 0, parts[0] + parts[2] <= 1 + 1e-9, parts[1] + parts[3] <= 1 + 1e-9
                else { return nil }
                return Region(x: parts[0], y: parts[1], width: parts[2], height: parts[3])
            }, show: { "\($0.x),\($0.y),\($0.width),\($0.height)" })
    }

    package enum Transport: String, CaseIterable, Codable, Sendable {
        case tcp, udp
    }

    package struct Stream: ConfigurationSection {
        package var name = ""
        package var url: StreamURL?
        /// A file with the address in its first line, so that the password is not in the configuration; may be
        /// `credential:NAME`.
        package var urlFile: String?
        package var purpose: String?
        package var notice: String?
        package var transport = Transport.tcp
        package var fps: Double?
        /// Longest side in pixels; nil: as it comes.
        package var size: Int?
        package var region: Region?
        /// `Mo-Fr 08:00-18:00`; nil: always.
        package var schedule: String?
        package var segment = Duration.seconds(600)
        package var video = Video.none
        package var connectLimit = Duration.seconds(10)
        package var firstFrameLimit = Duration.seconds(10)
        package var stallLimit = Duration.seconds(10)
        /// Nil: `retention.streams_age`.
        package var retain: Duration?

        package init() {}

        package static let fields: [Field<Self>] = [
            .value("name", \.name, .name),
            .value("url", \.url, StreamURL.form.orNone),
            .value("url_file", \.urlFile, Form.path.orNone),
            .value("purpose", \.purpose, Form.text.orNone),
            .value("notice", \.notice, Form.text.orNone),
            .value("transport", \.transport, .choice),
            .value("fps", \.fps, Form.number(0...1000, above: true).orNone),
            .value("size", \.size, Form.integer(64...8192).orNone),
            .value("region", \.region, Region.form.orNone),
            .value("schedule", \.schedule, Form.text.orNone),
            .value("segment", \.segment, .duration(.seconds(60), .seconds(86400))),
            .value("video", \.video, .choice),
            .value("connect_limit", \.connectLimit, .duration(.seconds(1), .seconds(600))),
            .value("first_frame_limit", \.firstFrameLimit, .duration(.seconds(1), .seconds(600))),
            .value("stall_limit", \.stallLimit, .duration(.seconds(1), .seconds(600))),
            .value("retain", \.retain, Retention.age),
        ]

        package func faults() -> [Fault] {
            var faults: [Fault] = []
            if name.isEmpty { faults.append(Fault(key: "name", text: "is missing")) }
            if url == nil && urlFile == nil { faults.append(Fault(key: "url", text: "is missing, and url_file too")) }
            if url != nil && urlFile != nil {
                faults.append(Fault(key: "url_file", text: "stands beside url; take one"))
            }
            if purpose == nil { faults.append(Fault(key: "purpose", text: "is missing: what this camera is for")) }
            if notice == nil {
                faults.append(Fault(key: "notice", text: "is missing: what the people before this camera are told"))
            }
            return faults
        }
    }
}
