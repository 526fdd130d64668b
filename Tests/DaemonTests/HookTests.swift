import Foundation
import Logging
import Testing

@testable import Daemon

private func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "hooks-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}

/// Runs the hooks until `done` says so.
private func running(_ runner: HookRunner, until done: () async -> Bool) async throws {
    let task = Task { await runner.run() }
    defer { task.cancel() }
    for _ in 0..<2000 where await !done() { try await Task.sleep(for: .milliseconds(5)) }
    #expect(await done())
}

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

private func hook(
    _ script: String, on events: Set<String> = ["done"], timeout: Duration = .seconds(20), attempts: Int = 1
)
    -> Hook
{
    Hook(events: events, command: ["/bin/sh", "-c", script], timeout: timeout, attempts: attempts)
}

@Test func `a hook gets the event as JSON on its standard input`() async throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "got")
    let runner = HookRunner([hook("cat > '\(file.path)'.part; mv '\(file.path)'.part '\(file.path)'")], logger: quiet)
    var event = HookEvent(event: "done", at: Date(timeIntervalSince1970: 0))
    event.job = 7
    event.path = "a \"b\".mp4"
    await runner.tell(event)
    await runner.tell(HookEvent(event: "failed", at: Date()))
    try await running(runner) { FileManager.default.fileExists(atPath: file.path) }
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    #expect(try decoder.decode(HookEvent.self, from: Data(contentsOf: file)) == event)
}

@Test func `a hook that fails is tried again, as often as it may`() async throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "count")
    let runner = HookRunner(
        [hook("echo x >> '\(file.path)'; exit 3", attempts: 3)], logger: quiet, clock: ImmediateClock())
    await runner.tell(HookEvent(event: "done", at: Date()))
    try await running(runner) { await runner.failures == 1 }
    #expect(try String(contentsOf: file, encoding: .utf8) == "x\nx\nx\n")
}

@Test func `a hook that hangs is ended, and the next event is told`() async throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "after")
    let runner = HookRunner(
        [
            hook("sleep 600", on: ["failed"], timeout: .milliseconds(50)),
            hook("touch '\(file.path)'"),
        ], logger: quiet)
    await runner.tell(HookEvent(event: "failed", at: Date()))
    await runner.tell(HookEvent(event: "done", at: Date()))
    try await running(runner) { FileManager.default.fileExists(atPath: file.path) }
    #expect(await runner.failures == 1)
}

@Test func `a hook whose program is not there counts as failed`() async throws {
    let runner = HookRunner(
        [Hook(events: ["done"], command: ["/nowhere/at/all"], timeout: .seconds(5), attempts: 1)], logger: quiet)
    await runner.tell(HookEvent(event: "done", at: Date()))
    try await running(runner) { await runner.failures == 1 }
}

/// Sleeps no time at all.
private struct ImmediateClock: Clock {
    typealias Instant = ContinuousClock.Instant
    let real = ContinuousClock()
    var now: Instant { real.now }
    var minimumResolution: Duration { real.minimumResolution }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        // The hook's own time limit stays a real one: only short pauses are skipped.
        if real.now.duration(to: deadline) > .seconds(10) {
            try await real.sleep(until: deadline, tolerance: tolerance)
        }
    }
}
