// The file, above it the environment, above that the command line; and what is said about each value.

import Foundation
import ServiceConfig
import Testing

@Test func `the environment goes before the file and options before both`() throws {
    let yaml = "workers:\n  count: 1\n  attempts: 1\n  reuse: 1\n"
    let configuration = try parsed(
        yaml, environment: ["EMOTIOND_WORKERS_COUNT": "2", "EMOTIOND_WORKERS_ATTEMPTS": "2"],
        overrides: ["workers.count": "3"]
    ).configuration
    #expect(configuration.workers.count == .fixed(3))
    #expect(configuration.workers.attempts == 2 && configuration.workers.reuse == 1)
}

@Test func `a value from outside can heal one of the file`() throws {
    #expect(
        try parsed("workers:\n  count: many\n", overrides: ["workers.count": "4"]).configuration.workers.count
            == .fixed(4))
}

@Test func `empty and foreign variables change nothing`() throws {
    let environment = [
        "EMOTIOND_WORKERS_COUNT": "", "EMOTIOND_TEST_DATA": "/x", "EMOTIOND_STREAM": "rtsp://c/", "PATH": "/",
    ]
    #expect(try parsed("", environment: environment).configuration == ServiceConfiguration())
}

@Test func `a misspelt variable is refused and the nearest is named`() {
    #expect(
        refusal("", environment: ["EMOTIOND_WORKERS_CONUT": "2"])
            == ["EMOTIOND_WORKERS_CONUT: sets no known key; did you mean EMOTIOND_WORKERS_COUNT?"])
}

@Test func `a wrong value from outside names its variable or option`() {
    #expect(
        refusal("workers:\n  count: 2\n", environment: ["EMOTIOND_WORKERS_COUNT": "x"])
            == ["EMOTIOND_WORKERS_COUNT: workers.count is \"x\", which is not auto or a whole number from 1 to 256"])
    #expect(
        refusal("", overrides: ["log.level": "loud"])
            == ["option log.level: log.level is \"loud\", which is not trace, debug, info, notice, warning or error"])
    #expect(
        refusal("", overrides: ["log.levle": "info"]) == [
            "option log.levle: sets no known key; did you mean log.level?"
        ])
}

@Test func `a list is set in the file alone`() {
    #expect(
        refusal("", environment: ["EMOTIOND_WATCH_IGNORE": "*.x"])
            == ["EMOTIOND_WATCH_IGNORE: watch.ignore is a list: set it in the file"])
    #expect(
        refusal("", overrides: ["streams[].url": "rtsp://x/"])
            == ["option streams[].url: streams[].url is a list: set it in the file"])
}

@Test func `a section that is a list is not hidden by a value from outside`() {
    #expect(refusal("workers: [1]\n", environment: ["EMOTIOND_WORKERS_COUNT": "2"]).count == 1)
}

@Test func `every value is explained with where it came from`() throws {
    let loaded = try parsed(
        "workers:\n  count: 1\n" + camera + "\nlog: {level: info}\n",
        environment: ["EMOTIOND_WORKERS_MEMORY": "1GiB"], overrides: ["disk.pause_below": "1GiB"])
    let explained = Dictionary(uniqueKeysWithValues: loaded.explain().map { ($0.key, $0.description) })
    #expect(explained["workers.count"] == "workers.count: 1  # c.yaml:2")
    #expect(explained["workers.memory"] == "workers.memory: 1GiB  # EMOTIOND_WORKERS_MEMORY")
    #expect(explained["disk.pause_below"] == "disk.pause_below: 1GiB  # option disk.pause_below")
    #expect(explained["workers.stall"] == "workers.stall: 2m  # default")
    #expect(explained["streams[0].url"] == "streams[0].url: rtsp://***@cam/live  # c.yaml:5")
    #expect(explained["log.level"] == "log.level: info  # c.yaml:8")
    #expect(explained["watch.max_bytes"] == "watch.max_bytes: none  # default")
}

@Test func `what is explained can be read again`() throws {
    let configuration = try parsed(Template.withExamples().replacing("    url_file: none", with: "")).configuration
    let encoded = try JSONEncoder().encode(configuration)
    #expect(try JSONDecoder().decode(ServiceConfiguration.self, from: encoded) == configuration)
}

@Test func `another part's judgement gets the place of the key`() throws {
    let error = try parsed(camera + "\n    schedule: never\n").problem(at: "streams[0].schedule", "is no schedule")
    #expect(error.description == "c.yaml:6: streams[0].schedule is no schedule")
}

@Test func `no way of printing a stream shows its password`() throws {
    let configuration = try parsed(camera).configuration
    #expect(configuration.streams[0].url?.text == "rtsp://admin:geheim@cam/live")
    var dumped = ""
    dump(configuration, to: &dumped)
    let encoded = String(decoding: try JSONEncoder().encode(configuration), as: UTF8.self)
    for text in ["\(configuration)", String(reflecting: configuration), dumped, encoded] {
        #expect(!text.contains("geheim"))
    }
}
