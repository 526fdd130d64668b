// Who may do what: token, cookie, Host, Origin; and what never shows.

import Synchronization
import Testing
import Web

@Suite struct AccessTests {
    private let service = FakeService { values in
        values.jobs[3] = JobView(id: 3, path: Array("ad.mp4".utf8), state: .failed, queuedAt: 1)
    }
    private let retry = "/api/v1/jobs/3/retry"

    private func stranger(_ client: Client) -> Client {
        var client = client
        client.token = nil
        return client
    }

    @Test(arguments: [
        "/api/v1/jobs", "/metrics", "/openapi.json", "/api/v1/events", "/api/v1/jobs/3/results", "/assets/app.js",
        "/nothing",
    ])
    func `over TCP nothing of the data is shown without the token`(path: String) async throws {
        try await withClient(service) { client async throws in
            let answer = try await stranger(client).get(path)
            #expect(answer.status == 401)
            #expect(answer.header("www-authenticate") == "Bearer")
            #expect(!answer.text.contains("ad.mp4"))
        }
    }

    @Test(arguments: ["/healthz", "/readyz", "/assets/app.css", "/assets/icon.svg"])
    func `signs of life and the sign-in page's files need no token`(path: String) async throws {
        try await withClient(service) { client async throws in
            #expect(try await stranger(client).get(path).status == 200)
        }
    }

    @Test(arguments: ["", "x", "0123456789abcdef0123456789abcdee", "0123456789abcdef0123456789abcdef0"])
    func `a wrong token is refused for what changes state`(token: String) async throws {
        try await withClient(service) { client async throws in
            var wrong = client
            wrong.token = token
            #expect(try await wrong.ask("POST", retry).status == 401)
            #expect(service.values.withLock { $0.retried }.isEmpty)
        }
    }

    @Test func `the link signs a browser in once and leaves no token in the address`() async throws {
        try await withClient(service) { client async throws in
            let answer = try await stranger(client).get("/?token=\(testToken)")
            #expect(answer.status == 303)
            #expect(answer.header("location") == "/")
            let cookie = try #require(answer.header("set-cookie"))
            #expect(cookie.contains("; HttpOnly"))
            #expect(cookie.contains("; SameSite=Strict"))
            let pair = String(cookie.prefix { $0 != ";" })
            let page = try await stranger(client).get("/", ["Cookie": pair])
            #expect(page.status == 200)
            #expect(page.text.contains("/assets/app.js"))
            #expect(try await stranger(client).get("/?token=\(testToken)", ["Cookie": pair]).status == 303)
        }
    }

    @Test func `without a cookie the page is a form, which signs in with the right token only`() async throws {
        try await withClient(service) { client async throws in
            let stranger = stranger(client)
            let form = try await stranger.get("/")
            #expect(form.status == 401)
            #expect(form.text.contains("<form"))
            #expect(try await stranger.get("/?token=wrong-wrong-wrong").status == 401)
            let type = ["Content-Type": "application/x-www-form-urlencoded", "Origin": "http://\(client.host)"]
            let good = try await stranger.ask("POST", "/session", type, body: Array("token=\(testToken)".utf8))
            #expect(good.status == 303)
            #expect(good.header("set-cookie")?.contains(testToken) == true)
            let bad = try await stranger.ask("POST", "/session", type, body: Array("token=guess-guess-guess".utf8))
            #expect(bad.status == 401)
            #expect(bad.header("set-cookie") == nil)
        }
    }

