// Hooks: a command of the operator's that is run when a job ends or a stream changes state.

package import Foundation
internal import Glibc
package import Logging
internal import Subprocess
internal import SystemPackage

/// What is told to a hook, as one JSON object on its standard input.
package struct HookEvent: Codable, Sendable, Equatable {
    /// `done`, `failed`, `cancelled`, or `stream`.
    package let event: String
    package var job: Int64?
    package var stream: String?
    /// Below the watched folder.
    package var path: String?
    package var result: String?
    /// Of the result (`complete`, `partial`), or of the stream (`connected`, `lost`, …).
    package var status: String?
    package var exit: Int32?
    package var reason: String?
    /// UTC.
    package let at: Date

    package init(event: String, at: Date) {
        self.event = event
        self.at = at
    }
}

package struct Hook: Sendable, Equatable {
    package let events: Set<String>
    package let command: [String]
    package let timeout: Duration
    package let attempts: Int

    package init(events: Set<String>, command: [String], timeout: Duration, attempts: Int) {
        self.events = events
        self.command = command
        self.timeout = timeout
        self.attempts = attempts
    }
}

/// Runs the hooks one after another in the order of the events, beside the jobs: a hook that fails or hangs delays
/// later hooks at most, never a job.
package actor HookRunner {
    /// Beyond this, events wait no longer: a hook that always times out must not fill the memory.
    private static let mostWaiting = 10_000

    private var hooks: [Hook]
    private let logger: Logger
    private let clock: any Clock<Duration>
    private var waiting: [(Hook, HookEvent)] = []
    private var wake: AsyncStream<Void>.Continuation?
    package private(set) var failures = 0

    package init(_ hooks: [Hook], logger: Logger, clock: any Clock<Duration> = ContinuousClock()) {
        self.hooks = hooks
        self.logger = logger
        self.clock = clock
    }

    package func replace(_ hooks: [Hook]) { self.hooks = hooks }

    package func tell(_ event: HookEvent) {
        for hook in hooks where hook.events.contains(event.event) {
            guard waiting.count < Self.mostWaiting else {
                failures += 1
                logger.error("hook \(hook.command[0]): \(waiting.count) events wait already; this one is dropped")
                continue
            }
            waiting.append((hook, event))
        }
        wake?.yield()
    }

    /// Until the task is cancelled; then it returns at once and what waits is not told.
    package func run() async {
        // A hook need not read its standard input; the write is answered by EPIPE instead of a signal then.
        signal(SIGPIPE, SIG_IGN)
        let (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        wake = continuation
        continuation.yield()
        for await _ in signals {
            while !waiting.isEmpty, !Task.isCancelled {
                let (hook, event) = waiting.removeFirst()
                await deliver(event, to: hook)
            }
        }
    }

    private func deliver(_ event: HookEvent, to hook: Hook) async {
        var pause = Duration.seconds(1)
        for attempt in 1...max(hook.attempts, 1) {
            guard let problem = await Self.attempt(event, hook, clock) else { return }
            logger.warning("hook \(hook.command[0]), attempt \(attempt) of \(hook.attempts): \(problem)")
            if attempt == hook.attempts || Task.isCancelled { break }
            do { try await clock.sleep(for: pause) } catch { break }
            pause *= 2
        }
        failures += 1
    }

    /// What went wrong, or nil.
    private static func attempt(_ event: HookEvent, _ hook: Hook, _ clock: any Clock<Duration>) async -> String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        guard let line = try? encoder.encode(event), let program = hook.command.first else { return "is empty" }
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(1))]
        return await withTaskGroup(of: String?.self) { [options] group in
            group.addTask {
                do {
                    // Not `.array`: version 1.0.2 ends the process where a child closes its standard input early.
                    let result = try await Subprocess.run(
                        program.contains("/") ? .path(FilePath(program)) : .name(program),
                        arguments: Arguments(Array(hook.command.dropFirst())), platformOptions: options,
                        input: .inputWriter, output: .discarded, error: .string(limit: 64 << 10)
                    ) { execution in
                        // Whether a hook reads what it is told is its own affair.
                        _ = try? await execution.standardInputWriter.write([UInt8](line) + [0x0A])
                        try await execution.standardInputWriter.finish()
                    }
                    if result.terminationStatus.isSuccess { return nil }
                    let said = result.standardError.split(whereSeparator: \.isNewline).last.map { ": \($0)" } ?? ""
                    return "\(result.terminationStatus)\(said)"
                } catch {
                    return "\(error)"
                }
            }
            group.addTask {
                do { try await clock.sleep(for: hook.timeout) } catch { return nil }
                return "took longer than \(hook.timeout) and was ended"
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
