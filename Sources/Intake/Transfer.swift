// One file from one root to another: by a rename, or between file systems by a copy that gets its name when it is
// complete and on the disk.

internal import Glibc

struct Transfer<Names: Sequence<[UInt8]>> {
    let source: FileSpot
    let analysed: Fingerprint
    /// Of the destination, made if missing.
    let root: [UInt8]
    let folders: [[UInt8]]
    /// Tried in order.
    let names: Names
    let syncsRenames: Bool

    init(
        source: FileSpot, analysed: Fingerprint, root: [UInt8], folders: [[UInt8]]? = nil, names: Names,
        syncsRenames: Bool
    ) {
        self.source = source
        self.analysed = analysed
        self.root = root
        self.folders = folders ?? source.folders
        self.names = names
        self.syncsRenames = syncsRenames
    }

    func run() throws(IntakeError) -> PlacementOutcome {
        guard let present = try source.entry() else { return try whereItWent() }
        guard present.kind == .file, present.fingerprint == analysed else { return .replaced }
        let target = try target()
        do throws(SystemError) {
            return try rename(to: target)
        } catch  where error.code == EXDEV {
            return try copy(to: target)
        } catch  where error.code == ENOENT {
            return try whereItWent()
        } catch {
            throw .failed("move", source.path, error)
        }
    }

    private struct Target { let top: OpenFolder, folder: OpenFolder }

    private func target() throws(IntakeError) -> Target {
        do throws(SystemError) {
            let top = try OpenFolder.making(root)
            return Target(top: top, folder: try top.descendMaking(folders))
        } catch {
            throw .creating(folders.reduce(root, Paths.join), error)
        }
    }

    private func path(_ name: [UInt8]) -> [UInt8] { (folders + [name]).reduce([], Paths.join) }

    private func rename(to target: Target) throws(SystemError) -> PlacementOutcome {
        let home = try source.folder()
        for name in names {
            do throws(SystemError) {
                try home.rename(source.name, toFree: name, in: target.folder)
            } catch  where error.code == EEXIST {
                continue
            }
            // Between the look and the rename the file may have been replaced or written to.
            if try target.folder.entry(name).fingerprint != analysed {
                try FileSpot.putBack(name, from: target.folder, as: source.name, to: home)
                return .replaced
            }
            // First the new name, then the loss of the old one: a power failure may show both, never none.
            if syncsRenames {
                try target.folder.sync()
                try home.sync()
            }
            return .moved(to: path(name))
        }
        throw SystemError(code: EEXIST)
    }

    // MARK: Between file systems

    private func copy(to target: Target) throws(IntakeError) -> PlacementOutcome {
        let name: [UInt8]
        do throws(SystemError) {
            guard let copied = try placeCopy(in: target) else { return .replaced }
            name = copied
        } catch  where error.code == ENOENT {
            return try whereItWent()
        } catch {
            throw .failed("copy", source.path, error)
        }
        switch try source.takeAway(analysed) {
        case .deleted, .gone, .moved: return .moved(to: path(name))
        case .replaced:
            // The copy is of what was analysed, and stays; the new file is a new input.
            return .replaced
        }
    }

    /// The name that the copy got; nil if the source is not what was analysed.
    private func placeCopy(in target: Target) throws(SystemError) -> [UInt8]? {
        let input = try source.folder().openFile(source.name)
        let entry = try input.entry()
        guard entry.kind == .file, entry.fingerprint == analysed else { return nil }
        let workshop = try Workshop(in: target.top)
        defer { workshop.close() }
        let output = try workshop.folder.makeFile(workshop.name)
        try input.copyContent(to: output)
        try output.take(mode: entry.mode, mtimeNanoseconds: analysed.mtimeNanoseconds)
        try output.sync()
        guard try input.entry().fingerprint == analysed else { return nil }
        for name in names {
            do throws(SystemError) {
                try workshop.folder.rename(workshop.name, toFree: name, in: target.folder)
                try target.folder.sync()
                return name
            } catch  where error.code == EEXIST {
                // Ours, if a process was killed before it took the source away.
                if isSameFile(output, as: try? target.folder.openFile(name)) { return name }
            }
        }
        throw SystemError(code: EEXIST)
    }

    private func isSameFile(_ copy: OpenFile, as other: OpenFile?) -> Bool {
        guard let other, let a = try? copy.entry(), let b = try? other.entry(), b.kind == .file,
            a.fingerprint.sizeBytes == b.fingerprint.sizeBytes,
            a.fingerprint.mtimeNanoseconds == b.fingerprint.mtimeNanoseconds,
            let input = try? source.folder().openFile(source.name)
        else { return false }
        return (try? input.hasSameContent(as: other)) ?? false
    }

    // MARK: After a crash

    /// The source is not there: perhaps this move was made before, and the process killed before it could say so.
    private func whereItWent() throws(IntakeError) -> PlacementOutcome {
        do throws(SystemError) {
            let folder = try OpenFolder(at: root).descend(folders)
            let home = try? source.folder().ownEntry().device
            for name in names {
                guard let entry = try folder.entryIfAny(name) else { return .gone }
                let found = entry.fingerprint
                let isSame =
                    found == analysed
                    // A copy has an inode of its own.
                    || entry.device != home && found.sizeBytes == analysed.sizeBytes
                        && found.mtimeNanoseconds == analysed.mtimeNanoseconds
                if entry.kind == .file, isSame { return .moved(to: path(name)) }
            }
            return .gone
        } catch  where error.code == ENOENT {
            return .gone
        } catch {
            throw .failed("look into", folders.reduce(root, Paths.join), error)
        }
    }
}

extension OpenFile {
    private static let step = 1 << 20

    func copyContent(to output: OpenFile) throws(SystemError) {
        var buffer = [UInt8](repeating: 0, count: Self.step)
        while true {
            let count = try fill(&buffer)
            if count == 0 { return }
            try output.write(count == buffer.count ? buffer : Array(buffer[..<count]))
        }
    }

    /// Both from where they are.
    func hasSameContent(as other: OpenFile) throws(SystemError) -> Bool {
        var mine = [UInt8](repeating: 0, count: Self.step)
        var others = mine
        while true {
            let count = try fill(&mine)
            guard try other.fill(&others) == count, mine[..<count] == others[..<count] else { return false }
            if count == 0 { return true }
        }
    }

    private func fill(_ buffer: inout [UInt8]) throws(SystemError) -> Int {
        let outcome = buffer.withUnsafeMutableBytes { raw in
            Result { () throws(SystemError) in try read(into: raw) }
        }
        return try outcome.get()
    }

    /// Owner and group stay those of the process; the time is what tells copies of one file.
    func take(mode: UInt32, mtimeNanoseconds: Int64) throws(SystemError) {
        try SystemError.check { fchmod(descriptor, mode_t(mode)) }
        let (seconds, nanoseconds) = mtimeNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let isBefore1970 = nanoseconds < 0
        let time = timespec(
            tv_sec: Int(isBefore1970 ? seconds - 1 : seconds),
            tv_nsec: Int(isBefore1970 ? nanoseconds + 1_000_000_000 : nanoseconds))
        try SystemError.check { futimens(descriptor, [time, time]) }
    }
}
