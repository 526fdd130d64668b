// A file comes in by PUT: streamed to the sink, never held in memory.

internal import HTTPTypes
internal import Hummingbird

enum UploadRoute {
    /// Bytes are passed on in pieces of this size: each one is a hop to another thread.
    private static let piece = 256 * 1024

    private struct Uploaded: Encodable {
        let path: String
        let bytes: Int64
    }

    static func put(_ request: Request, _ context: WebContext, _ route: RouteContext) async throws -> Response {
        let path: RelativePath
        do {
            path = try RelativePath(encoded: request.uri.path.dropFirst("/api/v1/files/".count), hiddenAllowed: false)
        } catch {
            throw ServiceRefusal.invalid(error.description)
        }
        let limit = route.configuration.maximumUploadBytes
        let announced = request.headers[.contentLength].flatMap { Int64($0) }
        if let announced, announced > limit { throw tooLarge(limit) }

        let sink = try await route.service.upload(path.bytes)
        let count: Int64
        do {
            count = try await copy(request.body, to: sink, limit: limit)
            // Cancellation closes the input, which looks like the end of a body without a length.
            try Task.checkCancellation()
            if let announced, announced != count {
                throw ServiceRefusal.invalid("the upload broke off: \(count) of \(announced) bytes came")
            }
        } catch {
            await sink.abandon()
            throw error is ServiceRefusal || error is HTTPError || error is CancellationError
                ? error : ServiceRefusal.invalid("the upload broke off")
        }
        do {
            try await sink.finish()
        } catch {
            await sink.abandon()
            throw error
        }
        return try JSONAnswer.make(
            Uploaded(path: String(decoding: path.bytes, as: UTF8.self), bytes: count), status: .created)
    }

    private static func copy(_ body: RequestBody, to sink: any UploadSink, limit: Int64) async throws -> Int64 {
        var count: Int64 = 0
        var pending: [UInt8] = []
        pending.reserveCapacity(2 * piece)
        for try await buffer in body {
            count += Int64(buffer.readableBytes)
            guard count <= limit else { throw tooLarge(limit) }
            buffer.withUnsafeReadableBytes { pending.append(contentsOf: $0) }
            if pending.count >= piece {
                try await sink.write(pending)
                pending.removeAll(keepingCapacity: true)
            }
        }
        if !pending.isEmpty { try await sink.write(pending) }
        return count
    }

    private static func tooLarge(_ limit: Int64) -> HTTPError {
        HTTPError(
            .contentTooLarge,
            message: "files of at most \(limit) bytes are taken; the limit is `http.maximum_upload_bytes`")
    }
}
