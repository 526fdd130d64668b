// One line on a terminal that is written over; nothing at all in a pipe or a log.

import Core
import Foundation
import Glibc
import Pipeline
import Synchronization

final class ProgressLine: Sendable {
    private struct State {
        var lastShown: ContinuousClock.Instant?
        var length = 0
    }

    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())
    private let started = ContinuousClock.now

    /// Shows at most ten lines a second.
    func show(_ name: String, _ progress: RunProgress) {
        guard isTerminal else { return }
        let now = ContinuousClock.now
        state.withLock { state in
            if let last = state.lastShown, now - last < .milliseconds(100) { return }
            state.lastShown = now
            let line = text(
                name, progress,
                seconds: Double((now - started).components.seconds) + 1e-18
                    * Double((now - started).components.attoseconds))
            write(line, &state)
        }
    }

    /// Shows a line as it is.
    func show(_ line: String) {
        guard isTerminal else { return }
        state.withLock { write(line, &$0) }
    }

    private func write(_ line: String, _ state: inout State) {
        let padding = String(repeating: " ", count: max(0, state.length - line.count))
        state.length = line.count
        FileHandle.standardError.write(Data(("\r" + line + padding).utf8))
    }

    func clear() {
        guard isTerminal else { return }
        state.withLock { state in
            guard state.length > 0 else { return }
            FileHandle.standardError.write(Data(("\r" + String(repeating: " ", count: state.length) + "\r").utf8))
            state.length = 0
        }
    }

    private func text(_ name: String, _ progress: RunProgress, seconds: Double) -> String {
        let rate = seconds > 0 ? Double(progress.frames) / seconds : 0
        var line = "\(name.prefix(32))  \(progress.frames) frames  \(String(format: "%.0f", rate)) fps"
        if let share = progress.share, share > 0.005, seconds > 0.5 {
            let left = Int((seconds / share * (1 - share)).rounded())
            line += String(format: "  %3.0f %%  ETA %d:%02d", 100 * min(share, 1), left / 60, left % 60)
        }
        return line
    }
}
