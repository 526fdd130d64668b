import Glibc
import Intake
import Synchronization
import Testing

/// A watch over a folder, and what it told so far.
private final class Watched {
    let scratch: Scratch
    let watch: Watch
    private var ticks: AsyncStream<Void>.Iterator
    private(set) var folders: Set<[UInt8]> = []
    private(set) var trees: Set<[UInt8]> = []
    private(set) var everything = false

    init(system: WatchSystem = .linux, prepare: (Scratch) throws -> Void = { try $0.folder("in") }) throws {
        scratch = try Scratch()
        try prepare(scratch)
        watch = Watch(root: scratch("in"), rootCheck: .milliseconds(20), system: system)
        ticks = watch.ticks.makeAsyncIterator()
    }

    deinit { watch.stop() }

    /// Started, and the first look at everything taken.
    func begin() async throws {
        try watch.start()
        try await wait("the start") { $0.everything }
        forget()
    }

    func forget() { (folders, trees, everything) = ([], [], false) }

    /// Takes what the watch tells until it is enough. The limit only ends a test that would never end.
    func wait(_ what: String, until isEnough: (Watched) -> Bool) async throws {
        let watch = watch
        let alarm = Task.detached {
            try await Task.sleep(for: .seconds(120))
            watch.stop()
        }
        defer { alarm.cancel() }
        while true {
            switch watch.take() {
            case .everything: everything = true
            case .parts(let folders, let trees):
                self.folders.formUnion(folders)
                self.trees.formUnion(trees)
            case .pending, nil: break
            }
            if isEnough(self) { return }
            try #require(await ticks.next() != nil, "waited in vain for \(what)")
        }
    }
}

@Suite struct WatchTests {
    @Test func `a file that is closed or moved in is told, with its folder`() async throws {
        let watched = try Watched { try $0.folder("in/sub") }
        try await watched.begin()
        #expect(watched.watch.state == .watching(folders: 2))
        try watched.scratch.file("in/sub/a.mp4")
        try await watched.wait("a closed file") { $0.folders == [bytes("sub")] }
        watched.forget()
        try watched.scratch.file("b.mp4")
        try watched.scratch.move("b.mp4", to: "in/b.mp4")
        try await watched.wait("a moved file") { $0.folders.contains([]) }
        #expect(!watched.everything)
    }

    @Test func `new folders are told as trees, and watched`() async throws {
        let watched = try Watched()
        try await watched.begin()
        try watched.scratch.folder("in/x")
        try await watched.wait("a new folder") { $0.trees.contains(bytes("x")) }
        try watched.scratch.file("in/x/a.mp4")
        try await watched.wait("a file in it") { $0.folders.contains(bytes("x")) }
        try watched.scratch.file("away/deep/b.mp4")
        try watched.scratch.move("away", to: "in/moved")
        try await watched.wait("a tree moved in") { $0.trees.contains(bytes("moved")) }
        try watched.scratch.file("in/moved/deep/c.mp4")
        try await watched.wait("a file deep in it") { $0.folders.contains(bytes("moved/deep")) }
    }

    @Test func `a moved folder is watched under its new path, one moved out no more`() async throws {
        let watched = try Watched { try $0.folder("in/a/deep") }
        try await watched.begin()
        try watched.scratch.move("in/a", to: "in/b")
        try await watched.wait("the move") { $0.trees.contains(bytes("b")) }
        watched.forget()
        try watched.scratch.file("in/b/deep/f.mp4")
        try await watched.wait("a file in the moved folder") { $0.folders.contains(bytes("b/deep")) }
        // Late news of that file come before news of this one.
        try watched.scratch.file("in/mark.mp4")
        try await watched.wait("a file that comes after it") { $0.folders.contains([]) }
        try watched.scratch.move("in/b", to: "out")
        try watched.scratch.file("out/deep/g.mp4")
        watched.forget()
        try watched.scratch.file("in/last.mp4")
        try await watched.wait("a file that comes after it") { $0.folders.contains([]) }
        #expect(watched.folders == [[]])
        #expect(watched.watch.state == .watching(folders: 1))
    }

    @Test func `ignored names and links wake nobody`() async throws {
        let watched = try Watched()
        try await watched.begin()
        try watched.scratch.file("in/a.part")
        try watched.scratch.folder("in/@eaDir")
        try watched.scratch.file("in/@eaDir/x.jpg")
        try watched.scratch.folder("elsewhere")
        try watched.scratch.folder("in/ok")
        try await watched.wait("the folder that counts") { $0.trees.contains(bytes("ok")) }
        #expect(watched.folders.isEmpty)
        #expect(watched.trees == [bytes("ok")])
        #expect(watched.watch.state == .watching(folders: 2))
    }

