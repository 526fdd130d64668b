// Which folder stands behind which watch. A watch follows its folder when that is moved, so paths are kept here.

internal import Glibc

/// Used by one thread.
final class WatchedTree {
    /// Paths below the root.
    struct Change {
        var folders: Set<[UInt8]> = []
        var trees: Set<[UInt8]> = []
        var everything = false
    }

    private static let mask =
        UInt32(
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF)
        | UInt32(IN_ONLYDIR)

    let inotify: Int32
    private let root: [UInt8]
    private let ignore: IgnoreRules
    private let system: WatchSystem
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var paths: [Int32: [UInt8]] = [:]
    private var numbers: [[UInt8]: Int32] = [:]
    private var rootEntry: FileEntry?
    private var limit: IntakeError?

    /// Takes over the descriptor.
    init(root: [UInt8], ignore: IgnoreRules, inotify: Int32, system: WatchSystem) {
        self.root = root
        self.ignore = ignore
        self.inotify = inotify
        self.system = system
    }

    deinit {
        close(inotify)
        buffer.deallocate()
    }

    var state: WatchState {
        if let limit { return .limited(limit, folders: paths.count) }
        return rootEntry == nil ? .rootMissing : .watching(folders: paths.count)
    }

    /// The root's path leads to the folder that is watched. It does not after an unmount, a mount or a rename above.
    var holdsRoot: Bool {
        guard let now = try? OpenFolder(at: root).ownEntry() else { return rootEntry == nil }
        return rootEntry?.device == now.device && rootEntry?.fingerprint.inode == now.fingerprint.inode
    }

    func letGo() {
        for number in paths.keys { _ = inotify_rm_watch(inotify, number) }
        (paths, numbers, rootEntry, limit) = ([:], [:], nil, nil)
    }

    func takeUpRoot() -> Change {
        guard let top = try? OpenFolder(at: root), let entry = try? top.ownEntry() else { return Change() }
        rootEntry = entry
        add(top, path: [], depth: 0)
        return Change(everything: true)
    }

    /// The watch comes before the listing: what appears in between is then seen by one of them at least.
    private func add(_ folder: OpenFolder, path: [UInt8], depth: Int) {
        guard limit == nil, depth <= FolderScan.deepest else { return }
        // By the descriptor: no second lookup of names, and no limit to the length of the path.
        let number = "/proc/self/fd/\(folder.descriptor)".withCString { system.add(inotify, $0, Self.mask) }
        guard number >= 0 else {
            let error = IntakeError.adding(Paths.join(root, path), errno, system)
            if case .watchLimit = error { limit = error }
            return
        }
        if let old = paths[number] { numbers[old] = nil }
        paths[number] = path
        numbers[path] = number
        for name in (try? folder.names()) ?? [] where ignore.match(name) == nil {
            guard let entry = try? folder.entry(name), entry.kind == .folder, let inner = try? folder.folder(name)
            else {
                continue
            }
            add(inner, path: Paths.join(path, name), depth: depth + 1)
        }
    }

    private func addTree(_ path: [UInt8]) {
        let steps = Paths.components(path)
        guard let folder = try? OpenFolder(at: root).descend(steps) else { return }
        add(folder, path: path, depth: steps.count)
    }

    private func dropTree(_ path: [UInt8]) {
        for (inner, number) in numbers where Paths.isSame(inner, orBelow: path) {
            _ = inotify_rm_watch(inotify, number)
            numbers[inner] = nil
            paths[number] = nil
        }
    }

    func readEvents() -> Change {
        var change = Change()
        let count = system.read(inotify, buffer)
        guard count > 0 else { return change }
        for event in WatchEvent.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
            take(event, into: &change)
        }
        return change
    }

    private func take(_ event: WatchEvent, into change: inout Change) {
        if event.has(IN_Q_OVERFLOW) {
            // Folders may have been made and moved unseen.
            letGo()
            change = takeUpRoot()
            change.everything = true
            return
        }
        // Of watches that were let go events may still be in the queue.
        guard let path = paths[event.number] else { return }
        if event.has(IN_IGNORED) || event.has(IN_UNMOUNT) || event.has(IN_DELETE_SELF) || event.has(IN_MOVE_SELF) {
            lose(path, by: event, into: &change)
        } else if event.isFolder {
            let child = Paths.join(path, event.name)
            if event.has(IN_MOVED_FROM) { dropTree(child) }
            guard event.has(IN_MOVED_TO) || event.has(IN_CREATE), ignore.match(event.name) == nil else { return }
            addTree(child)
            change.trees.insert(child)
        } else if !event.has(IN_MOVED_FROM), ignore.match(event.name) == nil {
            change.folders.insert(path)
        }
    }

    private func lose(_ path: [UInt8], by event: WatchEvent, into change: inout Change) {
        if path.isEmpty {
            // It may be there again already: looked for at once, and then at each check.
            letGo()
            _ = takeUpRoot()
            change.everything = true
        } else {
            _ = inotify_rm_watch(inotify, event.number)
            paths[event.number] = nil
            if numbers[path] == event.number { numbers[path] = nil }
            // A folder that was found under its new path before this event told of its move, or was made anew.
            if !event.has(IN_IGNORED) { addTree(path) }
            change.trees.insert(path)
        }
    }
}
