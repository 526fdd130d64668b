// The published results on the disk: what there is, and how one goes so that a reader never sees half of it.

internal import Glibc

/// All calls block.
package struct ResultStore: Sendable {
    private static let trash = IgnoreRules.own + Array("trash".utf8)
    private static let report = Array("run.json".utf8)

    package let root: [UInt8]

    package init(root: [UInt8]) { self.root = root }

    /// Every folder with a run.json, by path. Hidden folders are results in work, or on their way out.
    package func list() throws(IntakeError) -> [StoredResult] {
        var found: [StoredResult] = []
        do throws(SystemError) {
            try collect(try OpenFolder(at: root), path: [], depth: 0, into: &found)
        } catch  where error.code == ENOENT {
            return []
        } catch {
            throw .failed("list the results in", root, error)
        }
        return found.sorted { $0.path.lexicographicallyPrecedes($1.path) }
    }

    /// Removes a result: by one rename out of sight, then file by file. Folders above it that are empty then go too.
    ///
    /// - Returns: false where it was not there.
    package func remove(_ path: [UInt8]) throws(IntakeError) -> Bool {
        let steps = Paths.components(path)
        guard let name = steps.last, !steps.contains(where: { $0 == [Paths.dot] || $0 == [Paths.dot, Paths.dot] }),
            !steps.contains(Self.trash)
        else { throw .refused(path: path, reason: "it is no result below the results folder") }
        do throws(SystemError) {
            let top = try OpenFolder(at: root)
            let parent = try top.descend(steps.dropLast())
            let trash = try top.descendMaking([Self.trash])
            let hidden = Array(String(UInt64.random(in: .min ... .max), radix: 36).utf8)
            try parent.rename(name, toFree: hidden, in: trash)
            try parent.sync()
            try trash.removeTree(hidden)
            FileSpot.removeEmpty([Self.trash], below: top)
            // Who makes a result at this moment makes its parents again where they vanish.
            FileSpot.removeEmpty(steps.dropLast(), below: top)
            return true
        } catch  where error.code == ENOENT {
            return false
        } catch {
            throw .failed("remove the result", Paths.join(root, path), error)
        }
    }

    /// At the start: what was out of sight already when the process was killed.
    package func sweep() throws(IntakeError) {
        do throws(SystemError) {
            try OpenFolder(at: root).removeTree(Self.trash)
        } catch  where error.code == ENOENT {
            return
        } catch {
            throw .failed("remove what was left in", Paths.join(root, Self.trash), error)
        }
    }

    private func collect(
        _ folder: OpenFolder, path: [UInt8], depth: Int, into found: inout [StoredResult]
    ) throws(SystemError) {
        guard depth <= FolderScan.deepest + 8 else { return }
        if !path.isEmpty, let report = try folder.entryIfAny(Self.report), report.kind == .file {
            found.append(
                StoredResult(
                    path: path, bytes: try Self.bytes(in: folder),
                    publishedNanoseconds: report.fingerprint.mtimeNanoseconds))
            return
        }
        for name in try folder.names() where name.first != Paths.dot {
            do throws(SystemError) {
                guard try folder.entry(name).kind == .folder else { continue }
                try collect(try folder.folder(name), path: Paths.join(path, name), depth: depth + 1, into: &found)
            } catch  where error.code == ENOENT || error.code == ENOTDIR {
                continue  // removed or replaced meanwhile
            }
        }
    }

    private static func bytes(in folder: OpenFolder) throws(SystemError) -> UInt64 {
        var sum: UInt64 = 0
        for name in try folder.names() {
            guard let entry = try folder.entryIfAny(name) else { continue }
            switch entry.kind {
            case .file: sum &+= UInt64(clamping: entry.fingerprint.sizeBytes)
            case .folder: sum &+= try bytes(in: try folder.folder(name))
            case .link, .other: break
            }
        }
        return sum
    }
}
