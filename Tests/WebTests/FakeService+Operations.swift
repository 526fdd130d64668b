// What an operator asks, as the fake answers it.

import Web

extension FakeService {
    func why(_ path: [UInt8]) async throws -> WhyView {
        let event = WhyEvent(at: 1, kind: "sighting", job: nil, text: "seen: waiting")
        return WhyView(path: String(decoding: path, as: UTF8.self), now: "it waits", events: [event])
    }

    func verify() async throws -> VerifyView { VerifyView(jobs: 2, results: 1, problems: ["job 1: no result"]) }

    func purge(_ path: [UInt8]) async throws -> PurgeView {
        PurgeView(path: String(decoding: path, as: UTF8.self), removed: ["job 1"])
    }
}
