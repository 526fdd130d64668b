// The list of everything that can be asked, as `openapi.json` describes it; a test compares the two.

internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// What the routes need.
struct RouteContext: Sendable {
    let configuration: WebConfiguration
    let service: any ServiceState
    let relay: EventRelay
    let rules: AccessRules
}

struct Route: Sendable {
    typealias Answer = @Sendable (Request, WebContext, RouteContext) async throws -> Response

    let method: HTTPRequest.Method
    /// `{path}` stands for all the rest of an address, other names for one part of it.
    let template: String
    let answer: Answer

    init(_ method: HTTPRequest.Method, _ template: String, _ answer: @escaping Answer) {
        self.method = method
        self.template = template
        self.answer = answer
    }

    static let all: [Route] =
        pages + [
            Route(.get, "/healthz") { _, _, route in try await ServiceRoutes.health(route) },
            Route(.get, "/readyz") { _, _, route in try await ServiceRoutes.readiness(route) },
            Route(.get, "/metrics") { _, _, route in await ServiceRoutes.metrics(route) },
            Route(.get, "/api/v1/jobs") { request, _, route in try await JobRoutes.list(request, route) },
            Route(.get, "/api/v1/jobs/{id}") { _, context, route in try await JobRoutes.show(context, route) },
            Route(.post, "/api/v1/jobs/{id}/retry") { _, context, route in
                try JSONAnswer.make(try await route.service.retry(JobRoutes.id(context)))
            },
            Route(.post, "/api/v1/jobs/{id}/cancel") { _, context, route in
                try JSONAnswer.make(try await route.service.cancel(JobRoutes.id(context)))
            },
            Route(.get, "/api/v1/jobs/{id}/results") { _, context, route in try await ResultRoutes.list(context, route)
            },
            Route(.get, "/api/v1/jobs/{id}/results/{path}", ResultRoutes.file),
            Route(.put, "/api/v1/files/{path}", UploadRoute.put),
            Route(.delete, "/api/v1/files/{path}", OperationRoutes.purge),
            Route(.get, "/api/v1/why/{path}", OperationRoutes.why),
            Route(.get, "/api/v1/verify") { _, _, route in try JSONAnswer.make(try await route.service.verify()) },
            Route(.get, "/api/v1/streams") { _, _, route in try await ServiceRoutes.streams(route) },
            Route(.get, "/api/v1/streams/{name}/frame") { _, context, route in
                try await ServiceRoutes.frame(context, route)
            },
            Route(.get, "/api/v1/events") { request, _, route in ServiceRoutes.events(request, route) },
        ]

    private static let pages: [Route] = [
        Route(.get, "/") { request, _, _ in
            // Signed in already: the link was opened once more, and its token must not stay in the history.
            if request.uri.queryParameters["token"] != nil {
                return Response(status: .seeOther, headers: [.location: "/"])
            }
            return Asset.page.response()
        },
        Route(.post, "/session") { request, _, route in try await SignIn.answerForm(request, route.rules) },
        Route(.get, "/assets/{file}") { _, context, _ in
            let name = context.parameters.get("file") ?? ""
            guard let asset = Asset.files[name] else { throw ServiceRefusal.notFound("there is no asset of that name") }
            return asset.response()
        },
        Route(.get, "/openapi.json") { _, _, _ in Asset.openAPI.response() },
    ]

    static func router(_ context: RouteContext, logger: Logger) -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: RequestGate(rules: context.rules, logger: logger))
        for route in all {
            let path = route.template.replacing("{path}", with: "**")
            router.on(RouterPath(path), method: route.method) { request, webContext in
                try await route.answer(request, webContext, context)
            }
        }
        return router
    }
}

enum JSONAnswer {
    static func make(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try JSON.encode(value))))
    }
}
