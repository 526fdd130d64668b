// A result while it grows: a hidden folder beside its future place. It becomes visible as a whole or not at all.

import Synchronization

/// How a publish ended.
package enum Publication: Hashable, Sendable {
    case published([UInt8])
    /// Nothing was written over: a finished result stands there, and ours was discarded.
    case found([UInt8], RunReport.Status)
}

/// Belongs to one run of the pipeline; files may be written by several of its threads. Its lock is held until it is
/// published, discarded, or forgotten, which discards it.
package final class Staging: Sendable {
    /// Of the hidden folder.
    package let path: [UInt8]
    private let folder: ResultFolder
    private let parent: Directory
    let directory: Directory
    private let name: [UInt8]
    /// Folders above that were made for this result.
    private let made: [[UInt8]]
    private let isOpen = Atomic(true)

    init(folder: ResultFolder, parent: Directory, directory: Directory, name: [UInt8], made: [[UInt8]]) {
        self.folder = folder
        self.parent = parent
        self.directory = directory
        self.name = name
        self.made = made
        path = directory.path
    }

    deinit { discard() }

    package var identity: Identity { folder.identity }

    /// For writers that take a path, such as FFmpeg's muxer.
    package func path(of file: String) -> [UInt8] { PathBytes.join(path, Array(file.utf8)) }

    /// - Parameter file: may name a folder that `makeFolder` made: `frames/000012.jpg`.
    package func createFile(_ file: String) throws(ResultsError) -> FileSink {
        do throws(SystemError) {
            return FileSink(adopting: try directory.makeFile(Array(file.utf8)), path: path(of: file))
        } catch {
            throw .creating(path(of: file), error.code)
        }
    }

    package func write(_ file: String, _ bytes: [UInt8]) throws(ResultsError) {
        let sink = try createFile(file)
        try sink.write(bytes)
        try sink.close()
    }

    package func makeFolder(_ name: String) throws(ResultsError) {
        do throws(SystemError) {
            try directory.makeFolder(Array(name.utf8))
        } catch {
            throw .creating(path(of: name), error.code)
        }
    }

    /// Writes run.json, brings everything to the disk and makes the folder visible by one rename. A failure discards
    /// it. All sinks must be closed before.
    ///
    /// An interrupted run takes no finished result's place, whatever `overwrite` says: that one is worth more.
    /// - Parameter mayPublish: asked when all else is done, just before the rename.
    /// - Throws: `.withdrawn` where it says no.
    package func publish(
        _ report: RunReport, if mayPublish: () -> Bool = { true }
    ) throws(ResultsError) -> Publication {
        precondition(isOpen.load(ordering: .acquiring), "a result is published once")
        defer { discard() }
        try write(RunReport.fileName, try report.encoded())
        do throws(SystemError) {
            try directory.syncTree()
        } catch {
            throw .writing("write to the disk", path, error.code)
        }
        // More than one turn only where others publish or remove at the same place meanwhile.
        for _ in 0..<16 {
            if let publication = try publishOnce(report.status, mayPublish) { return publication }
        }
        throw .refused(path: path, reason: "other processes keep changing its place; run it again")
    }

    /// Nil if the place changed between the look and the rename.
    private func publishOnce(
        _ status: RunReport.Status, _ mayPublish: () -> Bool
    ) throws(ResultsError) -> Publication? {
        let target: [UInt8]
        let replaces: Bool
        switch folder.place() {
        case .skip(let path, let existing): return .found(path, existing)
        case .refused(let path, let reason): throw .refused(path: path, reason: reason)
        case .overwrite(let path, let existing) where status == .interrupted && existing != .interrupted:
            return .found(path, existing)
        case .new(let path): (target, replaces) = (path, false)
        case .replaceInterrupted(let path), .overwrite(let path, _): (target, replaces) = (path, true)
        }
        guard let final = PathBytes.lastComponent(target) else { return nil }
        guard mayPublish() else { throw .withdrawn(path: target) }
        do throws(SystemError) {
            if replaces {
                var generator = SystemRandomNumberGenerator()
                try parent.swapFolders(name, final, aside: TemporaryName.make(for: final, using: &generator))
            } else {
                try parent.renameFolder(name, toFree: final)
            }
        } catch {
            if SystemError.isRace(error.code) { return nil }
            throw .writing("publish", target, error.code)
        }
        // Visible from here on. What is behind our old name now is the old result or nothing.
        isOpen.store(false, ordering: .releasing)
        if replaces { try? parent.removeTree(name) }
        do throws(SystemError) { try parent.sync() } catch { throw .writing("write to the disk", target, error.code) }
        return .published(target)
    }

    /// Removes everything, and the folders above that were made for it and hold nothing else. Harmless afterwards.
    package func discard() {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        // What cannot be removed now is a leftover that the next run removes.
        try? parent.removeTree(name)
        ResultFolder.removeEmpty(made)
    }
}
