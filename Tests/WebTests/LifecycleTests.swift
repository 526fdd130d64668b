// Listening and ending: addresses, sockets, tokens, graceful shutdown.

import Foundation
import Glibc
import Logging
import ServiceLifecycle
import Testing
import Web

@Suite struct LifecycleTests {
    private let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private func fails(
        _ listen: [ListenAddress], _ isExpected: (WebError) -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let server = try WebServer(
            WebConfiguration(listen: listen, token: try AccessToken(testToken)), service: FakeService(), logger: quiet)
        do {
            try await server.run()
            Issue.record("it listens", sourceLocation: sourceLocation)
        } catch let error as WebError {
            #expect(isExpected(error), "\(error)", sourceLocation: sourceLocation)
        }
    }

    @Test func `a taken port is named in the error`() async throws {
        try await withServer { addresses async throws in
            try await fails(addresses) { $0 == .addressTaken(addresses[0].description) }
        }
    }

    @Test func `an address that is not this machine's is named with the reason`() async throws {
        try await fails([.tcp(host: "192.0.2.1", port: 0)]) { $0.description.contains("192.0.2.1:0: ") }
    }

    @Test func `TCP without a token is refused, loopback too; a socket needs none`() throws {
        for host in ["127.0.0.1", "0.0.0.0", "::1"] {
            #expect(throws: WebError.self) {
                try WebServer(
                    WebConfiguration(listen: [.tcp(host: host, port: 0)]), service: FakeService(), logger: quiet)
            }
        }
        #expect(throws: WebError.nothingToListenOn) {
            try WebServer(WebConfiguration(listen: []), service: FakeService(), logger: quiet)
        }
        _ = try WebServer(
            WebConfiguration(listen: [.unix(Array("/tmp/x.sock".utf8))]), service: FakeService(), logger: quiet)
    }

    @Test func `whoever may open the socket needs no token; its mode is 0660 and it goes at the end`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.path + "/web.sock"
        let service = FakeService { $0.jobs[3] = JobView(id: 3, path: [65], state: .failed, queuedAt: 1) }
        try await withServer(service, .test(listen: [.unix(Array(path.utf8))])) { addresses async throws in
            var status = stat()
            #expect(lstat(path, &status) == 0)
            #expect(status.st_mode & 0o7777 == 0o660)
            #expect(folder.names() == ["web.sock"])
            let client = Client(addresses[0])
            #expect(try await client.get("/api/v1/jobs").status == 200)
            #expect(try await client.ask("POST", "/api/v1/jobs/3/retry").status == 200)
            #expect(
                try await client.ask("POST", "/api/v1/jobs/3/cancel", ["Origin": "http://evil.example"]).status == 403)
        }
        #expect(folder.names().isEmpty)
    }

    @Test func `the socket of a dead process is replaced, that of a living one is not`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = Array((folder.path + "/web.sock").utf8)
        // A socket that nobody listens on, as a kill leaves it.
        let dead = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path) }
        let bound = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(dead, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        close(dead)
        let quiet = quiet
        try await withServer(FakeService(), .test(listen: [.unix(path)])) { addresses async throws in
            #expect(try await Client(addresses[0]).get("/healthz").status == 200)
            let second = try WebServer(
                WebConfiguration(listen: [.unix(path)]), service: FakeService(), logger: quiet)
            await #expect(throws: WebError.addressTaken("unix:" + String(decoding: path, as: UTF8.self))) {
                try await second.run()
            }
            #expect(try await Client(addresses[0]).get("/healthz").status == 200)
        }
    }

    @Test func `a file that is no socket stays`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try folder.write("web.sock", "precious")
        try await fails([.unix(Array((folder.path + "/web.sock").utf8))]) { $0.description.contains("no socket") }
        #expect(folder.read("web.sock") == "precious")
        #expect(folder.names() == ["web.sock"])
    }

    @Test func `a path too long for a socket is an error that says so`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.path + "/" + String(repeating: "s", count: 100)
        try await fails([.unix(Array(path.utf8))]) { $0.description.contains("too long") }
        #expect(folder.names().isEmpty)
    }

    @Test func `both kinds of address are served at once`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let listen = [ListenAddress.unix(Array((folder.path + "/s").utf8)), .tcp(host: "127.0.0.1", port: 0)]
        try await withServer(FakeService(), .test(listen: listen)) { addresses async throws in
            #expect(addresses.count == 2)
            for address in addresses { #expect(try await Client(address).get("/healthz").status == 200) }
            #expect(try await Client(addresses[1]).get("/api/v1/jobs").status == 401)
        }
    }

    @Test func `graceful shutdown ends open event streams and a stuck upload, and the server with them`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let service = FakeService { $0.incoming = folder.bytes }
        let (ready, isReady) = AsyncStream.makeStream(of: ListenAddress.self)
        let server = try WebServer(
            WebConfiguration(
                listen: [.tcp(host: "127.0.0.1", port: 0)], token: try AccessToken(testToken),
                shutdownGrace: .milliseconds(100)),
            service: service, logger: quiet
        ) { isReady.yield($0[0]) }
        let group = ServiceGroup(configuration: .init(services: [server], logger: quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await address in ready {
                let head = "Host: \(Client(address).host)\r\nAuthorization: Bearer \(testToken)\r\n"
                let events = try await blocking {
                    let connection = try Connection(address)
                    try connection.send("GET /api/v1/events HTTP/1.1\r\n\(head)\r\n")
                    _ = try connection.receive { $0.contains("hello") }
                    return connection
                }
                let upload = try await blocking {
                    let connection = try Connection(address)
                    try connection.send("PUT /api/v1/files/ad.mp4 HTTP/1.1\r\n\(head)Content-Length: 100\r\n\r\nsome")
                    while folder.names().isEmpty { usleep(2000) }
                    return connection
                }
                await group.triggerGracefulShutdown()
                // Both ends come by themselves; a server that hung would let the client's ten seconds pass.
                _ = try await blocking { try events.receive { _ in false } }
                _ = try? await blocking { try upload.receive { _ in false } }
                break
            }
            try await tasks.waitForAll()
        }
        #expect(folder.names().isEmpty)
    }

    @Test func `a token file is made for its owner alone, and read again`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.path + "/token"
        let made = try AccessToken.readOrCreate(file: Array(path.utf8))
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        let text = try #require(folder.read("token")).trimmingCharacters(in: .newlines)
        #expect(text.count == 64)
        let link = try AccessToken.readOrCreate(file: Array(path.utf8)).signInLink(.tcp(host: "0.0.0.0", port: 8750))
        #expect(link == "http://localhost:8750/?token=\(text)")
        #expect(made.signInLink(.tcp(host: "::1", port: 1)) == "http://[::1]:1/?token=\(text)")
        #expect(made.signInLink(.unix([65])) == nil)
    }

    @Test func `a token file that cannot be used is named, its content is not`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try folder.write("short", "hunter2\n")
        try folder.write("spaces", "a secret with spaces in it\n")
        try folder.write("good", "  \(testToken) \r\nsecond line\n")
        for name in ["short", "spaces", "missing"] {
            do {
                _ = try AccessToken.read(file: Array("\(folder.path)/\(name)".utf8))
                Issue.record("\(name) was taken")
            } catch {
                #expect(error.description.contains("\(folder.path)/\(name)"))
                #expect(!error.description.contains("hunter2") && !error.description.contains("a secret"))
            }
        }
        let token = try AccessToken.read(file: Array("\(folder.path)/good".utf8))
        #expect(token.signInLink(.tcp(host: "h", port: 1))?.hasSuffix(testToken) == true)
    }
}