    @Test func `a cookie alone changes nothing: our own page must have asked`() async throws {
        try await withClient(service) { client async throws in
            let link = try await stranger(client).get("/?token=\(testToken)")
            let cookie = String(try #require(link.header("set-cookie")).prefix { $0 != ";" })
            let browser = stranger(client)
            #expect(try await browser.get("/api/v1/jobs", ["Cookie": cookie]).status == 200)
            #expect(try await browser.ask("POST", retry, ["Cookie": cookie]).status == 403)
            let foreign = ["Cookie": cookie, "Origin": "http://evil.example"]
            #expect(try await browser.ask("POST", retry, foreign).status == 403)
            #expect(service.values.withLock { $0.retried }.isEmpty)
            let own = ["Cookie": cookie, "Origin": "http://\(client.host)"]
            #expect(try await browser.ask("POST", retry, own).status == 200)
        }
    }

    @Test(arguments: ["http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1", "null", "http://", "file://"])
    func `another origin is refused even with the token`(origin: String) async throws {
        try await withClient(service) { client async throws in
            #expect(try await client.ask("POST", retry, ["Origin": origin]).status == 403)
            #expect(try await client.ask("POST", retry, ["Sec-Fetch-Site": "cross-site"]).status == 403)
            #expect(try await client.ask("POST", retry, ["Sec-Fetch-Site": "same-site"]).status == 403)
        }
    }

    @Test(arguments: [
        "evil.example", "evil.example:8750", "127.0.0.1.evil.example", "", "169.254.169.254", "localhost@evil", "[::2]",
    ])
    func `a name that is not ours is refused, whatever else comes with it`(host: String) async throws {
        try await withClient(service) { client async throws in
            #expect(try await client.get("/healthz", ["Host": host]).status == 421)
            #expect(try await client.ask("POST", retry, ["Host": host]).status == 421)
        }
    }

    @Test(arguments: [
        "localhost", "LOCALHOST:9000", "localhost.:1", "127.0.0.1", "[::1]:80", "media.example.org",
        "media.example.org:443",
    ])
    func `loopback names and configured ones are ours at any port, as behind a tunnel`(host: String) async throws {
        try await withClient(service, .test(hostNames: ["media.example.org"])) { client async throws in
            #expect(try await client.get("/healthz", ["Host": host]).status == 200)
        }
    }

    @Test func `behind a proxy with TLS the page's origin is the configured name`() async throws {
        try await withClient(service, .test(hostNames: ["media.example.org"])) { client async throws in
            let headers = ["Host": "media.example.org", "Origin": "https://media.example.org"]
            #expect(try await client.ask("POST", retry, headers).status == 200)
        }
    }

    @Test func `every answer carries the headers that keep a browser safe`() async throws {
        try await withClient(service) { client async throws in
            for path in ["/", "/api/v1/jobs", "/nothing", "/healthz"] {
                let answer = try await client.get(path)
                let policy = try #require(answer.header("content-security-policy"))
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
                #expect(!policy.contains("unsafe"))
                #expect(answer.header("x-content-type-options") == "nosniff")
                #expect(answer.header("referrer-policy") == "no-referrer")
                #expect(answer.header("cache-control") == "no-store")
                #expect(answer.header("access-control-allow-origin") == nil)
            }
        }
    }

    @Test func `the page has nothing inline and nothing from elsewhere`() async throws {
        try await withClient(service) { client async throws in
            let page = try await client.get("/").text
            #expect(!page.contains("style="))
            #expect(!page.contains("http"))
            let scripts = page.ranges(of: "<script").count
            #expect(scripts == page.ranges(of: "<script type=\"module\" src=\"/assets/").count)
        }
    }

    @Test func `no log line at any level holds the token`() async throws {
        let log = LogLines()
        try await withServer(service, logger: log.logger()) { addresses async throws in
            let client = Client(addresses[0], token: testToken)
            _ = try await client.get("/?token=\(testToken)")
            _ = try await client.ask("POST", retry)
            _ = try await stranger(client).get("/?token=\(testToken)")
            _ = try await client.get("/api/v1/jobs?token=\(testToken)")
        }
        #expect(log.all.contains("POST \(retry) 200"))
        #expect(!log.all.contains(testToken))
    }

    @Test func `a token shows in no description`() throws {
        let token = try AccessToken(testToken)
        var dumped = ""
        dump(WebConfiguration(listen: [], token: token), to: &dumped)
        #expect(
            !"\(token) \(String(reflecting: token)) \(String(reflecting: Optional(token)))\(dumped)".contains(testToken)
        )
    }
}
