// inotify over the whole tree. It never says that a file is ready: it only lets a round of `IntakeLoop` come early.

internal import Glibc
internal import Synchronization

package enum WatchState: Hashable, Sendable {
    case notStarted
    case watching(folders: Int)
    /// The folder is looked for, and taken up again when it is there.
    case rootMissing
    /// Not all folders could be watched; the rest is found by scanning.
    case limited(IntakeError, folders: Int)
    case stopped
}

/// Runs a thread of its own between `start` and `stop`.
package final class Watch: Sendable {
    private struct Shared {
        var state = WatchState.notStarted
        var folders: Set<[UInt8]> = []
        var trees: Set<[UInt8]> = []
        var everything = false
        /// The write end of the pipe that ends or renews the thread's work.
        var control: Int32?
        var thread: pthread_t?
    }

    /// With more places than this a look at everything is cheaper.
    private static let mostPlaces = 1_000

    private let root: [UInt8]
    private let ignore: IgnoreRules
    private let rootCheck: Duration
    private let system: WatchSystem
    private let shared = Mutex(Shared())
    private let tick: AsyncStream<Void>.Continuation

    /// One element for any number of changes since the last `take`. Ends after `stop`.
    package let ticks: AsyncStream<Void>

    /// - Parameter rootCheck: how often to look whether the root is still the folder that is watched.
    package init(
        root: [UInt8], ignore: IgnoreRules = .standard, rootCheck: Duration = .seconds(2), system: WatchSystem = .linux
    ) {
        self.root = root
        self.ignore = ignore
        self.rootCheck = rootCheck
        self.system = system
        (ticks, tick) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    package var state: WatchState { shared.withLock { $0.state } }

    /// What changed since the last call; nil if nothing did. After the start, and after an overflow, everything did.
    package func take() -> IntakeScope? {
        shared.withLock { shared in
            defer { (shared.folders, shared.trees, shared.everything) = ([], [], false) }
            if shared.everything { return .everything }
            if shared.folders.isEmpty && shared.trees.isEmpty { return nil }
            return .parts(folders: shared.folders, trees: shared.trees)
        }
    }

    /// Begins to watch; once only. A root that is missing is no error: it is waited for.
    ///
    /// - Throws: where inotify cannot be had at all; folders must be scanned then.
    package func start() throws(IntakeError) {
        guard state == .notStarted else { return }
        let inotify = system.open()
        guard inotify >= 0 else { throw .opening(root, errno, system) }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            let code = errno
            close(inotify)
            throw .watch(path: root, code: code)
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let work = WatchThread(
            tree: WatchedTree(root: root, ignore: ignore, inotify: inotify, system: system), control: ends[0],
            rootCheck: rootCheck, watch: self)
        do throws(SystemError) {
            let thread = try Self.run(work)
            shared.withLock { shared in
                shared.control = ends[1]
                shared.thread = thread
            }
        } catch {
            close(ends[1])
            throw .watch(path: root, code: error.code)
        }
    }

    /// Lets go of all watches and sets them again, as after a raised limit.
    package func renew() { tell(WatchThread.renew) }

    /// Ends the thread and waits for it, and then the ticks.
    package func stop() {
        let (control, thread) = shared.withLock { shared in
            defer { (shared.control, shared.thread, shared.state) = (nil, nil, .stopped) }
            return (shared.control, shared.thread)
        }
        if let control { close(control) }
        if let thread { pthread_join(thread, nil) }
        tick.finish()
    }

    private func tell(_ byte: UInt8) {
        shared.withLock { shared in
            guard let control = shared.control else { return }
            // One byte into an almost empty pipe does not block.
            _ = [byte].withUnsafeBytes { write(control, $0.baseAddress, 1) }
        }
    }

    private static func run(_ work: WatchThread) throws(SystemError) -> pthread_t {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(work)
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<WatchThread>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError(code: code)
        }
        return thread
    }

    // MARK: Told by the thread

    func changed(_ change: WatchedTree.Change, _ state: WatchState) {
        let isNews = shared.withLock { shared in
            if shared.state != .stopped { shared.state = state }
            shared.folders.formUnion(change.folders)
            shared.trees.formUnion(change.trees)
            if change.everything || shared.folders.count + shared.trees.count > Self.mostPlaces {
                (shared.folders, shared.trees, shared.everything) = ([], [], true)
            }
            return change.everything || !change.folders.isEmpty || !change.trees.isEmpty
        }
        if isNews { tick.yield() }
    }
}

extension IntakeError {
    /// Too many instances, or watches, for this user: the limit's name and value are what helps.
    static func opening(_ path: [UInt8], _ code: Int32, _ system: WatchSystem) -> IntakeError {
        guard code == EMFILE || code == ENFILE else { return .watch(path: path, code: code) }
        let setting = "fs.inotify.max_user_instances"
        return .watchLimit(setting: setting, value: system.setting(setting))
    }

    static func adding(_ path: [UInt8], _ code: Int32, _ system: WatchSystem) -> IntakeError {
        guard code == ENOSPC else { return .watch(path: path, code: code) }
        let setting = "fs.inotify.max_user_watches"
        return .watchLimit(setting: setting, value: system.setting(setting))
    }
}
