import Glibc
import Intake
import Testing

private let sha = "1B2C3D4E" + String(repeating: "0", count: 56)

@Suite struct PlacementTests {
    private let scratch: Scratch
    private let placement: Placement
    init() throws {
        scratch = try Scratch()
        try scratch.folder("incoming")
        placement = Placement(incoming: scratch("incoming"), done: scratch("done"), failed: scratch("failed"))
    }

    private func move(_ name: String, _ analysed: Fingerprint, to place: Place = .done) throws -> PlacementOutcome {
        try placement.move(bytes(name), analysed: analysed, to: place, sha256: sha)
    }

    @Test func `a move mirrors the sub-folders, and leaves those of the uploaders`() throws {
        let analysed = try scratch.file("incoming/x/y/a.mp4")
        #expect(try move("x/y/a.mp4", analysed) == .moved(to: bytes("x/y/a.mp4")))
        #expect(try scratch.fingerprint("done/x/y/a.mp4") == analysed)
        #expect(scratch.tree("incoming") == ["x/", "x/y/"])
        #expect(scratch.tree("done") == ["x/", "x/y/", "x/y/a.mp4"])
    }

    @Test func `any name is moved as it is`() throws {
        for name in hostileNames {
            let analysed = try scratch.file(bytes("incoming/") + name)
            let outcome = try placement.move(name, analysed: analysed, to: .done, sha256: sha)
            #expect(outcome == .moved(to: name))
            #expect(try scratch.fingerprint(bytes("done/") + name) == analysed)
        }
    }

    @Test func `a taken name gets eight digits of the content, and then a number`() throws {
        var placed: [PlacementOutcome] = []
        for i in 0..<4 {
            placed.append(try move("a.mp4", try scratch.file("incoming/a.mp4", "content \(i)")))
        }
        #expect(
            placed
                == ["a.mp4", "a.mp4~1B2C3D4E", "a.mp4~1B2C3D4E.2", "a.mp4~1B2C3D4E.3"].map {
                    .moved(to: bytes($0))
                })
        #expect(scratch.text("done/a.mp4") == "content 0")
        #expect(scratch.text("done/a.mp4~1B2C3D4E.3") == "content 3")
    }

    @Test func `without a hash the suffix is made from the file`() throws {
        try scratch.file("done/a.mp4")
        let analysed = try scratch.file("incoming/a.mp4")
        let outcome = try placement.move(bytes("a.mp4"), analysed: analysed, to: .done, sha256: nil)
        guard case .moved(let path) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(path.count == bytes("a.mp4~12345678").count)
        #expect(path.starts(with: bytes("a.mp4~")))
    }

    @Test func `a suffixed name is cut between characters to what the file system takes`() throws {
        let long = Array(String(repeating: "é", count: 127).utf8)
        try scratch.file(bytes("done/") + long)
        let analysed = try scratch.file(bytes("incoming/") + long)
        let outcome = try placement.move(long, analysed: analysed, to: .done, sha256: sha)
        guard case .moved(let path) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(path.count <= 255)
        #expect(String(validating: path, as: UTF8.self)?.hasSuffix("é~1B2C3D4E") == true)
    }

    @Test func `a file that was written to is a new input and stays`() throws {
        let analysed = try scratch.file("incoming/a.mp4")
        try scratch.append("more", to: "incoming/a.mp4")
        #expect(try move("a.mp4", analysed) == .replaced)
        #expect(scratch.text("incoming/a.mp4") == "contentmore")
        #expect(try placement.delete(bytes("a.mp4"), analysed: analysed) == .replaced)
    }

    @Test func `a file that was replaced by one of the same size and time is a new input and stays`() throws {
        let analysed = try scratch.file("incoming/a.mp4", "first", mtime: 5_000_000_000)
        try scratch.file("new", "other", mtime: 5_000_000_000)
        try scratch.move("new", to: "incoming/a.mp4")
        #expect(try move("a.mp4", analysed) == .replaced)
        #expect(try placement.delete(bytes("a.mp4"), analysed: analysed) == .replaced)
        #expect(scratch.text("incoming/a.mp4") == "other")
        scratch.remove("incoming/a.mp4")
        try scratch.folder("incoming/a.mp4")
        #expect(try move("a.mp4", analysed) == .replaced)
        scratch.remove("incoming/a.mp4")
        #expect(try move("a.mp4", analysed) == .gone)
    }

    @Test func `a move that was made before a crash is found again`() throws {
        try scratch.file("done/a.mp4", "another")
        let analysed = try scratch.file("incoming/a.mp4")
        let first = try move("a.mp4", analysed)
        #expect(first == .moved(to: bytes("a.mp4~1B2C3D4E")))
        #expect(try move("a.mp4", analysed) == first)
    }

    @Test func `a link in the way is not followed`() throws {
        let outside = try Scratch()
        let analysed = try scratch.file("incoming/x/a.mp4")
        try scratch.folder("done")
        try scratch.link("done/x", to: String(decoding: outside.path, as: UTF8.self))
        let error = try #require(throws: IntakeError.self) { try move("x/a.mp4", analysed) }
        #expect("\(error)".contains("done/x"))
        #expect(scratch.text("incoming/x/a.mp4") == "content")
        #expect(outside.tree().isEmpty)
    }

    @Test(arguments: ["", "/etc/passwd", "..", "../a", "x/../../a", "./a", "a\0b"])
    func `paths that lead elsewhere are refused`(path: String) throws {
        let analysed = Fingerprint(sizeBytes: 0, mtimeNanoseconds: 0, inode: 0)
        #expect(throws: IntakeError.self) { try move(path, analysed) }
        #expect(throws: IntakeError.self) { try placement.delete(bytes(path), analysed: analysed) }
        #expect(throws: IntakeError.self) { try placement.bringBack(bytes(path), from: .done, to: bytes("a")) }
        #expect(throws: IntakeError.self) { try placement.writeError([], besides: bytes(path)) }
    }

    @Test func `an input is deleted where that is chosen`() throws {
        let analysed = try scratch.file("incoming/x/a.mp4")
        try scratch.file("incoming/x/b.mp4")
        #expect(try placement.delete(bytes("x/a.mp4"), analysed: analysed) == .deleted)
        #expect(try placement.delete(bytes("x/a.mp4"), analysed: analysed) == .gone)
        #expect(scratch.tree("incoming") == ["x/", "x/b.mp4"])
    }
}

