// The files of a job's result: list, and one of them, also in parts.

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

enum ResultRoutes {
    private static let chunk = 128 * 1024
    /// A file opened by itself in a tab is shown with no rights at all.
    private static let filePolicy =
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"

    static func list(_ context: WebContext, _ route: RouteContext) async throws -> Response {
        let folder = try await folder(context, route)
        let files = try await Blocking.run { try folder.files() }
        return try JSONAnswer.make(["files": files])
    }

    static func file(_ request: Request, _ context: WebContext, _ route: RouteContext) async throws -> Response {
        let prefix = "/api/v1/jobs/\(context.parameters.get("id") ?? "")/results/"
        let path: RelativePath
        do {
            path = try RelativePath(encoded: request.uri.path.dropFirst(prefix.count), hiddenAllowed: false)
        } catch {
            throw ServiceRefusal.invalid(error.description)
        }
        let folder = try await folder(context, route)
        guard let file = try await Blocking.run({ try folder.open(path) }) else {
            throw ServiceRefusal.notFound("the result has no file \(shown(path.bytes))")
        }
        return response(file, path, request)
    }

    private static func folder(_ context: WebContext, _ route: RouteContext) async throws -> ResultFolder {
        let id = try JobRoutes.id(context)
        guard let folder = try await route.service.resultFolder(id) else {
            throw ServiceRefusal.notFound("job \(id) has no result")
        }
        return ResultFolder(path: folder)
    }

    private static func response(_ file: OpenedFile, _ path: RelativePath, _ request: Request) -> Response {
        var headers: HTTPFields = [
            .contentType: MediaTypes.of(path.bytes), .acceptRanges: "bytes", .eTag: file.tag,
            .contentSecurityPolicy: filePolicy,
        ]
        let name = PercentCoding.encode(path.components.last ?? [])
        let isDownload = request.uri.queryParameters["download"] != nil
        headers[.contentDisposition] = "\(isDownload ? "attachment" : "inline"); filename*=UTF-8''\(name)"
        // The part was cut from another file: all of this one is what the client needs.
        let ifRange = HTTPField.Name("If-Range").flatMap { request.headers[$0] }
        let isSame = ifRange == nil || ifRange == file.tag
        switch ByteRange(header: isSame ? request.headers[.range] : nil, size: file.size) {
        case .all:
            return Response(status: .ok, headers: headers, body: body(file, 0..<file.size))
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.size)"
            return Response(status: .partialContent, headers: headers, body: body(file, range))
        case .unsatisfiable:
            return Response(status: .rangeNotSatisfiable, headers: [.contentRange: "bytes */\(file.size)"])
        }
    }

    private static func body(_ file: OpenedFile, _ range: Range<Int64>) -> ResponseBody {
        ResponseBody(contentLength: Int(range.upperBound - range.lowerBound)) { writer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let start = offset
                let count = Int(min(Int64(chunk), range.upperBound - start))
                let bytes = try await Blocking.run { try file.file.read(at: start, count: count) }
                // The length is promised already: a file that shrank can only be told by breaking off.
                guard bytes.count == count else { throw FileError(code: 5, doing: "read all of", path: file.file.path) }
                try await writer.write(ByteBuffer(bytes: bytes))
                offset += Int64(count)
            }
            try await writer.finish(nil)
        }
    }
}
