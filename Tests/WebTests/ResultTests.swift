// Files of a result: what is served, in parts too, and that nothing else is.

import Glibc
import Testing
import Web

@Suite struct ResultTests {
    /// `work/result` is the result; what lies beside it must never come out.
    private func withResult(_ body: @Sendable (Client, TemporaryFolder) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try folder.write("result/timeline.csv", "frame,timestamp\n0,0.000000\n")
        try folder.write("result/run.json", "{}")
        try folder.write("result/frames/000001.jpg", "jpeg")
        try folder.write("result/.hidden", "secret")
        try folder.write("secret.txt", "secret")
        symlink("../secret.txt", folder.path + "/result/link.txt")
        symlink("..", folder.path + "/result/up")
        mkfifo(folder.path + "/result/pipe", 0o600)
        let service = FakeService { $0.folders[5] = Array("\(folder.path)/result".utf8) }
        try await withClient(service) { try await body($0, folder) }
    }

    @Test func `the list names plain files with their types, and no link or hidden one`() async throws {
        try await withResult { client, _ async throws in
            struct Files: Decodable { let files: [ResultFileView] }
            let files = try await client.get("/api/v1/jobs/5/results").decoded(Files.self).files
            #expect(files.map(\.path) == ["frames/000001.jpg", "run.json", "timeline.csv"])
            #expect(files.map(\.type) == ["image/jpeg", "application/json", "text/csv; charset=utf-8"])
            #expect(files[2].bytes == 27)
            #expect(try await client.get("/api/v1/jobs/6/results").status == 404)
        }
    }

    @Test func `a file comes whole, with type and length`() async throws {
        try await withResult { client, _ async throws in
            let answer = try await client.get("/api/v1/jobs/5/results/timeline.csv")
            #expect(answer.status == 200)
            #expect(answer.text == "frame,timestamp\n0,0.000000\n")
            #expect(answer.header("content-length") == "27")
            #expect(answer.header("content-type") == "text/csv; charset=utf-8")
            #expect(answer.header("accept-ranges") == "bytes")
            #expect(answer.header("content-disposition")?.hasPrefix("inline") == true)
            let download = try await client.get("/api/v1/jobs/5/results/frames/000001.jpg?download")
            #expect(download.header("content-disposition") == "attachment; filename*=UTF-8''000001.jpg")
        }
    }

    @Test func `HEAD tells the length and sends nothing`() async throws {
        try await withResult { client, _ async throws in
            let answer = try await client.ask("HEAD", "/api/v1/jobs/5/results/timeline.csv")
            #expect(answer.status == 200)
            #expect(answer.header("content-length") == "27")
            #expect(answer.body.isEmpty)
        }
    }

    @Test(arguments: [
        ("bytes=0-4", 206, "frame", "bytes 0-4/27"), ("bytes=6-14", 206, "timestamp", "bytes 6-14/27"),
        ("bytes=-3", 206, "00\n", "bytes 24-26/27"), ("bytes=25-", 206, "0\n", "bytes 25-26/27"),
        ("bytes=20-999999999999999999999", 206, "00000\n".suffix(7).description, "bytes 20-26/27"),
        ("bytes=27-", 416, "", "bytes */27"), ("bytes=-0", 416, "", "bytes */27"),
    ])
    func `a range of bytes is what was asked for`(
        range: String, status: Int, body: String, contentRange: String
    ) async throws {
        try await withResult { client, _ async throws in
            let answer = try await client.get("/api/v1/jobs/5/results/timeline.csv", ["Range": range])
            #expect(answer.status == status)
            #expect(answer.header("content-range") == contentRange)
            if status == 206, !range.contains("999") { #expect(answer.text == body) }
        }
    }

    @Test(arguments: ["bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "bytes=", "bytes=-"])
    func `a range that is not understood is passed over`(range: String) async throws {
        try await withResult { client, _ async throws in
            let answer = try await client.get("/api/v1/jobs/5/results/timeline.csv", ["Range": range])
            #expect(answer.status == 200)
            #expect(answer.body.count == 27)
        }
    }

    @Test func `a part of another version of the file is not mixed in`() async throws {
        try await withResult { client, folder async throws in
            let path = "/api/v1/jobs/5/results/timeline.csv"
            let tag = try #require(try await client.get(path).header("etag"))
            let same = try await client.get(path, ["Range": "bytes=0-4", "If-Range": tag])
            #expect(same.status == 206)
            try folder.write("result/timeline.csv", "another content\n")
            let other = try await client.get(path, ["Range": "bytes=0-4", "If-Range": tag])
            #expect(other.status == 200)
            #expect(other.text == "another content\n")
        }
    }

    @Test func `a large file comes byte for byte`() async throws {
        try await withResult { client, folder async throws in
            let text = (0..<200_000).map { "\($0)\n" }.joined()
            try folder.write("result/large.csv", text)
            #expect(try await client.get("/api/v1/jobs/5/results/large.csv").text == text)
        }
    }

    @Test(arguments: [
        "../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", "%2e%2e%2fsecret.txt", "frames/../../secret.txt",
        "link.txt", "up/secret.txt", "up/result/run.json", ".hidden", "%2ehidden", "/etc/passwd", "%2fetc%2fpasswd",
        "frames", "frames/", "pipe", "timeline.csv/x", "timeline.csv%00.jpg", "%", "%zz", "", "..", ".", "//run.json",
    ])
    func `no path leads out of the result folder or to what is no plain file`(path: String) async throws {
        try await withResult { client, _ async throws in
            let answer = try await client.get("/api/v1/jobs/5/results/\(path)")
            #expect(answer.status == 404 || answer.status == 400 || (path.isEmpty && answer.text.contains("files")))
            #expect(
                !answer.text.contains("secret\n") && !answer.text.hasPrefix("secret") && !answer.text.contains("root:"))
        }
    }

    @Test func `a file shown by itself has no rights at all`() async throws {
        try await withResult { client, folder async throws in
            try folder.write("result/page.html", "<script>alert(1)</script>")
            let answer = try await client.get("/api/v1/jobs/5/results/page.html")
            #expect(answer.header("content-type") == "application/octet-stream")
            #expect(answer.header("x-content-type-options") == "nosniff")
            #expect(answer.header("content-security-policy")?.contains("sandbox") == true)
        }
    }
}
