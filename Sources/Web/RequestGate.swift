// What stands before every route: access, the headers that every answer carries, and errors as JSON.

internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

struct WebContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    var responseEncoder: JSONEncoder { JSON.encoder() }
}

struct RequestGate: RouterMiddleware {
    typealias Context = WebContext

    let rules: AccessRules
    let logger: Logger

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request, context, next)
        } catch let error as any HTTPResponseError {
            response = try error.response(from: request, context: context)
        } catch let refusal as ServiceRefusal {
            response = try HTTPError(refusal.status, message: refusal.description)
                .response(from: request, context: context)
        } catch is CancellationError {
            response = try HTTPError(.serviceUnavailable, message: "the service stops")
                .response(from: request, context: context)
        } catch {
            logger.error("a request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            response = try HTTPError(.internalServerError, message: "this failed inside; the service's log says why")
                .response(from: request, context: context)
        }
        for (name, value) in Self.headers where response.headers[name] == nil { response.headers[name] = value }
        if request.isChanging {
            // Who did what and when; the address's query and all headers stay out, they may hold the token.
            logger.info(
                "\(request.method) \(request.uri.path) \(response.status.code)",
                metadata: ["from": "\(context.channel.remoteAddress?.ipAddress ?? "the Unix socket")"])
            closeIfUnread(request, &response, context)
        }
        return response
    }

    private func answer(
        _ request: Request, _ context: WebContext, _ next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        switch rules.decide(AccessRequest(request, context, cookieName: SignIn.cookieName(rules.listener))) {
        case .allowed:
            return try await next(request, context)
        case .tokenNeeded:
            if request.method == .get, request.uri.path == "/" {
                return try SignIn.answerRoot(request, rules)
            }
            throw HTTPError(
                .unauthorized, headers: [.wwwAuthenticate: "Bearer"],
                message:
                    "this needs the token: as `Authorization: Bearer …`, or open the link that `emotiond serve` prints")
        case .wrongHost:
            throw HTTPError(
                .misdirectedRequest,
                message: "this service is not known by that name; names are added with `http.host_names`")
        case .wrongOrigin:
            throw HTTPError(.forbidden, message: "another page asked for this, so it is not done")
        }
    }

    /// A refused upload's bytes would be read to their end; a client that goes on sending is cut off instead.
    private func closeIfUnread(_ request: Request, _ response: inout Response, _ context: WebContext) {
        guard request.method == .put, response.status.code >= 400 else { return }
        response.headers[.connection] = "close"
        let channel = context.channel
        // Hummingbird waits for the client to close, which a stop cannot.
        let patience = Task.isCancelled ? TimeAmount.milliseconds(100) : .seconds(3)
        channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    }

    private static let headers: [(HTTPField.Name, String)] =
        [
            (.contentSecurityPolicy, contentPolicy),
            (.xContentTypeOptions, "nosniff"),
            (.cacheControl, "no-store"),
        ]
        + [
            ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
        ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }

    /// Everything from here, nothing inline: a file's name that is a script stays a name.
    private static let contentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

extension AccessRequest {
    fileprivate init(_ request: Request, _ context: WebContext, cookieName: String) {
        method = request.isChanging ? .changing : .reading
        path = request.uri.path
        host = request.head.authority
        origin = request.headers[.origin]
        fetchSite = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
        let scheme = "bearer "
        bearer = request.headers[.authorization].flatMap { value in
            value.lowercased().hasPrefix(scheme) ? String(value.dropFirst(scheme.count)) : nil
        }
        cookie = request.cookies[cookieName]?.value
        localAddress = context.channel.localAddress?.ipAddress
    }
}

extension Request {
    var isChanging: Bool { method != .get && method != .head && method != .options }
}

extension ServiceRefusal {
    var status: HTTPResponse.Status {
        switch self {
        case .notFound: .notFound
        case .conflict: .conflict
        case .invalid: .badRequest
        case .unavailable: .serviceUnavailable
        case .noSpace: .init(code: 507, reasonPhrase: "Insufficient Storage")
        }
    }
}
