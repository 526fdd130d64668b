// `jobs verify`: do the ledger, the folders and the results agree?

internal import Foundation
internal import Glibc
internal import Intake
internal import Ledger
internal import ServiceConfig

package struct VerificationReport: Codable, Sendable, Equatable {
    package var jobs = 0
    package var results = 0
    /// Empty: all agrees.
    package var problems: [String] = []
}

struct Verifier: Sendable {
    let configuration: ServiceConfiguration

    /// Blocks on folders: for a lane of its own.
    ///
    /// - Parameter isIdle: no job runs, so that nothing temporary may lie around.
    func compare(_ ledger: Ledger.Verification, isIdle: Bool) throws -> VerificationReport {
        var report = VerificationReport(jobs: ledger.jobs.count, problems: ledger.problems)
        let store = ResultStore(root: Array(configuration.state.resultsFolder.utf8))
        let stored = try store.list().filter { !$0.path.starts(with: Array("streams/".utf8)) }
        report.results = stored.count
        let there = Set(stored.map(\.path))
        var unclaimed = there
        for job in ledger.jobs {
            if let result = job.result {
                if job.state == .done, job.answeredBy == nil, !there.contains(result) {
                    report.problems.append("job \(job.id): its result \(shown(result)) is not there")
                }
                if let problem = identityProblem(job, result) { report.problems.append(problem) }
                unclaimed.remove(result)
            }
            if let problem = placeProblem(job) { report.problems.append(problem) }
        }
        // A running job may have published already.
        if isIdle {
            report.problems += unclaimed.sorted { $0.lexicographicallyPrecedes($1) }.map {
                "results/\(shown($0)) belongs to no job"
            }
            report.problems += temporaries()
        }
        return report
    }

    /// run.json's input must be the one that the ledger knows.
    private func identityProblem(_ job: Ledger.Job, _ result: [UInt8]) -> String? {
        guard job.state == .done, let expected = job.sha256 else { return nil }
        struct Report: Decodable {
            struct Input: Decodable { let sha256: String }
            let input: Input
        }
        let file = configuration.state.resultsFolder + "/" + shown(result) + "/run.json"
        guard let data = FileManager.default.contents(atPath: file) else { return nil }
        guard let report = try? JSONDecoder().decode(Report.self, from: data) else {
            return "job \(job.id): \(file) cannot be read"
        }
        return report.input.sha256 == expected ? nil : "job \(job.id): \(file) is of another input"
    }

    /// An input lies where the ledger says.
    private func placeProblem(_ job: Ledger.Job) -> String? {
        guard let placed = job.placedAt, let slash = placed.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let root: String
        switch shown(Array(placed[..<slash])) {
        case "done": root = configuration.state.doneFolder
        case "failed": root = configuration.state.failedFolder
        default: return nil
        }
        let path = Array(root.utf8) + placed[slash...]
        // By bytes: a name need not be UTF-8.
        let isThere = (path + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                $0.baseAddress.map { faccessat(AT_FDCWD, $0, F_OK, AT_SYMLINK_NOFOLLOW) == 0 } ?? false
            }
        }
        if isThere { return nil }
        return "job \(job.id): its input is not at \(shown(path))"
    }

    private func temporaries() -> [String] {
        let roots = [
            configuration.state.resultsFolder, configuration.state.doneFolder, configuration.state.failedFolder,
            configuration.state.workFolder,
        ]
        var found: [String] = []
        for root in roots {
            let files = FileManager.default.enumerator(atPath: root)
            while let name = files?.nextObject() as? String {
                let last = name.split(separator: "/").last ?? ""
                if last.hasPrefix(".emotiond-") { found.append("\(root)/\(name) is a leftover") }
            }
        }
        return found
    }
}
