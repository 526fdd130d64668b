// The lines of the job protocol as bytes.

import Foundation

extension JobOrder {
    /// With its line end.
    /// - Throws: `tooLong`, as the other side would refuse it.
    package func encodedLine() throws(JobProtocolError) -> [UInt8] { try Wire.line(of: self) }

    package init(line: [UInt8]) throws(JobProtocolError) { self = try Wire.value(of: line) }
}

extension JobReport {
    package func encodedLine() throws(JobProtocolError) -> [UInt8] { try Wire.line(of: self) }

    package init(line: [UInt8]) throws(JobProtocolError) { self = try Wire.value(of: line) }
}

private enum Wire {
    static func line(of value: some Encodable) throws(JobProtocolError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do {
            bytes = Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            throw .malformed(line: "\(value)", reason: "\(error)")
        }
        guard bytes.count <= JobProtocol.longestLine else { throw .tooLong(limit: JobProtocol.longestLine) }
        return bytes
    }

    static func value<Value: Decodable>(of line: [UInt8]) throws(JobProtocolError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(line))
        } catch {
            throw .malformed(line: PathBytes.shown(Array(line.prefix(200))), reason: reason(error))
        }
    }

    /// Without the paths and types that a DecodingError prints.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "\(key.stringValue) is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\(context.codingPath.last?.stringValue ?? "it") is of another kind"
        case DecodingError.dataCorrupted(let context): context.debugDescription
        default: "\(error)"
        }
    }
}

extension JobOrder: Codable {
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: WireKey.self)
        job = try members.decode(Int64.self, forKey: "job")
        attempt = try members.decode(forKey: "attempt", or: 1)
        switch try members.decode(String.self, forKey: "order") {
        case "run": what = .run(try members.decode(JobDescription.self, forKey: "description"))
        case "stop": what = .stop
        case "cancel": what = .cancel
        case "answer": what = .answer(try members.decodeIfPresent(KnownResult.self, forKey: "result"))
        case let other:
            throw DecodingError.dataCorruptedError(
                forKey: "order", in: members, debugDescription: "the order '\(other)' is unknown")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: WireKey.self)
        try members.encode(job, forKey: "job")
        try members.encode(attempt, forKey: "attempt")
        switch what {
        case .run(let description):
            try members.encode("run", forKey: "order")
            try members.encode(description, forKey: "description")
        case .stop: try members.encode("stop", forKey: "order")
        case .cancel: try members.encode("cancel", forKey: "order")
        case .answer(let result):
            try members.encode("answer", forKey: "order")
            try members.encodeIfPresent(result, forKey: "result")
        }
    }
}

/// `{"attempt":1,"event":"progress","job":7,"progress":{…}}`: what belongs to an event stands under its name.
extension JobReport: Codable {
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: WireKey.self)
        job = try members.decode(Int64.self, forKey: "job")
        attempt = try members.decode(forKey: "attempt", or: 1)
        let name = try members.decode(String.self, forKey: "event")
        let key = WireKey(stringValue: name)
        event =
            switch name {
            case "ready": .ready(try members.decode(WorkerIdentity.self, forKey: key))
            case "started": .started
            case "hashed":
                .hashed(
                    sha256: try members.decode(String.self, forKey: key),
                    settingsHash: try members.decode(String.self, forKey: "settings_hash"))
            case "progress": .progress(try members.decode(JobProgress.self, forKey: key))
            case "alive": .alive
            case "checkpoint": .checkpoint(try members.decode(JobCheckpoint.self, forKey: key))
            case "stream": .stream(try members.decode(StreamReport.self, forKey: key))
            case "published": .published(try members.decode(JobResult.self, forKey: key))
            case "skipped": .skipped(try members.decode(JobResult.self, forKey: key))
            case "failed": .failed(try members.decode(JobFailure.self, forKey: key))
            default: .other(name)
            }
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: WireKey.self)
        try members.encode(job, forKey: "job")
        try members.encode(attempt, forKey: "attempt")
        let key = WireKey(stringValue: event.name)
        try members.encode(event.name, forKey: "event")
        switch event {
        case .ready(let identity): try members.encode(identity, forKey: key)
        case .hashed(let sha256, let settingsHash):
            try members.encode(sha256, forKey: key)
            try members.encode(settingsHash, forKey: "settings_hash")
        case .progress(let progress): try members.encode(progress.withFiniteNumbers, forKey: key)
        case .checkpoint(let checkpoint): try members.encode(checkpoint, forKey: key)
        case .stream(let report): try members.encode(report, forKey: key)
        case .published(let result), .skipped(let result): try members.encode(result, forKey: key)
        case .failed(let failure): try members.encode(failure, forKey: key)
        case .started, .alive, .other: break
        }
    }
}

extension JobEvent {
    package var name: String {
        switch self {
        case .ready: "ready"
        case .started: "started"
        case .hashed: "hashed"
        case .progress: "progress"
        case .alive: "alive"
        case .checkpoint: "checkpoint"
        case .stream: "stream"
        case .published: "published"
        case .skipped: "skipped"
        case .failed: "failed"
        case .other(let name): name
        }
    }
}

extension JobProgress {
    fileprivate var withFiniteNumbers: JobProgress {
        JobProgress(
            share: share.flatMap { $0.isFinite ? min(max($0, 0), 1) : nil }, frames: frames,
            positionSeconds: positionSeconds.flatMap { $0.isFinite ? $0 : nil })
    }
}

extension JobResult: Codable {
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: WireKey.self)
        status = try members.decode(RunReport.Status.self, forKey: "status")
        path = try members.decodePath(forKey: "path")
        exit = try members.decode(ExitReason.self, forKey: "exit")
        frames = try members.decode(forKey: "frames", or: 0)
        faces = try members.decode(forKey: "faces", or: 0)
        seconds = try members.decode(forKey: "seconds", or: 0)
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: WireKey.self)
        try members.encode(status, forKey: "status")
        try members.encodePath(path, forKey: "path")
        try members.encode(exit, forKey: "exit")
        try members.encode(frames, forKey: "frames")
        try members.encode(faces, forKey: "faces")
        try members.encodeIfFinite(seconds, forKey: "seconds")
    }
}

extension KnownResult: Codable {
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: WireKey.self)
        folder = try members.decodePath(forKey: "folder")
        isPartial = try members.decode(forKey: "partial", or: false)
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: WireKey.self)
        try members.encodePath(folder, forKey: "folder")
        try members.encode(isPartial, forKey: "partial")
    }
}

extension JobFailure: Codable {
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: WireKey.self)
        exit = try members.decode(ExitReason.self, forKey: "exit")
        reason = try members.decode(String.self, forKey: "reason")
        isDiskFull = try members.decode(forKey: "disk_full", or: false)
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: WireKey.self)
        try members.encode(exit, forKey: "exit")
        try members.encode(reason, forKey: "reason")
        try members.encode(isDiskFull, forKey: "disk_full")
    }
}
