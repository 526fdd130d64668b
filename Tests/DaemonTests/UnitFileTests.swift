// systemd's own judgement of the unit: `verify` exits 0 on unknown keys, so any output counts as a failure.

import Foundation
import Testing

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

private func find(_ program: String) -> String? {
    ["/usr/bin", "/bin"].map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
}

private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
}

/// The unit with a program that exists on every machine, in a folder of its own.
private func unit() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "unit-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let text = try String(contentsOf: root.appending(path: "systemd/emotiond.service"), encoding: .utf8)
        .replacing("/usr/local/bin/emotiond", with: "/bin/true")
    let file = folder.appending(path: "emotiond.service")
    try text.write(to: file, atomically: true, encoding: .utf8)
    return file
}

private let analyser = find("systemd-analyze")

@Test(.enabled(if: analyser != nil, "systemd-analyze is not installed"))
func `systemd finds nothing to say about the unit`() throws {
    let file = try unit()
    defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
    let verdict = try run(try #require(analyser), ["verify", file.path])
    #expect(verdict.output == "" && verdict.status == 0)
}

@Test(.enabled(if: analyser != nil, "systemd-analyze is not installed"))
func `the unit is exposed by 1.5 of 10 at most`() throws {
    let file = try unit()
    defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
    let verdict = try run(try #require(analyser), ["security", "--offline=true", "--threshold=15", file.path])
    #expect(verdict.status == 0, "\(verdict.output.suffix(200))")
}

@Test(
    .enabled(if: analyser != nil, "systemd-analyze is not installed"),
    arguments: [
        "arch_prctl", "sched_setaffinity", "prlimit64", "setrlimit", "renameat2", "inotify_add_watch", "fsync", "flock",
        "statfs",
        "openat2", "execve", "clone3", "pidfd_open", "waitid", "getrandom", "mount",
    ])
func `the calls that the daemon needs are allowed`(call: String) throws {
    let text = try String(contentsOf: root.appending(path: "systemd/emotiond.service"), encoding: .utf8)
    var allowed: Set<String> = []
    for line in text.split(separator: "\n") where line.hasPrefix("SystemCallFilter=") {
        var words = line.dropFirst("SystemCallFilter=".count)[...]
        let denies = words.hasPrefix("~")
        if denies { words = words.dropFirst() }
        for word in words.split(separator: " ") {
            let calls = word.hasPrefix("@") ? try members(of: String(word)) : [String(word)]
            if denies { allowed.subtract(calls) } else { allowed.formUnion(calls) }
        }
    }
    // mount(2) stands for what must stay forbidden: the filter is seen to deny.
    #expect(allowed.contains(call) == (call != "mount"))
}

/// A group's calls, and those of the groups in it.
private func members(of group: String) throws -> Set<String> {
    let text = try run(try #require(analyser), ["syscall-filter", group]).output
    var calls: Set<String> = []
    for line in text.split(separator: "\n") {
        let word = line.trimmingCharacters(in: .whitespaces)
        if word.isEmpty || word.hasPrefix("#") || word == group { continue }
        if word.hasPrefix("@") { calls.formUnion(try members(of: word)) } else { calls.insert(word) }
    }
    return calls
}
