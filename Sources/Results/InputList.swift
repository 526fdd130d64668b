// The inputs of a command, expanded to one job a file. A path that cannot be read becomes a job that has failed, so
// that the others go on and the exit code tells.

package struct InputJob: Hashable, Sendable {
    /// To open.
    package let path: [UInt8]
    /// Below the output folder: the path from the given folder on, or the file's name.
    package let relative: [UInt8]
    /// Why there is nothing to analyse; nil for a regular file.
    package let problem: ResultsError?
}

package enum InputList {
    package enum Separator: UInt8, Sendable {
        case newline = 0x0A
        case nul = 0
    }

    /// The paths of a list as it comes from stdin. Every byte between two separators counts, blanks and carriage
    /// returns too; empty entries are left out.
    package static func paths(inList bytes: [UInt8], separator: Separator) -> [[UInt8]] {
        bytes.split(separator: separator.rawValue).map(Array.init)
    }

    /// One job a file, in the order given; a folder's files in byte order of their names, folder by folder.
    ///
    /// Below a given folder these are left out: names that begin with a dot, files without an extension of media,
    /// symbolic links (they would lead out, in circles, or to a file that is a job already), the output folder, and
    /// every other folder that is a result of ours, as its annotated video is no new input.
    package static func expand(_ inputs: [[UInt8]], output: [UInt8]) -> [InputJob] {
        let outputStatus = try? FileStatus(at: output)
        return inputs.flatMap { expand($0, output: outputStatus) }
    }

    private static func expand(_ input: [UInt8], output: FileStatus?) -> [InputJob] {
        let name = PathBytes.lastComponent(input) ?? input
        do throws(SystemError) {
            switch try FileStatus(at: input).kind {
            case .file: return [InputJob(path: input, relative: name, problem: nil)]
            case .folder:
                var walk = FolderWalk(root: input, output: output)
                walk.visit([])
                if walk.jobs.isEmpty { return [failed(input, name, "there are no media files in this folder")] }
                return walk.jobs
            case .link, .other: return [failed(input, name, "it is neither a file nor a folder")]
            }
        } catch {
            return [failed(input, name, error.code)]
        }
    }

    fileprivate static func failed(_ path: [UInt8], _ relative: [UInt8], _ reason: String) -> InputJob {
        InputJob(path: path, relative: relative, problem: .noInput(path: path, reason: reason))
    }

    fileprivate static func failed(_ path: [UInt8], _ relative: [UInt8], _ code: Int32) -> InputJob {
        failed(path, relative, path.contains(0) ? "a path cannot hold a NUL byte" : ResultsError.text(code))
    }

    /// Lower case, without the dot. What FFmpeg of Debian 12 opens and people keep; a file given by name needs none.
    package static let mediaExtensions: Set<String> = [
        "3g2", "3gp", "asf", "avi", "divx", "dv", "f4v", "flv", "h264", "h265", "hevc", "ivf", "m1v", "m2t", "m2ts",
        "m2v", "m4v", "mjpeg", "mjpg", "mkv", "mov", "mp4", "mpe", "mpeg", "mpg", "mts", "mxf", "nut", "obu", "ogm",
        "ogv", "qt", "rm", "rmvb", "ts", "vob", "webm", "wmv", "wtv", "y4m",
        "apng", "avif", "bmp", "gif", "jfif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp",
    ]

    package static func hasMediaExtension(_ name: [UInt8]) -> Bool {
        guard let point = name.lastIndex(of: PathBytes.dot), point > 0 else { return false }
        let lower = name[(point + 1)...].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return mediaExtensions.contains(String(decoding: lower, as: UTF8.self))
    }
}

private struct FolderWalk {
    let root: [UInt8]
    let output: FileStatus?
    private(set) var jobs: [InputJob] = []

    init(root: [UInt8], output: FileStatus?) {
        self.root = root
        self.output = output
    }

    mutating func visit(_ relative: [UInt8]) {
        let path = relative.isEmpty ? root : PathBytes.join(root, relative)
        let listed: [(name: [UInt8], status: FileStatus)]
        do throws(SystemError) {
            // Closed again before going deeper: the depth of a tree must not use up the descriptors.
            listed = try list(path, isRoot: relative.isEmpty)
        } catch {
            jobs.append(InputList.failed(path, relative, error.code))
            return
        }
        for (name, status) in listed {
            let below = relative.isEmpty ? name : PathBytes.join(relative, name)
            if status.kind == .folder {
                visit(below)
            } else if InputList.hasMediaExtension(name) {
                jobs.append(InputJob(path: PathBytes.join(root, below), relative: below, problem: nil))
            }
        }
    }

    private func list(_ path: [UInt8], isRoot: Bool) throws(SystemError) -> [(name: [UInt8], status: FileStatus)] {
        let folder = try Directory(at: path)
        let own = try folder.ownStatus()
        if !isRoot {
            if let output, own.isSame(as: output) { return [] }
            if ResultFolder.isResult(folder) { return [] }
        }
        var listed: [(name: [UInt8], status: FileStatus)] = []
        for name in try folder.names() where name.first != PathBytes.dot {
            // Gone since it was listed: then it is no input.
            guard let status = try? folder.status(name) else { continue }
            if status.kind == .file || status.kind == .folder { listed.append((name, status)) }
        }
        return listed
    }
}
