// Where an input goes when its job has ended: `done/` and `failed/` mirror the folders below `incoming/`.
// Nothing is ever overwritten, and nothing is taken away that is not the file which was analysed.

package enum Place: String, Hashable, Sendable {
    case done
    case failed
}

package enum PlacementOutcome: Hashable, Sendable {
    /// Where it lies now: a path below the place (for `bringBack` below `incoming/`).
    case moved(to: [UInt8])
    case deleted
    /// Another file has the name now, or the content changed: it was left in place, and is a new input.
    case replaced
    /// Neither at its old place nor, as far as can be told, at the new one.
    case gone
}

/// All calls block, and may be repeated after a crash: a move that was made already is found and reported again.
package struct Placement: Sendable {
    package let incoming: [UInt8]
    package let done: [UInt8]
    package let failed: [UInt8]
    /// Whether a rename within a file system is on the disk when `move` returns, at the cost of two fsyncs. Without,
    /// a power failure may show the file at its old place, never at none (a journal keeps a rename whole), and the
    /// caller must be ready to move it again. Copies and error records are synced always.
    package let syncsRenames: Bool

    /// Folders by path; `done` and `failed` are made when they are needed.
    package init(incoming: [UInt8], done: [UInt8], failed: [UInt8], syncsRenames: Bool = true) {
        self.incoming = incoming
        self.done = done
        self.failed = failed
        self.syncsRenames = syncsRenames
    }

    func root(of place: Place) -> [UInt8] {
        switch place {
        case .done: done
        case .failed: failed
        }
    }

    /// Moves an input to a place.
    ///
    /// - Parameters:
    ///   - path: below `incoming/`.
    ///   - analysed: what the file was when it was analysed.
    ///   - sha256: of its content, in hexadecimal; names the file where its own name is taken.
    package func move(
        _ path: [UInt8], analysed: Fingerprint, to place: Place, sha256: String?
    ) throws(IntakeError) -> PlacementOutcome {
        let steps = try Self.checked(path)
        let source = FileSpot(root: incoming, folders: Array(steps.dropLast()), name: steps[steps.count - 1])
        let names = PlacedNames.candidates(
            for: source.name, analysed, sha256: sha256, reservingErrors: place == .failed)
        return try Transfer(
            source: source, analysed: analysed, root: root(of: place), names: names, syncsRenames: syncsRenames
        ).run()
    }

    /// Brings a file back for a retry, and removes its error record.
    ///
    /// - Parameters:
    ///   - placed: below the place, as `move` told.
    ///   - path: below `incoming/`; a taken name gets a suffix.
    package func bringBack(
        _ placed: [UInt8], from place: Place, to path: [UInt8]
    ) throws(IntakeError) -> PlacementOutcome {
        let steps = try Self.checked(placed)
        let target = try Self.checked(path)
        let source = FileSpot(root: root(of: place), folders: Array(steps.dropLast()), name: steps[steps.count - 1])
        guard let present = try source.entry(), present.kind == .file else { return .gone }
        let names = PlacedNames.candidates(
            for: target[target.count - 1], present.fingerprint, sha256: nil, reservingErrors: false)
        let outcome = try Transfer(
            source: source, analysed: present.fingerprint, root: incoming, folders: Array(target.dropLast()),
            names: names, syncsRenames: syncsRenames
        ).run()
        if case .moved = outcome { source.removeSibling(PlacedNames.errorRecord(for: source.name)) }
        return outcome
    }

    /// Deletes an input, where the operator chose that.
    package func delete(_ path: [UInt8], analysed: Fingerprint) throws(IntakeError) -> PlacementOutcome {
        let steps = try Self.checked(path)
        let source = FileSpot(root: incoming, folders: Array(steps.dropLast()), name: steps[steps.count - 1])
        return try source.takeAway(analysed)
    }

    /// Writes `<name>.error.json` beside a file in `failed/`, all of it or nothing; an older record is replaced.
    ///
    /// - Parameter placed: below `failed/`, as `move` told.
    /// - Returns: the record's path below `failed/`.
    package func writeError(_ json: [UInt8], besides placed: [UInt8]) throws(IntakeError) -> [UInt8] {
        let steps = try Self.checked(placed)
        let name = PlacedNames.errorRecord(for: steps[steps.count - 1])
        let path = Paths.join(Paths.parent(placed), name)
        do throws(SystemError) {
            let top = try OpenFolder.making(failed)
            let folder = try top.descendMaking(steps.dropLast())
            let workshop = try Workshop(in: top)
            defer { workshop.close() }
            let file = try workshop.folder.makeFile(workshop.name)
            try file.write(json)
            try file.sync()
            try workshop.folder.rename(workshop.name, over: name, in: folder)
            try folder.sync()
            return path
        } catch {
            throw .failed("write", Paths.join(failed, path), error)
        }
    }

    /// At the start, before any other call: what a killed process left in the middle of a move is removed where it
    /// is a copy, and put back where it is an input.
    package func recover() throws(IntakeError) {
        for root in [done, failed, incoming] { try Workshop.removeLeftovers(in: root) }
        try FileSpot.putBackLeftovers(in: incoming)
    }

    /// - Throws: `.refused` for a path that could lead out of its folder, or to none.
    private static func checked(_ path: [UInt8]) throws(IntakeError) -> [[UInt8]] {
        let steps = Paths.components(path)
        let isPlain = steps.allSatisfy { $0 != [Paths.dot] && $0 != [Paths.dot, Paths.dot] && !$0.contains(0) }
        guard !steps.isEmpty, isPlain, path.first != Paths.slash else {
            throw .refused(path: path, reason: "it is no path below the watched folder")
        }
        return steps
    }
}
