// Uploads: whole or not at all, below the watched folder or not at all.

import Glibc
import Synchronization
import Testing
import Web

@Suite struct UploadTests {
    private func withIncoming(
        limit: Int64 = 1_000_000, _ body: @Sendable (Client, TemporaryFolder, FakeService) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let service = FakeService { $0.incoming = folder.bytes }
        try await withClient(service, .test(maximumUploadBytes: limit)) { try await body($0, folder, service) }
    }

    @Test func `an upload lies under its name with all its bytes, in folders that are made`() async throws {
        try await withIncoming { client, folder, _ async throws in
            let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let answer = try await client.ask("PUT", "/api/v1/files/shop%20A/day%201/ad.mp4", body: bytes)
            #expect(answer.status == 201)
            #expect(answer.text == #"{"bytes":700000,"path":"shop A/day 1/ad.mp4"}"#)
            #expect(folder.names() == ["shop A", "shop A/day 1", "shop A/day 1/ad.mp4"])
            #expect(folder.contents("shop A/day 1/ad.mp4") == bytes)
        }
    }

    @Test func `bytes of a name that are no UTF-8 arrive as they are`() async throws {
        try await withIncoming { client, _, service async throws in
            #expect(try await client.ask("PUT", "/api/v1/files/f%FF.mp4", body: [1]).status == 201)
            #expect(service.values.withLock { $0.uploads } == [Array("f".utf8) + [0xFF] + Array(".mp4".utf8)])
        }
    }

    @Test func `a taken name is refused and its file stays`() async throws {
        try await withIncoming { client, folder, _ async throws in
            try folder.write("ad.mp4", "first")
            let answer = try await client.ask("PUT", "/api/v1/files/ad.mp4", body: Array("second".utf8))
            #expect(answer.status == 409)
            #expect(folder.read("ad.mp4") == "first")
            #expect(folder.names() == ["ad.mp4"])
        }
    }

    @Test func `a name taken while the bytes came is refused at the end`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let sink = try await FolderUpload.open(Array("ad.mp4".utf8), below: folder.bytes)
        try await sink.write(Array("second".utf8))
        try folder.write("ad.mp4", "first")
        await #expect(throws: ServiceRefusal.self) { try await sink.finish() }
        await sink.abandon()
        #expect(folder.names() == ["ad.mp4"])
        #expect(folder.read("ad.mp4") == "first")
    }

    @Test func `until it is whole an upload has a hidden name only`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let sink = try await FolderUpload.open(Array("ad.mp4".utf8), below: folder.bytes)
        try await sink.write([1, 2, 3])
        let names = folder.names()
        #expect(names.count == 1 && names[0].hasPrefix(".ad.mp4.") && names[0].hasSuffix(".emotiond-upload"))
        try await sink.finish()
        #expect(folder.names() == ["ad.mp4"])
    }

    @Test func `what a killed service left is removed, and nothing else`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        for name in ["ad.mp4", ".hidden", "a/.other.part", "a/b/.emotiond-upload.mp4"] { try folder.write(name, "x") }
        let kept = folder.names()
        for path in ["ad2.mp4", "a/b/c/ad.mp4"] {
            _ = try await FolderUpload.open(Array(path.utf8), below: folder.bytes)
        }
        #expect(folder.names().count { $0.hasSuffix(".emotiond-upload") } == 2)
        #expect(try await FolderUpload.removeLeftovers(below: folder.bytes) == 2)
        #expect(folder.names() == (kept + ["a/b/c"]).sorted())
    }

    @Test func `a name as long as the file system allows fits, the temporary one too`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let name = [UInt8](repeating: UInt8(ascii: "n"), count: 255)
        let sink = try await FolderUpload.open(name, below: folder.bytes)
        try await sink.finish()
        #expect(folder.names().map(\.utf8.count) == [255])
    }

    @Test func `too large an upload is refused by its length, before any byte is taken`() async throws {
        try await withIncoming(limit: 10) { client, folder, service async throws in
            let answer = try await client.ask("PUT", "/api/v1/files/ad.mp4", body: Array("eleven byte".utf8))
            #expect(answer.status == 413)
            #expect(answer.message?.contains("10 bytes") == true)
            #expect(service.values.withLock { $0.uploads }.isEmpty)
            #expect(folder.names().isEmpty)
        }
    }

    @Test func `an upload without a length is cut off at the limit`() async throws {
        try await withIncoming(limit: 10) { client, folder, _ async throws in
            let answer = try await raw(
                client, "Transfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n")
            #expect(answer.status == 413)
            #expect(folder.names().isEmpty)
        }
    }

    @Test(arguments: [
        "Content-Length: 1000\r\n\r\nonly this much", "Transfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n123",
        "Transfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n",
    ])
    func `an upload that breaks off leaves nothing`(rest: String) async throws {
        try await withIncoming { client, folder, service async throws in
            let host = client.host
            let address = client.address
            try await blocking {
                let connection = try Connection(address)
                try connection.send(
                    "PUT /api/v1/files/ad.mp4 HTTP/1.1\r\nHost: \(host)\r\nAuthorization: Bearer \(testToken)\r\n\(rest)"
                )
                while service.values.withLock({ $0.uploads.isEmpty }) { usleep(2000) }
                connection.closeSending()
                // The end of the connection: the server has given the upload up.
                while try !connection.receive().isEmpty {}
            }
            #expect(folder.names().isEmpty)
        }
    }

    @Test(arguments: [
        "../ad.mp4", "%2e%2e/ad.mp4", "..%2fad.mp4", "a/../../ad.mp4", "/tmp/ad.mp4", "%2ftmp%2fad.mp4", ".hidden",
        ".folder/ad.mp4", "a//ad.mp4", "", "a/", "ad%00.mp4", "ad%0a.mp4", "%", "ad.%zz", ".", "..",
        String(repeating: "n", count: 256), String(repeating: "n/", count: 3000) + "n",
    ])
    func `a path that leads out, is hidden or cannot be a file's is refused`(path: String) async throws {
        try await withIncoming { client, folder, service async throws in
            let answer = try await client.ask("PUT", "/api/v1/files/\(path)", body: [1])
            #expect([400, 404].contains(answer.status))
            #expect(service.values.withLock { $0.uploads }.isEmpty)
            #expect(folder.names().isEmpty)
        }
    }

    @Test func `a link on the way is not followed`() async throws {
        let outside = try TemporaryFolder()
        defer { outside.remove() }
        try await withIncoming { client, folder, _ async throws in
            symlink(outside.path, folder.path + "/out")
            try folder.write("file", "x")
            #expect(try await client.ask("PUT", "/api/v1/files/out/ad.mp4", body: [1]).status == 409)
            #expect(try await client.ask("PUT", "/api/v1/files/file/ad.mp4", body: [1]).status == 409)
            #expect(outside.names().isEmpty)
        }
    }

    @Test func `a watched folder that is gone is an answer, not a crash`() async throws {
        try await withClient(FakeService { $0.incoming = Array("/nonexistent/incoming".utf8) }) { client async throws in
            let answer = try await client.ask("PUT", "/api/v1/files/ad.mp4", body: [1])
            #expect(answer.status == 503)
            #expect(answer.message?.contains("/nonexistent/incoming") == true)
        }
    }

    private func raw(_ client: Client, _ rest: String) async throws -> Answer {
        let (address, host) = (client.address, client.host)
        return try await blocking {
            let connection = try Connection(address)
            try connection.send(
                "PUT /api/v1/files/ad.mp4 HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
                    + "Authorization: Bearer \(testToken)\r\n\(rest)")
            return try connection.answer()
        }
    }
}
