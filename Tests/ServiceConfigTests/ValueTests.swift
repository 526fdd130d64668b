// Durations, sizes, addresses, and what a reload has to restart.

import Foundation
import ServiceConfig
import TestSupport
import Testing

@Test(arguments: [
    ("0", Duration.zero), ("200ms", .milliseconds(200)), ("2s", .seconds(2)), ("1.5m", .seconds(90)),
    ("1h30m", .seconds(5400)), ("7d", .seconds(604_800)), ("40us", .microseconds(40)),
])
func `durations are read as people write them`(text: String, duration: Duration) {
    #expect(Amount.duration(text) == duration)
    #expect(Amount.duration(Amount.text(duration)) == duration)
}

@Test(arguments: [
    "", "5", "s", "5 s", "-5s", "5S", "1.s", ".5s", "1..2s", "٣s", "9999999999999d", "1e3s", "nan", "5s ",
])
func `what is no duration is none`(text: String) { #expect(Amount.duration(text) == nil) }

@Test(arguments: [
    ("0", Int64(0)), ("512", 512), ("5GiB", 5 << 30), ("1.5 MiB", 3 << 19), ("2GB", 2_000_000_000), ("3kb", 3000),
])
func `sizes are read as people write them`(text: String, bytes: Int64) {
    #expect(Amount.bytes(text) == bytes)
    #expect(Amount.bytes(Amount.text(bytes: bytes)) == bytes)
}

@Test(arguments: ["", "GiB", "-1B", "1XB", "1.5.2GiB", "99999999999PiB", "1e5", "inf", "0x10", "9223372036854775808"])
func `what is no size is none`(text: String) { #expect(Amount.bytes(text) == nil) }

@Test func `any duration survives being written and read`() {
    var random = SeededGenerator(TestSeed.current)
    for _ in 0..<1000 {
        let duration = Duration.microseconds(Int64.random(in: 0...(1 << Int64.random(in: 1...55)), using: &random))
        #expect(Amount.duration(Amount.text(duration)) == duration, "\(duration), seed \(random.seed)")
    }
}

@Test(arguments: [
    ("rtsp://cam/live", "rtsp://cam/live"), ("rtsp://admin:pw@cam:554/live", "rtsp://***@cam:554/live"),
    ("rtsp://admin@cam/live", "rtsp://***@cam/live"),
    ("http://cam/v?user=a&PWD=b&channel=1", "http://cam/v?user=***&PWD=***&channel=1"),
    ("rtsp://a:p@ss/w?rd@cam/live?token=x", "rtsp://***@cam/live?token=***"),
    ("/dev/v4l/by-id/usb", "/dev/v4l/by-id/usb"),
    ("", ""), ("://", "://"), ("rtsp://a:b@", "rtsp://***@"),
])
func `addresses lose their secrets`(address: String, shown: String) { #expect(redacted(address) == shown) }

@Test(arguments: [
    ("127.0.0.1:8420", true), ("[::1]:80", true), ("localhost:0", true), ("127.9.9.9:1", true),
    ("0.0.0.0:80", false), ("192.168.1.2:80", false), ("127.evil.example:80", false), ("[::]:80", false),
])
func `loopback is told from the rest`(address: String, isLoopback: Bool) throws {
    let http = try parsed("http: {address: \"\(address)\", token_file: /t}").configuration.http
    #expect(http.address?.isLoopback == isLoopback && http.address?.description == address)
}

@Test(arguments: ["127.0.0.1", "127.0.0.1:70000", "::1:80", ":80", "host name:80", "a/b:80"])
func `what is no address is refused`(address: String) {
    #expect(!refusal("http: {address: \"\(address)\", token_file: /t}").isEmpty)
}

@Test func `both listeners can be switched off`() throws {
    let http = try parsed("http: {address: none, socket: off}").configuration.http
    #expect(http.address == nil && http.socket == nil)
}

@Test func `words that YAML takes for something else stay words`() throws {
    let yaml = "hooks:\n  - on: [done]\n    command: [/bin/x, on, 1:30, 010, yes, null2]\n"
    #expect(try parsed(yaml).configuration.hooks[0].command == ["/bin/x", "on", "1:30", "010", "yes", "null2"])
}

@Test func `a reload knows which sections changed`() throws {
    let old = ServiceConfiguration()
    #expect(ServiceConfiguration.changes(from: old, to: old).isEmpty)
    let new = try parsed("watch: {quiet: 1s}\nlog: {level: debug}\n" + camera).configuration
    #expect(ServiceConfiguration.changes(from: old, to: new) == [.watch, .log, .streams])
    #expect(Set(ServiceConfiguration.Part.allCases.map(\.rawValue)) == Set(ServiceConfiguration.fields.map(\.key)))
}

@Test func `streams that did not change run on`() throws {
    func stream(_ name: String, _ fps: Double) -> ServiceConfiguration.Stream {
        var stream = ServiceConfiguration.Stream()
        stream.name = name
        stream.fps = fps
        return stream
    }
    var old = ServiceConfiguration(), new = ServiceConfiguration()
    old.streams = [stream("a", 1), stream("b", 1), stream("c", 1)]
    new.streams = [stream("c", 1), stream("b", 2), stream("d", 1)]
    let changes = ServiceConfiguration.streamChanges(from: old, to: new)
    #expect(changes.ended == ["a", "b"] && changes.begun.map(\.name) == ["b", "d"])
}

@Test func `a credential is a file in systemd's folder`() {
    let environment = ["CREDENTIALS_DIRECTORY": "/run/credentials/emotiond.service"]
    let path = ServiceConfiguration.credentialPath("credential:token", environment: environment)
    #expect(path == "/run/credentials/emotiond.service/token")
    #expect(ServiceConfiguration.credentialPath("credential:token", environment: [:]) == nil)
    #expect(ServiceConfiguration.credentialPath("/etc/t", environment: [:]) == "/etc/t")
}