@Suite struct FailedPlaceTests {
    private let scratch: Scratch
    private let placement: Placement
    init() throws {
        scratch = try Scratch()
        try scratch.folder("incoming")
        placement = Placement(incoming: scratch("incoming"), done: scratch("done"), failed: scratch("failed"))
    }

    private func fail(_ name: String) throws -> [UInt8] {
        let analysed = try scratch.file("incoming/" + name)
        let outcome = try placement.move(bytes(name), analysed: analysed, to: .failed, sha256: sha)
        guard case .moved(let placed) = outcome else {
            throw IntakeError.refused(path: bytes(name), reason: "\(outcome)")
        }
        return placed
    }

    @Test func `a record stands beside its file, and a newer one replaces it`() throws {
        let placed = try fail("x/a.mp4")
        #expect(try placement.writeError(bytes("{1}"), besides: placed) == bytes("x/a.mp4.error.json"))
        #expect(try placement.writeError(bytes("{2}"), besides: placed) == bytes("x/a.mp4.error.json"))
        #expect(scratch.text("failed/x/a.mp4.error.json") == "{2}")
        #expect(scratch.tree("failed") == ["x/", "x/a.mp4", "x/a.mp4.error.json"])
    }

    @Test func `records of long names are cut and stay apart`() throws {
        let long = String(repeating: "é", count: 126)
        let records = try ["a", "b", "ab"].map { end in
            try placement.writeError(bytes("{}"), besides: try fail(long + end))
        }
        #expect(Set(records).count == 3)
        #expect(records.allSatisfy { $0.count <= 255 && $0.suffix(11) == bytes(".error.json")[...] })
        #expect(records.allSatisfy { String(validating: $0, as: UTF8.self) != nil })
    }

    @Test func `a record never replaces a file of a user`() throws {
        let file = try fail("a.mp4.error.json")
        #expect(file == bytes("a.mp4.error.json~1B2C3D4E"))
        _ = try placement.writeError(bytes("{}"), besides: try fail("a.mp4"))
        #expect(scratch.text(bytes("failed/") + file) == "content")
        #expect(scratch.text("failed/a.mp4.error.json") == "{}")
    }

    @Test func `a retry brings the file back and takes its record away`() throws {
        let placed = try fail("x/a.mp4")
        _ = try placement.writeError(bytes("{}"), besides: placed)
        let analysed = try scratch.fingerprint("failed/x/a.mp4")
        #expect(try placement.bringBack(placed, from: .failed, to: bytes("x/a.mp4")) == .moved(to: bytes("x/a.mp4")))
        #expect(try scratch.fingerprint("incoming/x/a.mp4") == analysed)
        #expect(scratch.tree("failed") == ["x/"])
        #expect(try placement.bringBack(placed, from: .failed, to: bytes("x/a.mp4")) == .gone)
    }

    @Test func `a file brought back never replaces a newer input`() throws {
        let placed = try fail("a.mp4")
        try scratch.file("incoming/a.mp4", "newer")
        let outcome = try placement.bringBack(placed, from: .failed, to: bytes("a.mp4"))
        guard case .moved(let path) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(path.starts(with: bytes("a.mp4~")))
        #expect(scratch.text("incoming/a.mp4") == "newer")
        #expect(scratch.text(bytes("incoming/") + path) == "content")
    }

