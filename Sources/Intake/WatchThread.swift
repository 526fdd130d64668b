// The thread of a watch: waits for events, for a word from outside, and for the next look at the root.

internal import Glibc

/// Used by its own thread only, after it was made.
final class WatchThread {
    static let renew = UInt8(ascii: "r")

    private let tree: WatchedTree
    private let control: Int32
    private let rootCheck: Duration
    private let watch: Watch

    /// Takes over the read end of the control pipe.
    init(tree: WatchedTree, control: Int32, rootCheck: Duration, watch: Watch) {
        self.tree = tree
        self.control = control
        self.rootCheck = rootCheck
        self.watch = watch
    }

    deinit { close(control) }

    /// Until the control pipe is closed at its other end.
    func run() {
        tell(tree.takeUpRoot())
        var nextCheck = ContinuousClock.now + rootCheck
        while true {
            var waiting = [
                pollfd(fd: tree.inotify, events: Int16(POLLIN), revents: 0),
                pollfd(fd: control, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&waiting, 2, milliseconds(until: nextCheck))
            if count < 0, errno != EINTR { break }
            if count > 0, waiting[1].revents != 0 {
                var byte: UInt8 = 0
                guard Glibc.read(control, &byte, 1) == 1 else { break }
                tree.letGo()
                tell(tree.takeUpRoot())
            }
            if count > 0, waiting[0].revents != 0 { tell(tree.readEvents()) }
            if ContinuousClock.now >= nextCheck {
                if !tree.holdsRoot {
                    tree.letGo()
                    tell(tree.takeUpRoot())
                }
                nextCheck = ContinuousClock.now + rootCheck
            }
        }
    }

    private func tell(_ change: WatchedTree.Change) { watch.changed(change, tree.state) }

    private func milliseconds(until instant: ContinuousClock.Instant) -> Int32 {
        let rest = ContinuousClock.now.duration(to: instant)
        // Rounded up, or the last millisecond would be spent in a loop.
        return Int32(clamping: Int64(rest / .milliseconds(1)) + 1)
    }
}
