// The jobs of the ledger: list and show.

internal import HTTPTypes
internal import Hummingbird

enum JobRoutes {
    private static let limits = 1...500

    static func list(_ request: Request, _ route: RouteContext) async throws -> Response {
        try JSONAnswer.make(try await route.service.jobs(query(request)))
    }

    static func show(_ context: WebContext, _ route: RouteContext) async throws -> Response {
        let id = try id(context)
        guard let job = try await route.service.job(id) else { throw ServiceRefusal.notFound("there is no job \(id)") }
        return try JSONAnswer.make(job)
    }

    static func id(_ context: WebContext) throws -> Int64 {
        let text = context.parameters.get("id") ?? ""
        guard let id = Int64(text), id > 0 else { throw ServiceRefusal.invalid("'\(text)' is no number of a job") }
        return id
    }

    /// `state` may be given several times, or as a comma list. A wrong value is refused, not passed over: a list that
    /// is not filtered looks like an answer.
    private static func query(_ request: Request) throws -> JobQuery {
        var query = JobQuery()
        for (key, value) in try parameters(request) {
            switch key {
            case "state":
                for name in value.split(separator: ",") {
                    guard let state = JobState(rawValue: String(name)) else {
                        throw ServiceRefusal.invalid(
                            "'\(name)' is no state; there are \(JobState.allCases.map(\.rawValue).joined(separator: ", "))"
                        )
                    }
                    query.states.insert(state)
                }
            case "q":
                query.text = value.isEmpty ? nil : value
            case "limit":
                guard let limit = Int(value), limits.contains(limit) else {
                    throw ServiceRefusal.invalid("limit is a number from \(limits.lowerBound) to \(limits.upperBound)")
                }
                query.limit = limit
            case "before":
                guard let before = Int64(value), before > 0 else {
                    throw ServiceRefusal.invalid("before is the number of a job")
                }
                query.before = before
            default:
                throw ServiceRefusal.invalid("there is no parameter '\(key)'; there are state, q, limit and before")
            }
        }
        return query
    }

    /// As a form writes them: a plus is a space.
    private static func parameters(_ request: Request) throws -> [(key: String, value: String)] {
        try (request.uri.query ?? "").split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1].replacing("+", with: " ") : ""
            guard let bytes = PercentCoding.decode(value), let text = String(validating: bytes, as: UTF8.self) else {
                throw ServiceRefusal.invalid("'\(pair)' is not percent-encoded as it should be")
            }
            return (String(parts[0]), text)
        }
    }
}