    @Test func `a root that is removed and made again is taken up again`() async throws {
        let watched = try Watched()
        try await watched.begin()
        watched.scratch.remove("in")
        try await watched.wait("the loss") { $0.everything }
        #expect(watched.watch.state == .rootMissing)
        watched.forget()
        try watched.scratch.folder("in")
        try await watched.wait("the new root") { $0.everything }
        watched.forget()
        try watched.scratch.file("in/a.mp4")
        try await watched.wait("a file in it") { $0.folders.contains([]) }
    }

    @Test func `a root that another folder replaces is taken up again`() async throws {
        let watched = try Watched()
        try await watched.begin()
        try watched.scratch.move("in", to: "old")
        try watched.scratch.folder("in")
        try await watched.wait("the new root") { $0.everything && $0.watch.state == .watching(folders: 1) }
        watched.forget()
        try watched.scratch.file("in/a.mp4")
        try await watched.wait("a file in it") { $0.folders.contains([]) || $0.everything }
    }

    @Test func `a root that is missing at the start is waited for`() async throws {
        let watched = try Watched { _ in }
        try watched.watch.start()
        try watched.scratch.folder("in")
        try await watched.wait("the root") { $0.everything }
        #expect(watched.watch.state == .watching(folders: 1))
    }

    @Test func `after an overflow everything is looked at, and unseen folders are watched`() async throws {
        let isLost = Mutex(false)
        var system = WatchSystem.linux
        let read = system.read
        system.read = { inotify, buffer in
            let count = read(inotify, buffer)
            let isOverflow =
                count > 0
                && isLost.withLock { lost in
                    defer { lost = false }
                    return lost
                }
            guard isOverflow else { return count }
            // What the kernel writes when its queue is full, in place of the events.
            let event = [Int32(-1), Int32(IN_Q_OVERFLOW), 0, 0]
            event.withUnsafeBytes { buffer.copyMemory(from: $0) }
            return 16
        }
        let watched = try Watched(system: system)
        try await watched.begin()
        isLost.withLock { $0 = true }
        try watched.scratch.folder("in/unseen")
        try await watched.wait("the overflow") { $0.everything }
        watched.forget()
        try watched.scratch.file("in/unseen/a.mp4")
        try await watched.wait("a file in the unseen folder") { $0.folders.contains(bytes("unseen")) }
    }

    @Test func `the limit of watches is told with the sysctl and its value`() async throws {
        let added = Mutex(0)
        var system = WatchSystem.linux
        let add = system.add
        system.add = { inotify, path, mask in
            let isFull = added.withLock { count in
                count += 1
                return count > 2
            }
            guard !isFull else {
                errno = ENOSPC
                return -1
            }
            return add(inotify, path, mask)
        }
        system.setting = { $0 == "fs.inotify.max_user_watches" ? "8192" : nil }
        let watched = try Watched(system: system) { for i in 0..<5 { try $0.folder("in/d\(i)") } }
        try await watched.begin()
        guard case .limited(let error, folders: 2) = watched.watch.state else {
            Issue.record("\(watched.watch.state)")
            return
        }
        #expect("\(error)".contains("fs.inotify.max_user_watches is 8192"))
        added.withLock { $0 = -100 }
        watched.watch.renew()
        try await watched.wait("the second try") { $0.everything }
        #expect(watched.watch.state == .watching(folders: 6))
    }

    @Test func `where inotify cannot be had the error says why`() throws {
        var system = WatchSystem.linux
        system.open = {
            errno = EMFILE
            return -1
        }
        let error = try #require(throws: IntakeError.self) { try Watch(root: bytes("/tmp"), system: system).start() }
        #expect("\(error)".contains("fs.inotify.max_user_instances is "))
        #expect(!"\(error)".contains("not readable"))
    }

    @Test func `stop ends the ticks and may come twice`() async throws {
        let watched = try Watched()
        try await watched.begin()
        watched.watch.stop()
        watched.watch.stop()
        #expect(watched.watch.state == .stopped)
        for await _ in watched.watch.ticks {}
    }

    @Test func `a burst is one look at everything or a few folders, never a queue`() async throws {
        let watched = try Watched()
        try await watched.begin()
        for i in 0..<3_000 { try watched.scratch.folder("in/d\(i)") }
        try watched.scratch.file("in/last.mp4")
        try await watched.wait("the last file") { $0.folders.contains([]) || $0.everything }
        #expect(watched.trees.count <= 3_000)
    }
}
