import Foundation
import Results
import Testing

@Suite struct FileSinkTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    @Test func `pieces of every size arrive in order`() throws {
        let staging = try folder(scratch).stage()
        let sink = try staging.createFile("timeline.csv")
        var expected: [UInt8] = []
        for size in [0, 1, 100, 65_535, 65_536, 65_537, 3, 200_000, 65_536, 1] {
            let piece = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) }
            try sink.write(piece)
            expected += piece
        }
        #expect(sink.count == Int64(expected.count))
        try sink.close()
        try sink.close()
        let data = try Data(contentsOf: URL(fileURLWithPath: String(decoding: sink.path, as: UTF8.self)))
        #expect(Array(data) == expected)
    }

    private func full() throws -> FileSink {
        let descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        return FileSink(adopting: descriptor, path: Array("/dev/full".utf8))
    }

    @Test func `a full disk is told apart, at the latest by the close`() throws {
        let sink = try full()
        try sink.write([1, 2, 3])
        let error = try #require(throws: ResultsError.self) { try sink.close() }
        #expect(error == .noSpace(path: Array("/dev/full".utf8), code: ENOSPC))
        #expect(error.exitReason == .ioError)
        #expect("\(error)".contains("No space left"))
    }

    @Test func `after a failure every write fails alike`() throws {
        let sink = try full()
        let large = [UInt8](repeating: 0, count: 100_000)
        for _ in 0..<3 {
            #expect(throws: ResultsError.noSpace(path: sink.path, code: ENOSPC)) { try sink.write(large) }
        }
        #expect(throws: ResultsError.noSpace(path: sink.path, code: ENOSPC)) { try sink.close() }
    }

    @Test func `writing after the close is an error, not a loss`() throws {
        let staging = try folder(scratch).stage()
        let sink = try staging.createFile("timeline.csv")
        try sink.close()
        #expect(throws: ResultsError.self) { try sink.write([1]) }
    }
}

/// A file system of 64 KiB, where mounting one is allowed.
private final class SmallDisk {
    let path: String

    init?() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("small-\(UUID().uuidString)").path
        guard mkdir(path, 0o700) == 0 else { return nil }
        if mount("tmpfs", path, "tmpfs", 0, "size=64k") != 0 {
            rmdir(path)
            return nil
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }
}

@Suite struct FullDiskTests {
    @Test(.enabled(if: SmallDisk() != nil, "needs leave to mount a tmpfs"))
    func `a disk that fills leaves no half result, and the old one stays`() throws {
        let disk = try #require(SmallDisk())
        let root = Array(disk.path.utf8) + Array("/out".utf8)
        let place = { (report: RunReport) in
            ResultFolder(root: root, relative: Array("ad.mp4".utf8), identity: report.identity, overwrite: true)
        }
        let first = try place(report()).stage()
        try first.write("timeline.csv", Array("old".utf8))
        _ = try first.publish(report())

        let other = report(.complete, ["every": 2])
        let staging = try place(other).stage()
        let error = try #require(throws: ResultsError.self) {
            try staging.write("timeline.csv", [UInt8](repeating: 1, count: 200_000))
        }
        #expect(error.exitReason == .ioError)
        staging.discard()
        let left = try FileManager.default.subpathsOfDirectory(atPath: disk.path)
        #expect(Set(left) == ["out", "out/ad.mp4", "out/ad.mp4/timeline.csv", "out/ad.mp4/run.json"])
    }

    @Test(.enabled(if: SmallDisk() != nil, "needs leave to mount a tmpfs"))
    func `a disk that fills at run.json publishes nothing`() throws {
        let disk = try #require(SmallDisk())
        let folder = ResultFolder(
            root: Array(disk.path.utf8) + Array("/out".utf8), relative: Array("ad.mp4".utf8),
            identity: report().identity)
        let staging = try folder.stage()
        let sink = try staging.createFile("annotated.mp4")
        // Page by page until not one more fits, which is where run.json finds the disk.
        while (try? sink.write([UInt8](repeating: 1, count: 4096))) != nil, (try? sink.flush()) != nil {}
        let error = try #require(throws: ResultsError.self) { try staging.publish(report()) }
        #expect(error.exitReason == .ioError)
        #expect(try FileManager.default.subpathsOfDirectory(atPath: disk.path).isEmpty)
    }
}
