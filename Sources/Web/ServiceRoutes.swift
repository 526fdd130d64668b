// Signs of life, metrics, streams and events.

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

enum ServiceRoutes {
    static func health(_ route: RouteContext) async throws -> Response {
        let health = await route.service.health()
        return try JSONAnswer.make(health, status: health.isAlive ? .ok : .serviceUnavailable)
    }

    static func readiness(_ route: RouteContext) async throws -> Response {
        let readiness = await route.service.readiness()
        return try JSONAnswer.make(readiness, status: readiness.isReady ? .ok : .serviceUnavailable)
    }

    static func metrics(_ route: RouteContext) async -> Response {
        var text = MetricsText(await route.service.metrics())
        text.add(
            "emotiond_http_event_listeners", .gauge, "Open connections that are told events.",
            Double(route.relay.listenerCount))
        return Response(
            status: .ok, headers: [.contentType: MetricsText.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text.text)))
    }

    static func streams(_ route: RouteContext) async throws -> Response {
        try JSONAnswer.make(["streams": try await route.service.streams()])
    }

    static func frame(_ context: WebContext, _ route: RouteContext) async throws -> Response {
        let name = (context.parameters.get("name") ?? "").removingPercentEncodingStrictly
        guard let picture = try await route.service.streamFrame(name) else {
            throw ServiceRefusal.notFound("there is no picture of a stream of that name")
        }
        return Response(
            status: .ok, headers: [.contentType: "image/jpeg"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: picture)))
    }

    /// Server-sent events: `hello` to a new listener, `reset` to one that missed too much; both mean "read the lists".
    static func events(_ request: Request, _ route: RouteContext) -> Response {
        let lastID = HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }
        var headers: HTTPFields = [.contentType: "text/event-stream"]
        // A proxy that collects the answer first would hold all events back.
        if let buffering = HTTPField.Name("X-Accel-Buffering") { headers[buffering] = "no" }
        let body = ResponseBody { writer in
            // Two lines at once, so that a browser comes back after a second and not after its own three.
            try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
            if let events = route.relay.listen(after: lastID) {
                for await event in events { try await writer.write(ByteBuffer(string: event.text)) }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}

extension String {
    /// As it is where it is not percent-encoded as it should be.
    fileprivate var removingPercentEncodingStrictly: String {
        PercentCoding.decode(self).map { String(decoding: $0, as: UTF8.self) } ?? self
    }
}
