// Why, verify and purge: what an operator asks of a path below the watched folder.

internal import HTTPTypes
internal import Hummingbird

enum OperationRoutes {
    static func why(_ request: Request, _ context: WebContext, _ route: RouteContext) async throws -> Response {
        // Hidden files may be asked about: that they are ignored is the answer.
        let path = try path(request, behind: "/api/v1/why/", hiddenAllowed: true)
        return try JSONAnswer.make(try await route.service.why(path.bytes))
    }

    static func purge(_ request: Request, _ context: WebContext, _ route: RouteContext) async throws -> Response {
        let path = try path(request, behind: "/api/v1/files/", hiddenAllowed: true)
        return try JSONAnswer.make(try await route.service.purge(path.bytes))
    }

    private static func path(_ request: Request, behind prefix: String, hiddenAllowed: Bool) throws -> RelativePath {
        do {
            return try RelativePath(encoded: request.uri.path.dropFirst(prefix.count), hiddenAllowed: hiddenAllowed)
        } catch {
            throw ServiceRefusal.invalid(error.description)
        }
    }
}