    @Test func `what a killed process left is put back or removed`() throws {
        try scratch.file("incoming/x/taken.mp4", "newer")
        try scratch.file("incoming/.emotiond-taken/x/taken.mp4", "older")
        try scratch.file("incoming/.emotiond-taken/gone/folder/b.mp4", "b")
        try scratch.file("done/.emotiond-moving/abc")
        try scratch.file("done/x/a.mp4")
        try placement.recover()
        try placement.recover()
        #expect(scratch.tree("done") == ["x/", "x/a.mp4"])
        let back = scratch.tree("incoming")
        #expect(back.isSuperset(of: ["x/taken.mp4", "gone/folder/b.mp4"]))
        #expect(back.filter { $0.hasPrefix("x/taken.mp4~") }.count == 1)
        #expect(!back.contains { $0.contains("emotiond") })
        #expect(scratch.text("incoming/x/taken.mp4") == "newer")
    }
}

/// `incoming/` on a disk, `done/` and `failed/` in memory.
@Suite(.enabled(if: hasSecondFileSystem, "needs /tmp and /dev/shm on two file systems"))
struct PlacementAcrossFileSystemsTests {
    private let near: Scratch
    private let far: Scratch
    private let placement: Placement
    init() throws {
        near = try Scratch()
        far = try Scratch(in: "/dev/shm")
        try near.folder("incoming")
        placement = Placement(incoming: near("incoming"), done: far("done"), failed: far("failed"))
    }

    private func move(_ name: String, _ analysed: Fingerprint) throws -> PlacementOutcome {
        try placement.move(bytes(name), analysed: analysed, to: .done, sha256: sha)
    }

    @Test func `a copy has content, time and mode of its file, and no temporary stays`() throws {
        let text = String(repeating: "0123456789abcdef", count: 200_000)
        let analysed = try near.file("incoming/x/a.mp4", text, mtime: 1_500_000_000_123_456_789)
        try #require(chmod(cString(near("incoming/x/a.mp4")), 0o640) == 0)
        #expect(try move("x/a.mp4", analysed) == .moved(to: bytes("x/a.mp4")))
        let copy = try far.fingerprint("done/x/a.mp4")
        #expect(copy.sizeBytes == analysed.sizeBytes)
        #expect(copy.mtimeNanoseconds == analysed.mtimeNanoseconds)
        #expect(far.text("done/x/a.mp4") == String(text.prefix(1 << 16)))
        var status = stat()
        #expect(stat(cString(far("done/x/a.mp4")), &status) == 0 && status.st_mode & 0o777 == 0o640)
        #expect(near.tree("incoming") == ["x/"])
        #expect(far.tree("done") == ["x/", "x/a.mp4"])
    }

    @Test func `an existing file is never replaced`() throws {
        try far.file("done/a.mp4", "other")
        let analysed = try near.file("incoming/a.mp4")
        #expect(try move("a.mp4", analysed) == .moved(to: bytes("a.mp4~1B2C3D4E")))
        #expect(far.text("done/a.mp4") == "other")
    }

    @Test func `a process killed between the copy and the removal leaves no second copy`() throws {
        let analysed = try near.file("incoming/a.mp4", mtime: 7_000_000_000)
        try far.file("done/a.mp4", mtime: 7_000_000_000)
        #expect(try move("a.mp4", analysed) == .moved(to: bytes("a.mp4")))
        #expect(near.tree("incoming").isEmpty)
        #expect(far.tree("done") == ["a.mp4"])
        #expect(try move("a.mp4", analysed) == .moved(to: bytes("a.mp4")), "and again after the removal")
    }

    @Test func `the same size and time with other content is another file`() throws {
        let analysed = try near.file("incoming/a.mp4", "content", mtime: 7_000_000_000)
        try far.file("done/a.mp4", "CONTENT", mtime: 7_000_000_000)
        #expect(try move("a.mp4", analysed) == .moved(to: bytes("a.mp4~1B2C3D4E")))
        #expect(far.text("done/a.mp4") == "CONTENT")
    }

    @Test func `a replaced file stays`() throws {
        let analysed = try near.file("incoming/a.mp4")
        try near.append("more", to: "incoming/a.mp4")
        #expect(try move("a.mp4", analysed) == .replaced)
        #expect(far.tree("done").isEmpty)
        #expect(near.text("incoming/a.mp4") == "contentmore")
    }

    @Test func `a retry brings a file back over the same way`() throws {
        let analysed = try near.file("incoming/a.mp4")
        _ = try placement.move(bytes("a.mp4"), analysed: analysed, to: .failed, sha256: nil)
        #expect(
            try placement.bringBack(bytes("a.mp4"), from: .failed, to: bytes("a.mp4")) == .moved(to: bytes("a.mp4")))
        #expect(near.tree("incoming") == ["a.mp4"])
        #expect(far.tree("failed").isEmpty)
    }
}
