// A wrong configuration is refused with the place, the key and what is allowed.

import Foundation
import ServiceConfig
import Testing

@Test func `an unknown key is named with its line and the nearest known one`() {
    #expect(
        refusal("watch:\n  quiet: 1s\n  scan_intervall: 5m\n")
            == ["c.yaml:3: watch.scan_intervall is not a known key; did you mean watch.scan_interval?"])
    #expect(refusal("\nworker:\n  count: 2\n") == ["c.yaml:2: worker is not a known key; did you mean workers?"])
    #expect(
        refusal(camera + "\n    fsp: 3\n")
            == ["c.yaml:6: streams[0].fsp is not a known key; did you mean streams[0].fps?"])
}

@Test func `a key in the wrong section is told where it belongs`() {
    #expect(
        refusal("watch:\n  attempts: 2\n") == [
            "c.yaml:2: watch.attempts is not a known key; did you mean workers.attempts?"
        ])
    #expect(
        refusal("after_done: keep\n") == ["c.yaml:1: after_done is not a known key; did you mean watch.after_done?"])
}

@Test func `a key like no other is told which there are`() {
    #expect(
        refusal("disk:\n  zzzzzzz: 1\n")
            == ["c.yaml:2: disk.zzzzzzz is not a known key; known here: pause_below, resume_above"])
}

@Test(arguments: [
    (
        "workers:\n  count: many\n",
        "c.yaml:2: workers.count is \"many\", which is not auto or a whole number from 1 to 256"
    ),
    ("workers:\n  attempts: 0\n", "c.yaml:2: workers.attempts is \"0\", which is not a whole number from 1 to 100"),
    ("workers:\n  attempts:\n", "c.yaml:2: workers.attempts has no value; it takes a whole number from 1 to 100"),
    ("workers:\n  attempts: [1]\n", "c.yaml:2: workers.attempts takes one value: a whole number from 1 to 100"),
    (
        "watch:\n  quiet: 30\n",
        "c.yaml:2: watch.quiet is \"30\", which is not a duration from 0s to 1h, such as 30s, 5m or 2h"
    ),
    (
        "analysis:\n  detector_engine: gpu\n",
        "c.yaml:2: analysis.detector_engine is \"gpu\", which is not native or opencv, or none"
    ),
    (
        "analysis:\n  detector: yunet\n  detector_engine: native\n",
        "c.yaml:3: analysis.detector_engine is for the detector own, not for yunet"
    ),
    (
        "watch:\n  after_done: burn\n", "c.yaml:2: watch.after_done is \"burn\", which is not move, keep or delete"
    ),
    (
        "disk:\n  pause_below: lots\n",
        "c.yaml:2: disk.pause_below is \"lots\", which is not a size from 0B to 1PiB, such as 500MiB or 5GiB"
    ),
    (
        "watch:\n  ignore: \"*.part\"\n",
        "c.yaml:2: watch.ignore must be a list of a file name pattern such as \"*.part\""
    ),
    ("hooks:\n  on: done\n", "c.yaml:1: hooks must be a list, each member beginning with '-'"),
    (
        "watch: 5\n",
        "c.yaml:1: watch must hold keys with values: quiet, scan_interval, network_scan_interval, ignore, priorities, "
            + "after_done, max_bytes"
    ),
])
func `a wrong value is told what is allowed`(yaml: String, sentence: String) {
    #expect(refusal(yaml) == [sentence])
}

@Test func `all problems are told at once, in the order of the file`() {
    let found = refusal("watch:\n  quiet: x\nworkers:\n  memory: 1B\n  atempts: 3\nlog:\n  level: loud\n")
    #expect(found.map { $0.prefix(8) } == ["c.yaml:2", "c.yaml:4", "c.yaml:5", "c.yaml:7"])
}

@Test(arguments: [
    ("disk:\n  pause_below: 5GiB\n", "c.yaml:1: disk.resume_above is 4GiB, less than pause_below, 5GiB"),
    ("analysis:\n  from: 10s\n  to: 5s\n", "c.yaml:3: analysis.to is 5s, not after from, 10s"),
    (
        "http:\n  address: 0.0.0.0:80\n",
        "c.yaml:2: http.address is 0.0.0.0:80, which others can reach; that needs http.token_file, a file with a secret "
            + "token"
    ),
    (
        "state:\n  folder: /s\n  results: incoming/out\n",
        "c.yaml:3: state.results (/s/incoming/out) is within incoming (/s/incoming); keep them apart"
    ),
    ("hooks:\n  - on: [done]\n", "c.yaml:2: hooks[0].command is missing: a list of the program and its arguments"),
])
func `values that do not go together are refused`(yaml: String, sentence: String) {
    #expect(refusal(yaml) == [sentence])
}

@Test func `a camera without purpose and notice is refused`() {
    let found = refusal("streams:\n  - name: hall\n    url: rtsp://cam/live\n")
    #expect(
        found == [
            "c.yaml:2: streams[0].purpose is missing: what this camera is for",
            "c.yaml:2: streams[0].notice is missing: what the people before this camera are told",
        ])
}

@Test func `two streams of one name are refused`() {
    let second = camera.split(separator: "\n").dropFirst().joined(separator: "\n")
    #expect(
        refusal(camera + "\n" + second)
            == ["c.yaml:6: streams[1].name is \"hall\", as another stream's; names are unique"])
}

@Test(arguments: ["../x", "a/b", "", "-a", ".hidden", "ö", "a b"])
func `a stream's name that could leave its folder is refused`(name: String) {
    #expect(!refusal(camera.replacing("name: hall", with: "name: \"\(name)\"")).isEmpty)
}

@Test(arguments: ["a: [1\n", "a: 1\na: 2\n", "\t- x", "a: \"b", "- a\n- b\n", "just text", "&a a: *b"])
func `what is no good YAML is an error with its file`(yaml: String) {
    let found = refusal(yaml)
    #expect(found.first?.hasPrefix("c.yaml") == true, "\(found)")
}

@Test func `a file that cannot be read is named with the reason`() throws {
    let missing = "/nonexistent/emotiond.yaml"
    #expect {
        _ = try LoadedConfiguration.load(file: missing, environment: [:])
    } throws: {
        "\($0)" == "\(missing): cannot be read: No such file or directory"
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).yaml")
    try Data([0x61, 0x3A, 0x20, 0xFF, 0xFE]).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    #expect {
        _ = try LoadedConfiguration.load(file: file.path, environment: [:])
    } throws: {
        "\($0)" == "\(file.path): is not UTF-8 text"
    }
}

@Test func `a password in a wrong address is not in the message`() {
    let found = refusal(camera.replacing("rtsp://", with: "rtspx://"))
    #expect(found.count == 1 && found[0].contains("rtspx://***@cam/live") && !found[0].contains("geheim"), "\(found)")
}
