// Where the result of one input goes, and whether it may. The answer is asked twice: before the work, to save it, and
// at the publish, because another process may have been faster.

import Glibc

package enum Placement: Hashable, Sendable {
    case new([UInt8])
    /// The same input with the same settings has been done.
    case skip([UInt8], RunReport.Status)
    case replaceInterrupted([UInt8])
    /// A result stands there, of this status, and the user lets it go.
    case overwrite([UInt8], RunReport.Status)
    case refused([UInt8], reason: String)
}

package struct ResultFolder: Sendable {
    package let root: [UInt8]
    package let relative: [UInt8]
    package let identity: Identity
    package let overwrite: Bool
    package let replacesSame: Bool

    /// A run.json beyond this is none of ours.
    private static let reportLimit = 16 << 20

    /// - Parameters:
    ///   - root: the output folder, as the user gave it.
    ///   - relative: the input's path below the given or watched folder, with its extension. However it looks, the
    ///     result stays below `root`: a leading slash means nothing, `..` is refused, links below `root` are too.
    ///   - overwrite: lets a result with other settings go. It never lets the result of another input go.
    ///   - replacesSame: lets a finished result with the same settings go, where somebody wants it made anew.
    package init(
        root: [UInt8], relative: [UInt8], identity: Identity, overwrite: Bool = false, replacesSame: Bool = false
    ) {
        self.root = root
        self.relative = relative
        self.identity = identity
        self.overwrite = overwrite
        self.replacesSame = replacesSame
    }

    package static func place(
        root: [UInt8], relative: [UInt8], identity: Identity, overwrite: Bool = false
    ) -> Placement {
        ResultFolder(root: root, relative: relative, identity: identity, overwrite: overwrite).place()
    }

    package func place() -> Placement {
        let steps: [[UInt8]]
        switch checkedSteps() {
        case .success(let checked): steps = checked
        case .failure(let refusal): return .refused(path(relative), reason: refusal.reason)
        }
        guard let name = steps.last else { return .refused(root, reason: "the input has no name") }
        let parentSteps = steps.dropLast()
        do throws(Refusal) {
            guard let parent = try openParent(parentSteps) else { return .new(path(steps)) }
            return try place(name, in: parent, parentPath: path(parentSteps))
        } catch {
            return .refused(path(steps), reason: error.reason)
        }
    }

    /// The way below the root, one name a step.
    func checkedSteps() -> Result<[[UInt8]], Refusal> {
        let steps = PathBytes.components(relative).filter { $0 != [PathBytes.dot] }
        if steps.contains([PathBytes.dot, PathBytes.dot]) {
            return .failure(Refusal("'..' would lead out of the output folder"))
        }
        if steps.contains(where: { $0.contains(0) }) { return .failure(Refusal("its name holds a NUL byte")) }
        if steps.contains(where: TemporaryName.matches) {
            return .failure(Refusal("its name is one that emotiond gives to unfinished results; rename the input"))
        }
        return .success(steps)
    }

    func path(_ steps: some Sequence<[UInt8]>) -> [UInt8] { steps.reduce(root, PathBytes.join) }

    private func path(_ relative: [UInt8]) -> [UInt8] { PathBytes.join(root, relative) }

    /// Nil where it is not there yet.
    private func openParent(_ steps: some Sequence<[UInt8]>) throws(Refusal) -> Directory? {
        do throws(SystemError) {
            var folder = try Directory(at: root)
            var isInside = Self.isResult(folder)
            for step in steps where !isInside {
                folder = try folder.folder(step)
                isInside = Self.isResult(folder)
            }
            if !isInside { return folder }
        } catch {
            switch error.code {
            case ENOENT: return nil
            case ENOTDIR, ELOOP: throw Refusal("a part of its path is a file or a link, not a folder")
            default: throw Refusal(ResultsError.text(error.code))
            }
        }
        // Replacing the outer result would silently remove the inner one.
        throw Refusal("it would lie inside another result")
    }

    static func isResult(_ folder: Directory) -> Bool {
        guard let bytes = try? folder.read(Array(RunReport.fileName.utf8), limit: reportLimit) else { return false }
        return PublishedReport(bytes) != nil
    }

    private func place(_ name: [UInt8], in parent: Directory, parentPath: [UInt8]) throws(Refusal) -> Placement {
        let plain = PathBytes.join(parentPath, name)
        if let placement = try judge(name, in: parent, path: plain) { return placement }
        // The place belongs to another input of the same name, which is never touched.
        let suffixed = TemporaryName.suffixed(name, sha256: identity.inputSHA256)
        let path = PathBytes.join(parentPath, suffixed)
        if let placement = try judge(suffixed, in: parent, path: path) { return placement }
        return .refused(path, reason: "it belongs to another input; choose another --out")
    }

    /// Nil where the place belongs to another input.
    private func judge(_ name: [UInt8], in parent: Directory, path: [UInt8]) throws(Refusal) -> Placement? {
        let bytes: [UInt8]
        do throws(SystemError) {
            guard try parent.status(name).kind == .folder else {
                return .refused(path, reason: "a file of that name is in the way")
            }
            bytes = try parent.folder(name).read(Array(RunReport.fileName.utf8), limit: Self.reportLimit)
        } catch {
            if error.code == ENOENT, (try? parent.status(name)) == nil { return .new(path) }
            if error.code == ENOENT {
                return .refused(path, reason: "a folder without run.json is in the way, and is not ours to replace")
            }
            throw Refusal("what stands there cannot be read: \(ResultsError.text(error.code))")
        }
        guard let existing = PublishedReport(bytes) else {
            return .refused(path, reason: "its run.json is not one of emotiond's")
        }
        if existing.identity.inputSHA256 != identity.inputSHA256 { return nil }
        if existing.identity == identity {
            if existing.status == .interrupted { return .replaceInterrupted(path) }
            return replacesSame ? .overwrite(path, existing.status) : .skip(path, existing.status)
        }
        if overwrite { return .overwrite(path, existing.status) }
        return .refused(path, reason: "a result with other settings is there; give --overwrite or another --out")
    }
}

/// Why a place cannot be had, in words for the user.
struct Refusal: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}
