// The stream of events: what a listener is told, also one that comes back.

import Testing
import Web

@Suite struct EventTests {
    private let job = JobView(id: 3, path: Array("ad.mp4".utf8), state: .running, queuedAt: 1)

    /// Opens the stream, and reads until `isEnough`; `then` is done once the stream has begun.
    private func listen(
        _ client: Client, after lastID: String? = nil, then: @escaping @Sendable () -> Void = {},
        until isEnough: @escaping @Sendable (String) -> Bool
    ) async throws -> String {
        let (address, host) = (client.address, client.host)
        return try await blocking {
            let connection = try Connection(address)
            let resume = lastID.map { "Last-Event-ID: \($0)\r\n" } ?? ""
            try connection.send(
                "GET /api/v1/events HTTP/1.1\r\nHost: \(host)\r\nAuthorization: Bearer \(testToken)\r\n\(resume)\r\n")
            let start = try connection.receive { $0.contains("id: ") || isEnough($0) }
            then()
            return try start + connection.receive { isEnough(start + $0) }
        }
    }

    private func lastID(_ text: String) -> String? {
        text.split(whereSeparator: \.isNewline).last { $0.hasPrefix("id: ") }.map { String($0.dropFirst(4)) }
    }

    @Test func `a new listener is told to read the lists, then each event as one line of JSON`() async throws {
        let service = FakeService()
        let job = job
        try await withClient(service) { client async throws in
            let text = try await listen(
                client,
                then: {
                    service.tell(.job(job))
                    service.tell(.progress(.init(id: 3, progress: JobProgress(fraction: 0.5, frames: 12))))
                    service.tell(.counts([.running: 1]))
                    service.tell(.streamRemoved("hall"))
                    service.tell(.readiness(ReadinessView(isReady: false, reasons: ["disk"])))
                },
                until: { $0.contains(#"["disk"]}"#) })
            #expect(
                text.contains("content-type: text/event-stream") || text.contains("Content-Type: text/event-stream"))
            #expect(text.contains("event: hello\ndata: {}\n\n"))
            #expect(text.contains("event: job\ndata: {\"attempts\":0,"))
            #expect(
                text.contains(#"event: progress"# + "\n" + #"data: {"id":3,"progress":{"fraction":0.5,"frames":12}}"#))
            #expect(text.contains(#"data: {"cancelled":0,"done":0,"failed":0,"queued":0,"running":1}"#))
            #expect(text.contains("event: stream-removed\ndata: {\"name\":\"hall\"}"))
        }
    }

    @Test func `a listener that comes back is told what it missed, in order and once`() async throws {
        let service = FakeService()
        try await withClient(service) { client async throws in
            let first = try await listen(
                client, then: { service.tell(.streamRemoved("a")) }, until: { $0.contains("\"a\"") })
            let seen = try #require(lastID(first))
            // Another listener makes sure that the next two have been taken in.
            _ = try await listen(
                client,
                then: {
                    service.tell(.streamRemoved("b"))
                    service.tell(.streamRemoved("c"))
                }, until: { $0.contains("\"c\"") })
            let back = try await listen(client, after: seen, until: { $0.contains("\"c\"") })
            #expect(!back.contains("\"a\"") && !back.contains("hello"))
            let b = try #require(back.firstRange(of: "\"b\"")), c = try #require(back.firstRange(of: "\"c\""))
            #expect(b.lowerBound < c.lowerBound)
        }
    }

    @Test(arguments: ["other-5", "nonsense", "", "-", "x-99999999999999999999999"])
    func `a listener from before a restart is told to read everything anew`(id: String) async throws {
        try await withClient { client async throws in
            let text = try await listen(client, after: id, until: { $0.contains("event: ") })
            #expect(text.contains("event: reset") || text.contains("event: hello"))
        }
    }

    @Test func `a listener that missed more than is kept is told to read everything anew`() async throws {
        let service = FakeService()
        try await withClient(service) { client async throws in
            let first = try await listen(client, until: { $0.contains("event: hello\ndata: {}\n\n") })
            let seen = try #require(lastID(first))
            for round in 0..<10 {
                // Each round is taken in before the next: the fake's own buffer is smaller than what is kept.
                _ = try await listen(
                    client, then: { for number in 0..<120 { service.tell(.streamRemoved("\(round)/\(number)")) } },
                    until: { $0.contains("\"\(round)/119\"") })
            }
            let back = try await listen(client, after: seen, until: { $0.contains("event: ") })
            #expect(back.contains("event: reset"))
        }
    }

    @Test func `silence is broken by signs of life`() async throws {
        try await withClient(FakeService(), .test(heartbeat: .milliseconds(20))) { client async throws in
            let text = try await listen(client, until: { $0.ranges(of: ": still here\n\n").count >= 2 })
            #expect(text.ranges(of: ": still here\n\n").count >= 2)
        }
    }

    @Test func `listeners that left are let go`() async throws {
        let service = FakeService()
        try await withClient(service, .test(heartbeat: .milliseconds(20))) { client async throws in
            for _ in 0..<5 { _ = try await listen(client, until: { $0.contains("hello") }) }
            var isEmpty = false
            // Each answer is an event to wait for; the heartbeats between them find the closed connections.
            for _ in 0..<2000 where !isEmpty {
                isEmpty = try await client.get("/metrics").text.contains("emotiond_http_event_listeners 0\n")
            }
            #expect(isEmpty)
        }
    }
}
