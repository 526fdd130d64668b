// A file by its place, and how it is taken away from there without ever taking another one.

internal import Glibc

struct FileSpot {
    let root: [UInt8]
    let folders: [[UInt8]]
    let name: [UInt8]

    /// Where files stand between leaving their place and being deleted; below the root, with the same sub-folders, so
    /// that a file whose process was killed meanwhile can be put back.
    private static let aside = IgnoreRules.own + Array("taken".utf8)

    var path: [UInt8] { (folders + [name]).reduce(root, Paths.join) }

    /// The folder that holds the file.
    func folder() throws(SystemError) -> OpenFolder { try OpenFolder(at: root).descend(folders) }

    /// Nil where nothing is there.
    func entry() throws(IntakeError) -> FileEntry? {
        do throws(SystemError) {
            return try folder().entryIfAny(name)
        } catch  where error.code == ENOENT {
            return nil
        } catch {
            throw .failed("look at", path, error)
        }
    }

    func holds(_ fingerprint: Fingerprint) throws(IntakeError) -> Bool {
        guard let entry = try entry() else { return false }
        return entry.kind == .file && entry.fingerprint == fingerprint
    }

    func removeSibling(_ other: [UInt8]) {
        guard let folder = try? folder(), (try? folder.entry(other).kind) == .file else { return }
        // A record that stays is replaced by the next one.
        try? folder.remove(other)
    }

    /// Removes the file if it is the one meant. Between a look and a removal another file may take the name; so the
    /// file first leaves its place, and is looked at where nobody else reaches it.
    func takeAway(_ fingerprint: Fingerprint) throws(IntakeError) -> PlacementOutcome {
        guard let present = try entry() else { return .gone }
        guard present.kind == .file, present.fingerprint == fingerprint else { return .replaced }
        do throws(SystemError) {
            let top = try OpenFolder(at: root)
            let home = try top.descend(folders)
            let asideFolder = try top.descendMaking([Self.aside] + folders)
            do throws(SystemError) {
                try home.rename(name, toFree: name, in: asideFolder)
            } catch  where error.code == EXDEV {
                // A sub-folder with a file system of its own: there only a last look is possible.
                Self.removeEmpty([Self.aside] + folders, below: top)
                guard try home.entry(name).fingerprint == fingerprint else { return .replaced }
                try home.remove(name)
                return .deleted
            }
            let isMeant = try asideFolder.entry(name).fingerprint == fingerprint
            if isMeant {
                try asideFolder.remove(name)
            } else {
                try Self.putBack(name, from: asideFolder, to: home)
            }
            try home.sync()
            Self.removeEmpty([Self.aside] + folders, below: top)
            return isMeant ? .deleted : .replaced
        } catch  where error.code == ENOENT {
            return .gone
        } catch {
            throw .failed("remove", path, error)
        }
    }

    /// To its old name, or to one with a suffix where that was taken by yet another file.
    static func putBack(
        _ name: [UInt8], from folder: OpenFolder, as oldName: [UInt8]? = nil, to home: OpenFolder
    ) throws(SystemError) {
        let entry = try folder.entry(name)
        let candidates = PlacedNames.candidates(
            for: oldName ?? name, entry.fingerprint, sha256: nil, reservingErrors: false)
        for candidate in candidates {
            do throws(SystemError) {
                return try folder.rename(name, toFree: candidate, in: home)
            } catch  where error.code == EEXIST {
                continue
            }
        }
        throw SystemError(code: EEXIST)
    }

    static func putBackLeftovers(in root: [UInt8]) throws(IntakeError) {
        do throws(SystemError) {
            let top = try OpenFolder(at: root)
            try putBackTree(try top.folder(aside), below: [], to: top)
            try top.remove(aside, folder: true)
            try top.sync()
        } catch  where error.code == ENOENT {
            return
        } catch {
            throw .failed("put back what was left in", Paths.join(root, aside), error)
        }
    }

    private static func putBackTree(_ folder: OpenFolder, below path: [[UInt8]], to top: OpenFolder) throws(SystemError)
    {
        for name in try folder.names() {
            if try folder.entry(name).kind == .folder {
                try putBackTree(try folder.folder(name), below: path + [name], to: top)
                try folder.remove(name, folder: true)
            } else {
                let home = try top.descendMaking(path)
                try putBack(name, from: folder, to: home)
                try home.sync()
            }
        }
    }

    /// Removes folders from the deepest up to the first that is not empty.
    static func removeEmpty(_ steps: [[UInt8]], below top: OpenFolder) {
        var steps = steps
        while let last = steps.popLast() {
            guard let folder = try? top.descend(steps), (try? folder.remove(last, folder: true)) != nil else { return }
        }
    }
}
