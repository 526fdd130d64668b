// How a browser gets the cookie: by the link with the token, or by typing the token.

internal import HTTPTypes
internal import Hummingbird

enum SignIn {
    private static let days = 30

    /// Cookies do not know ports, so two services on one machine need two names.
    static func cookieName(_ listener: ListenAddress) -> String {
        if case .tcp(_, let port) = listener { return "emotiond_\(port)" }
        return "emotiond"
    }

    /// `/` without a cookie: the link signs in and leads to the address without the token, so that it stays in no
    /// history; without it there is a form.
    static func answerRoot(_ request: Request, _ rules: AccessRules) throws -> Response {
        guard let candidate = request.uri.queryParameters["token"] else { return page(.unauthorized) }
        return answer(String(candidate), rules)
    }

    static func answerForm(_ request: Request, _ rules: AccessRules) async throws -> Response {
        let body = try await request.body.collect(upTo: 4096)
        let fields = String(buffer: body).split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
        let value = fields.first { $0.count == 2 && $0[0] == "token" }?[1] ?? ""
        return answer(PercentCoding.decode(value).map { String(decoding: $0, as: UTF8.self) } ?? "", rules)
    }

    private static func answer(_ candidate: String, _ rules: AccessRules) -> Response {
        guard let token = rules.token, token.matches(candidate.utf8) else { return page(.unauthorized) }
        let cookie =
            "\(cookieName(rules.listener))=\(token.cookieValue); Path=/; Max-Age=\(days * 86_400); HttpOnly; SameSite=Strict"
        return Response(status: .seeOther, headers: [.location: "/", .setCookie: cookie])
    }

    private static func page(_ status: HTTPResponse.Status) -> Response {
        var response = Asset.signIn.response(status: status)
        // With no-referrer, as on all other pages, a browser would say `Origin: null` when the form is sent.
        if let policy = HTTPField.Name("Referrer-Policy") { response.headers[policy] = "same-origin" }
        return response
    }
}
