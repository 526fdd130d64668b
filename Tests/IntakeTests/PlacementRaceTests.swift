import Glibc
import Intake
import Testing

/// An uploader replaces one file again and again while it is moved away under it.
@Suite struct PlacementRaceTests {
    private static let turns = 400

    private func race(done: Scratch) throws {
        let scratch = try Scratch()
        try scratch.folder("incoming")
        let placement = Placement(
            incoming: scratch("incoming"), done: done("done"), failed: scratch("failed"), syncsRenames: false)
        let uploader = OwnThread {
            for turn in 0..<Self.turns {
                try scratch.file("upload", "content \(turn)")
                try scratch.move("upload", to: "incoming/a.mp4")
            }
        }
        var moved: [[UInt8]: Fingerprint] = [:]
        while !uploader.isFinished {
            guard let analysed = scratch.fingerprintIfAny(bytes("incoming/a.mp4")) else { continue }
            let outcome = try placement.move(bytes("a.mp4"), analysed: analysed, to: .done, sha256: nil)
            if case .moved(let path) = outcome { moved[path] = analysed }
        }
        try uploader.check()

        let placed = done.tree("done").map { done.text("done/" + $0) ?? "" }
        let waiting = scratch.tree("incoming").map { scratch.text("incoming/" + $0) ?? "" }
        let contents = placed + waiting
        #expect(contents.allSatisfy { $0.hasPrefix("content ") }, "nothing is half")
        #expect(contents.contains("content \(Self.turns - 1)"), "the last upload is not lost")
        for (path, analysed) in moved {
            let found = try done.fingerprint(bytes("done/") + path)
            #expect(found.mtimeNanoseconds == analysed.mtimeNanoseconds, "\(path)")
        }
        #expect(!(done.tree("done").union(scratch.tree("incoming"))).contains { $0.contains("emotiond") })
    }

    @Test func `a file that is replaced while it is moved is neither lost nor taken for another`() throws {
        try race(done: try Scratch())
    }

    @Test(.enabled(if: hasSecondFileSystem, "needs /tmp and /dev/shm on two file systems"))
    func `a file that is replaced while it is copied is neither lost nor taken for another`() throws {
        try race(done: try Scratch(in: "/dev/shm"))
    }
}
