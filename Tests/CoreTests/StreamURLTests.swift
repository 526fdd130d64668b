import Core
import Testing

@Suite struct StreamURLTests {
    @Test(arguments: [
        ("rtsp://admin:geheim@cam/stream", "rtsp://***@cam/stream"),
        ("rtsp://admin@cam:554/stream", "rtsp://***@cam:554/stream"),
        ("rtsp://admin:ge/he?im@cam:554/stream", "rtsp://***@cam:554/stream"),
        ("rtsp://admin:ge@heim@cam/stream", "rtsp://***@cam/stream"),
        ("http://cam/video?user=admin&pwd=geheim&channel=1", "http://cam/video?user=***&pwd=***&channel=1"),
        ("http://cam/video?channel=1", "http://cam/video?channel=1"),
        ("http://[::1]:8080/a@b", "http://[::1]:8080/a@b"),
        ("http://cam:8080/a@b", "http://cam:8080/a@b"),
        ("rtsp://cam/stream", "rtsp://cam/stream"),
    ])
    func `what a URL shows holds no secret`(url: String, shown: String) throws {
        let parsed = try #require(StreamURL(url))
        #expect(parsed.redacted == shown)
        #expect("\(parsed)" == shown && String(reflecting: parsed) == shown)
        #expect(parsed.hasSecret == (url != shown))
        #expect(parsed.text == url)
    }

    @Test func `URLs inside a log line lose their secrets and the rest of the line stays`() {
        let line = "Connection to tcp://u:p@10.0.0.1:554?timeout=0 failed, then 'rtsp://a:b@c/d' (401)"
        #expect(
            Redaction.redact(line)
                == "Connection to tcp://***@10.0.0.1:554?timeout=0 failed, then 'rtsp://***@c/d' (401)")
        #expect(Redaction.redact("no URL at all: a@b") == "no URL at all: a@b")
    }

    @Test(arguments: [
        ("rtsp://u:p@cam-1.local:554/x", "rtsp", "cam-1.local"), ("HTTP://10.0.0.7/", "http", "10.0.0.7"),
        ("/dev/v4l/by-id/usb-Cam-index0", "v4l2", "usb-Cam-index0"), ("http://[fe80::1]:80/", "http", "fe80::1"),
    ])
    func `scheme and host are found`(url: String, scheme: String, host: String) throws {
        let parsed = try #require(StreamURL(url))
        #expect(parsed.scheme == scheme)
        #expect(parsed.host == host)
    }

    @Test(arguments: ["", "cam", "/tmp/x.mp4", "://x", "rtsp://", "rtsp://a b", "ftp\n://x", "/dev/"])
    func `what is no stream is refused`(text: String) { #expect(StreamURL(text) == nil) }
}
