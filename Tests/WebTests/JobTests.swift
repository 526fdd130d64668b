// Jobs over HTTP: list, show, retry, cancel.

import Synchronization
import Testing
import Web

@Suite struct JobTests {
    private let service = FakeService { values in
        values.jobs[3] = JobView(id: 3, path: Array("a/ad.mp4".utf8), state: .failed, queuedAt: 1)
        values.jobs[4] = JobView(id: 4, path: [0x66, 0xFF], state: .running, queuedAt: 2)
    }

    @Test func `the list holds jobs, counts of all states and the next page`() async throws {
        try await withClient(service) { client async throws in
            let answer = try await client.get("/api/v1/jobs")
            #expect(answer.status == 200)
            #expect(answer.header("content-type") == "application/json")
            let page = try answer.decoded(JobPage.self)
            #expect(page.jobs.map(\.id) == [4, 3])
            #expect(page.next == 7)
            #expect(answer.text.contains(#""counts":{"cancelled":0,"done":0,"failed":1,"queued":0,"running":1}"#))
        }
    }

    @Test func `a path that is no UTF-8 comes with its exact bytes`() async throws {
        try await withClient(service) { client async throws in
            let job = try await client.get("/api/v1/jobs/4").decoded(JobView.self)
            #expect(job.path == "f\u{FFFD}")
            #expect(job.pathBase64 == "Zv8=")
            #expect(try await client.get("/api/v1/jobs/3").decoded(JobView.self).pathBase64 == nil)
        }
    }

    @Test func `filter, text and paging reach the service`() async throws {
        try await withClient(service) { client async throws in
            _ = try await client.get("/api/v1/jobs?state=failed,queued&q=a+b%2B&limit=7&before=99")
            let query = JobQuery(states: [.failed, .queued], text: "a b+", limit: 7, before: 99)
            #expect(service.values.withLock { $0.queries } == [query])
        }
    }

    @Test(arguments: ["state=lost", "limit=0", "limit=501", "limit=x", "before=-1", "sort=name", "q=%zz", "q=%ff"])
    func `a parameter that is not understood is refused, not passed over`(query: String) async throws {
        try await withClient(service) { client async throws in
            let answer = try await client.get("/api/v1/jobs?\(query)")
            #expect(answer.status == 400)
            #expect(answer.message != nil)
            #expect(service.values.withLock { $0.queries }.isEmpty)
        }
    }

    @Test func `a failed job is retried and the answer shows it queued`() async throws {
        try await withClient(service) { client async throws in
            let answer = try await client.ask("POST", "/api/v1/jobs/3/retry")
            #expect(answer.status == 200)
            #expect(try answer.decoded(JobView.self).state == .queued)
            #expect(service.values.withLock { $0.retried } == [3])
        }
    }

    @Test func `a job that is not failed is not retried, and the answer says why`() async throws {
        try await withClient(service) { client async throws in
            let answer = try await client.ask("POST", "/api/v1/jobs/4/retry")
            #expect(answer.status == 409)
            #expect(answer.message == "job 4 has not failed")
        }
    }

    @Test func `a running job is cancelled`() async throws {
        try await withClient(service) { client async throws in
            #expect(try await client.ask("POST", "/api/v1/jobs/4/cancel").status == 200)
            #expect(service.values.withLock { $0.cancelled } == [4])
        }
    }

    @Test(arguments: [("/api/v1/jobs/9", 404), ("/api/v1/jobs/x", 400), ("/api/v1/jobs/-3", 400), ("/nothing", 404)])
    func `what is not there is answered with a sentence`(path: String, status: Int) async throws {
        try await withClient(service) { client async throws in
            #expect(try await client.get(path).status == status)
        }
    }

    @Test(arguments: [
        (ServiceRefusal.unavailable("intake is paused"), 503), (.noSpace("the disk is full"), 507),
        (.conflict("no"), 409), (.invalid("bad"), 400), (.notFound("none"), 404),
    ])
    func `each refusal of the service has its status and keeps its sentence`(
        refusal: ServiceRefusal, status: Int
    ) async throws {
        try await withClient(FakeService { $0.refusal = refusal }) { client async throws in
            let answer = try await client.get("/api/v1/jobs")
            #expect(answer.status == status)
            #expect(answer.message == refusal.description)
        }
    }

    @Test func `health and readiness answer by status and by reason`() async throws {
        let paused = FakeService {
            $0.readiness = ReadinessView(isReady: false, reasons: ["intake is paused: 1 GB free"])
            $0.isAlive = false
        }
        try await withClient(paused) { client async throws in
            let ready = try await client.get("/readyz")
            #expect(ready.status == 503)
            #expect(ready.text == #"{"is_ready":false,"reasons":["intake is paused: 1 GB free"]}"#)
            #expect(try await client.get("/healthz").status == 503)
        }
        try await withClient(service) { client async throws in
            #expect(try await client.get("/readyz").status == 200)
            #expect(try await client.get("/healthz").status == 200)
        }
    }

    @Test func `streams are listed and their last frame is a JPEG`() async throws {
        let service = FakeService {
            $0.streams = [StreamView(name: "front door", url: "rtsp://***@cam/", phase: .live, purpose: "p")]
            $0.frames = ["front door": [0xFF, 0xD8, 0xFF]]
        }
        try await withClient(service) { client async throws in
            let answer = try await client.get("/api/v1/streams")
            struct Streams: Decodable { let streams: [StreamView] }
            #expect(try answer.decoded(Streams.self).streams == service.streams())
            let frame = try await client.get("/api/v1/streams/front%20door/frame?at=1")
            #expect(frame.status == 200)
            #expect(frame.header("content-type") == "image/jpeg")
            #expect(frame.body == [0xFF, 0xD8, 0xFF])
            #expect(try await client.get("/api/v1/streams/none/frame").status == 404)
        }
    }
}
