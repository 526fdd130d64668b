// What a list shows of a result, from the result's own files: the ledger keeps where it lies, not what stands in it.

internal import Foundation
internal import Glibc
internal import Results
internal import Synchronization
internal import Web

/// Reads `run.json` and `summary.csv` of results. Keeps what it read: a result never changes, it is replaced by one of
/// another job or of a later end.
final class ResultSummaries: Sendable {
    struct Key: Hashable {
        let job: Int64
        /// Seconds since 1970.
        let ended: Double?
    }

    /// Of a report only what is shown, so that those of older and newer versions can be read.
    private struct Report: Decodable {
        struct Input: Decodable { let duration: Double? }
        struct Counts: Decodable {
            let analysed: Int
            let tracks: Int
        }
        let input: Input
        let counts: Counts
        let errors: [String]?
    }

    private static let most = 1000
    private static let greatestFile = 16 << 20
    private let known = Mutex<[Key: JobSummary]>([:])

    /// Nil where the folder has no readable report. Blocks on the disk.
    func summary(of folder: [UInt8], for key: Key) -> JobSummary? {
        if let found = known.withLock({ $0[key] }) { return found }
        guard let report = Self.file(folder, RunReport.fileName),
            let run = try? JSONDecoder().decode(Report.self, from: report)
        else { return nil }
        let table = Self.file(folder, "summary.csv").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let summary = JobSummary(
            frames: run.counts.analysed, faces: run.counts.tracks, duration: run.input.duration,
            expressions: Self.shares(table), warnings: run.errors ?? [])
        known.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[key] = summary
        }
        return summary
    }

    private static func file(_ folder: [UInt8], _ name: String) -> Data? {
        let path = folder + Array("/\(name)".utf8) + [0]
        let descriptor = path.withUnsafeBytes { bytes in
            bytes.baseAddress.map { open($0.assumingMemoryBound(to: CChar.self), O_RDONLY | O_CLOEXEC) } ?? -1
        }
        guard descriptor >= 0 else { return nil }
        return try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).read(upToCount: greatestFile)
    }

    /// The share of each emotion over all faces, each by the time it was seen. A picture's faces are seen for no time
    /// and count alike.
    static func shares(_ table: String) -> [String: Double] {
        let lines = table.split(separator: "\n")
        guard let header = lines.first?.split(separator: ",", omittingEmptySubsequences: false) else { return [:] }
        let columns: [(name: String, index: Int)] = header.enumerated().compactMap { index, name in
            guard name.hasSuffix("_share"), name != "uncertain_share" else { return nil }
            return (String(name.dropLast("_share".count)), index)
        }
        guard let seenAt = header.firstIndex(of: "seen"), !columns.isEmpty else { return [:] }
        let faces = lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
            .filter { $0.count == header.count }
        let seen = faces.map { Double($0[seenAt]) ?? 0 }
        let total = seen.reduce(0, +)
        var shares: [String: Double] = [:]
        for (face, seconds) in zip(faces, seen) {
            let weight = total > 0 ? seconds / total : 1 / Double(faces.count)
            for column in columns { shares[column.name, default: 0] += weight * (Double(face[column.index]) ?? 0) }
        }
        return shares
    }
}
