// Everything that belongs to one input, or to all inputs below a folder, is removed: for whoever asks to be forgotten.

internal import Foundation
internal import Intake
internal import Ledger
internal import ServiceConfig

struct PurgeReport: Sendable {
    var jobs: [Int64] = []
    var running: [Int64] = []
    /// For people: what was removed.
    var removed: [String] = []
}

struct Purge: Sendable {
    let configuration: ServiceConfiguration
    let ledger: Ledger

    /// Results first, rows last: a purge that was cut off can be repeated. A line in the audit stays.
    func run(_ path: [UInt8], who: String) async throws -> PurgeReport {
        var report = PurgeReport()
        let steps = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        // Nothing that could mean the folder itself or lead out of it.
        guard steps.allSatisfy({ !$0.isEmpty && $0 != [UInt8(ascii: ".")] && $0 != Array("..".utf8)[...] }) else {
            throw InputError("'\(shown(path))' is no path below the watched folder")
        }
        let page = try await ledger.jobs(Ledger.Filter(under: path, limit: 1_000_000))
        report.running = page.jobs.filter { $0.state == .running }.map(\.id)
        guard report.running.isEmpty else { return report }
        let state = configuration.state
        let store = ResultStore(root: Array(state.resultsFolder.utf8))
        for job in page.jobs {
            if let result = job.result, job.answeredBy == nil, try store.remove(result) {
                report.removed.append("result \(shown(result))")
            }
            remove(input(job), into: &report)
            if job.state == .failed { remove(input(job) + ".error.json", into: &report) }
            remove("\(state.workFolder)/\(job.id)", into: &report)
        }
        remove(state.incomingFolder + "/" + shown(path), into: &report)
        let streams = Array("streams/".utf8)
        if page.jobs.isEmpty, path.starts(with: streams), try store.remove(path) {
            report.removed.append("segments \(shown(path))")
            let rest = path.dropFirst(streams.count)
            if !rest.contains(UInt8(ascii: "/")) { _ = try await ledger.forgetStream(shown(Array(rest)), who: who) }
        }
        report.jobs = try await ledger.purge(path, who: who).jobs.map(\.id)
        report.removed += report.jobs.map { "job \($0)" }
        return report
    }

    private func input(_ job: Ledger.Job) -> String {
        let state = configuration.state
        guard let placed = job.placedAt.map(shown), let slash = placed.firstIndex(of: "/") else {
            return state.incomingFolder + "/" + shown(job.path)
        }
        return (placed.hasPrefix("done/") ? state.doneFolder : state.failedFolder) + placed[slash...]
    }

    private func remove(_ file: String, into report: inout PurgeReport) {
        if (try? FileManager.default.removeItem(atPath: file)) != nil { report.removed.append(file) }
    }
}
