// The folder of a stream, `streams/<name>` below the results: its segments' parent, with the journal beside them.

import Glibc

package final class StreamFolder: Sendable {
    package let path: [UInt8]
    /// Below the results.
    package let relative: [UInt8]
    private let folder: Directory

    package init(root: [UInt8], name: String) throws(ResultsError) {
        guard StreamDescription.isGoodName(name) else {
            throw .refused(path: Array(name.utf8), reason: "a stream's name cannot be a folder's")
        }
        relative = PathBytes.join(Array("streams".utf8), Array(name.utf8))
        path = PathBytes.join(root, relative)
        do throws(SystemError) {
            folder = try Self.making([root, Array("streams".utf8), Array(name.utf8)])
        } catch {
            throw .creating(path, error.code)
        }
    }

    private static func making(_ steps: [[UInt8]]) throws(SystemError) -> Directory {
        var path = steps[0]
        make(path)
        var folder = try Directory(at: path)
        for step in steps.dropFirst() {
            path = PathBytes.join(path, step)
            make(path)
            folder = try folder.folder(step)
        }
        return folder
    }

    /// With the folders above it. One that is there already is fine, and one that cannot be made fails when it is
    /// opened.
    private static func make(_ path: [UInt8]) {
        guard PathBytes.withCString(path, { mkdir($0, 0o777) }) < 0, errno == ENOENT else { return }
        guard let slash = path.dropLast().lastIndex(of: PathBytes.slash), slash > 0 else { return }
        make(Array(path[..<slash]))
        _ = PathBytes.withCString(path) { mkdir($0, 0o777) }
    }

    /// Adds a line to a file of the folder by one write, so that readers and other writers see whole lines.
    package func append(_ line: [UInt8], to file: String) throws(ResultsError) {
        let place = PathBytes.join(path, Array(file.utf8))
        do throws(SystemError) {
            let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC
            let descriptor = try SystemError.check(Array(file.utf8)) { openat(folder.descriptor, $0, flags, 0o666) }
            defer { close(descriptor) }
            let bytes = line + [UInt8(ascii: "\n")]
            let written = try SystemError.check { Int32(Glibc.write(descriptor, bytes, bytes.count)) }
            if Int(written) < bytes.count { throw SystemError(code: ENOSPC) }
        } catch {
            throw .writing("write", place, error.code)
        }
    }

    /// One that is not there is fine.
    package func remove(_ file: String) throws(ResultsError) {
        do throws(SystemError) {
            try SystemError.check(Array(file.utf8)) { unlinkat(folder.descriptor, $0, 0) }
        } catch {
            if error.code == ENOENT { return }
            throw .writing("remove", PathBytes.join(path, Array(file.utf8)), error.code)
        }
    }

    /// Puts a finished file in another's place, both in this folder.
    package func replace(_ file: String, with temporary: String) throws(ResultsError) {
        do throws(SystemError) {
            let source = Array(temporary.utf8)
            guard !source.contains(0) else { throw SystemError(code: EINVAL) }
            try SystemError.check(Array(file.utf8)) { target in
                PathBytes.withCString(source) { renameat(folder.descriptor, $0, folder.descriptor, target) }
            }
        } catch {
            throw .writing("replace", PathBytes.join(path, Array(file.utf8)), error.code)
        }
    }
}
