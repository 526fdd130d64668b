// What rounds remember of each other, so that they tell only what is new, and know what ought to be there.

struct IntakeMemory: Sendable {
    private struct File {
        /// Nil for files that the ledger expects and no round has seen yet.
        var fingerprint: Fingerprint?
        var device: UInt64?
        var verdict: Verdict?
    }

    private var files: [[UInt8]: File]
    /// Last verdicts on names that are no files to take in.
    private var others: [[UInt8]: Verdict] = [:]

    init(expecting: Set<[UInt8]>) {
        files = Dictionary(expecting.map { ($0, File()) }, uniquingKeysWith: { first, _ in first })
    }

    /// Files that are there or ought to be.
    var count: Int { files.count }

    func expects(_ file: FoundFile) -> Bool {
        guard let known = files[file.path] else { return false }
        guard let before = known.fingerprint else { return true }
        return before.sizeBytes == file.fingerprint.sizeBytes
            && before.mtimeNanoseconds == file.fingerprint.mtimeNanoseconds
    }

    mutating func forget(_ path: [UInt8]) { files[path] = nil }

    mutating func note(_ file: FoundFile, _ verdict: Verdict, in round: inout IntakeRound) {
        let before = files[file.path]
        files[file.path] = File(fingerprint: file.fingerprint, device: file.device, verdict: verdict)
        others[file.path] = nil
        // A growing file has another fingerprint in each round; that alone is no news.
        let isSettled = if case .waiting = verdict { false } else { true }
        if before?.verdict != verdict || isSettled && before?.fingerprint != file.fingerprint {
            round.sightings.append(Sighting(path: file.path, fingerprint: file.fingerprint, verdict: verdict))
        }
    }

    mutating func note(_ other: Sighting, in round: inout IntakeRound) {
        if others.updateValue(other.verdict, forKey: other.path) != other.verdict { round.sightings.append(other) }
    }

    /// After a full scan of a folder that is present: what was not found is gone, unless it could not be looked for.
    /// Returns the paths that are not there.
    mutating func compare(with scan: ScanResult, in round: inout IntakeRound) -> [[UInt8]] {
        let seen = Set(scan.files.map(\.path))
        var absent: [[UInt8]] = []
        for (path, file) in files where !seen.contains(path) {
            if scan.unreadable.contains(where: { Paths.isSame(path, orBelow: $0.path) }) { continue }
            absent.append(path)
            if let verdict = Self.verdict(on: path, file, in: scan) {
                if file.verdict != verdict {
                    files[path]?.verdict = verdict
                    round.sightings.append(Sighting(path: path, fingerprint: file.fingerprint, verdict: verdict))
                }
            } else {
                files[path] = nil
                if scan.ignored.contains(where: { $0.path == path }) { continue }
                round.sightings.append(Sighting(path: path, fingerprint: file.fingerprint, verdict: .gone))
            }
        }
        let unseen = Set(scan.ignored.map(\.path)).union(scan.unreadable.map(\.path))
        others = others.filter { unseen.contains($0.key) }
        return absent
    }

    /// Nil for a file that is gone. A file on a file system of its own, mounted in a sub-folder, is unavailable when
    /// that sub-folder is on the device around it.
    private static func verdict(on path: [UInt8], _ file: File, in scan: ScanResult) -> Verdict? {
        guard let device = file.device, device != scan.rootDevice else { return nil }
        var folder = Paths.parent(path)
        while scan.folders[folder] == nil, !folder.isEmpty { folder = Paths.parent(folder) }
        guard scan.folders[folder] != device else { return nil }
        return .unavailable("the file system on which it lay is not mounted")
    }
}
