// Ctrl-C and SIGTERM end a run in good order: what is there is finished and published as interrupted.

import Dispatch
import Glibc
import Pipeline

/// Raises the cancellation at the first signal; a second one ends the process at once, as a user expects who
/// presses Ctrl-C twice.
struct SignalWatch {
    private let sources: [any DispatchSourceSignal]

    init(_ cancellation: Cancellation, _ kind: Cancellation.Kind = .interrupt) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if cancellation.isRaised {
                    signal(number, SIG_DFL)
                    kill(getpid(), number)
                }
                cancellation.raise(kind)
            }
            source.resume()
            return source
        }
        // A reader that goes away ends in an error of write(2), not in a killed process.
        signal(SIGPIPE, SIG_IGN)
        // So does a file that grows past the user's limit.
        signal(SIGXFSZ, SIG_IGN)
    }

    func end() {
        for source in sources { source.cancel() }
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
    }
}
