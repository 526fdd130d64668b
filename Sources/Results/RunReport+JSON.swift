// The bytes of run.json: pretty, sorted keys, so that two of them can be compared line by line.

import Foundation

extension RunReport {
    package func encoded() throws(ResultsError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(withFiniteNumbers())) + [UInt8(ascii: "\n")]
        } catch {
            throw .report(String(describing: error))
        }
    }

    package static func decode(_ bytes: [UInt8]) throws(ResultsError) -> RunReport {
        do {
            return try JSONDecoder().decode(RunReport.self, from: Data(bytes))
        } catch {
            throw .report(String(describing: error))
        }
    }

    /// A rate over no time or a container's nonsense must not cost the whole result: JSON has no NaN.
    private func withFiniteNumbers() -> RunReport {
        var report = self
        report.input.duration = input.duration.flatMap { $0.isFinite ? $0 : nil }
        report.input.fps = input.fps.flatMap { $0.isFinite ? $0 : nil }
        report.timing.framesPerSecond = timing.framesPerSecond.flatMap { $0.isFinite ? $0 : nil }
        report.timing.stages = timing.stages.filter(\.value.isFinite)
        report.timing.wall = timing.wall.isFinite ? timing.wall : 0
        return report
    }
}

/// The little of a run.json that decides what may happen to its folder. Written by any version of the program.
struct PublishedReport: Decodable {
    let status: RunReport.Status
    let identity: Identity

    init?(_ bytes: [UInt8]) {
        guard let report = try? JSONDecoder().decode(PublishedReport.self, from: Data(bytes)) else { return nil }
        self = report
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        status = try members.decode(RunReport.Status.self, forKey: .status)
        let input = try members.nestedContainer(keyedBy: Key.self, forKey: .input)
        let settings = try members.nestedContainer(keyedBy: Key.self, forKey: .settings)
        identity = Identity(
            inputSHA256: try input.decode(String.self, forKey: .sha256),
            settingsHash: try settings.decode(String.self, forKey: .hash))
    }

    private enum Key: String, CodingKey { case status, input, settings, sha256, hash }
}
