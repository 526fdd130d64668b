import Foundation
import Glibc
import Results
import Testing

@Suite struct WorkFolderTests {
    private func withFolder(_ body: (WorkFolder, String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "work-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        // Two levels that are missing.
        try body(try WorkFolder(path: Array("\(path)/jobs/1".utf8)), "\(path)/jobs/1")
    }

    private func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `a file is gone on with behind the bytes that count`() throws {
        try withFolder { work, path in
            try work.write("rows", Array("one\ntwo\nthr".utf8))
            let sink = try #require(try work.reopenFile("rows", keeping: 8))
            #expect(sink.count == 8)
            try sink.write(Array("three\n".utf8))
            try sink.sync()
            #expect(text("\(path)/rows") == "one\ntwo\nthree\n" && sink.count == 14)
            try sink.close()
            #expect(try work.reopenFile("rows", keeping: 15) == nil)
            #expect(try work.reopenFile("none", keeping: 0) == nil)
            #expect(work.holds("rows", bytes: 14) && !work.holds("rows", bytes: 15) && !work.holds("none"))
        }
    }

    @Test func `a replaced file is the old one or the new one, and nothing lies beside it`() throws {
        try withFolder { work, path in
            try work.replace("state", Array("a".utf8))
            try work.replace("state", Array("b".utf8))
            #expect(text("\(path)/state") == "b")
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["state"])
            #expect(try work.read("state", limit: 10) == Array("b".utf8))
            #expect(try work.read("none", limit: 10) == nil)
        }
    }

    @Test func `what is brought into a result stays in the folder until it is removed`() throws {
        try withFolder { work, path in
            try work.makeFolder("frames")
            try work.makeFolder("frames")
            try work.write("frames/1.jpg", [1])
            try work.write("rows", [2])
            let root = "\(path)/../out"
            let folder = ResultFolder(
                root: Array(root.utf8), relative: Array("clip".utf8),
                identity: Identity(inputSHA256: String(repeating: "0", count: 64), settingsHash: "x"))
            do {
                let staging = try folder.stage()
                try staging.take(["rows", "frames", "none"], from: work)
                #expect(text(String(decoding: staging.path(of: "frames/1.jpg"), as: UTF8.self)) == "\u{1}")
                staging.discard()
            }
            #expect(text("\(path)/rows") == "\u{2}" && text("\(path)/frames/1.jpg") == "\u{1}")
            try work.remove(["rows", "frames", "none"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
        }
    }

    @Test func `a link in the place of a file is not followed`() throws {
        try withFolder { work, path in
            symlink("/etc/hostname", "\(path)/rows")
            #expect(throws: ResultsError.self) { try work.reopenFile("rows", keeping: 0) }
            #expect(!work.holds("rows"))
            try work.write("rows", [1])
            #expect(work.holds("rows"))
        }
    }

    @Test func `the lock is one process's, and the folder goes with it when it is empty`() throws {
        try withFolder { _, path in
            let folder = Array("\(path)/a/b".utf8)
            let lock = try #require(try WorkLock(folder: folder))
            #expect(try WorkLock(folder: folder) == nil)
            lock.release()
            #expect(!FileManager.default.fileExists(atPath: "\(path)/a/b"))
            let again = try #require(try WorkLock(folder: folder))
            try Data().write(to: URL(filePath: "\(path)/a/b/kept"))
            again.release()
            #expect(FileManager.default.fileExists(atPath: "\(path)/a/b/kept"))
        }
    }

    @Test func `the file system is told by the nearest folder that is there`() throws {
        try withFolder { work, path in
            #expect(work.sharesFileSystem(with: Array("\(path)/not/yet/there".utf8)))
            #expect(!work.sharesFileSystem(with: Array("/proc/x/y".utf8)))
        }
    }
}
