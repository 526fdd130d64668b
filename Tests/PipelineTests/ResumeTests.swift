// A run that ended early and was taken up again gives what an uninterrupted one gives.

import Core
import Foundation
import Media
import Pipeline
import Results
import Testing

@Suite(.serialized) struct ResumeTests {
    @Test func `a run stopped again and again gives the bytes of one that never was`() throws {
        var job = SampleJob(try Folder())
        job.options.stills = .every(10)
        // The stages before the writer are ahead of it by less than fifty frames, so each stop finds the reader at work.
        job.options.to = Timestamp(microseconds: 8_000_000)
        _ = try job.run(out: "plain")
        for frames in [1, 17, 18, 40] {
            #expect(try job.stop(after: frames, out: "cut", work: "work"), "\(frames)")
            #expect(job.folder.names("cut") == [], "nothing is published")
        }
        let outcome = try job.run(out: "cut", work: "work")
        #expect(outcome.exit == .done && outcome.frames == 100)
        try job.expectSame("plain", "cut")
        #expect(job.folder.names("work") == [])
        #expect(job.notes.contains { $0.resumed })
        let saved = job.notes.filter { !$0.resumed }.map(\.frames)
        #expect(saved == saved.sorted() && Set(saved).count == saved.count, "no work is done twice: \(saved)")
        #expect(try job.report("cut").notes.contains { $0.hasPrefix("went on from a checkpoint") })
        #expect(try job.report("cut").video?.audio == "copied")
    }

    @Test func `a checkpoint changes nothing in a run that goes through`() throws {
        var job = SampleJob(try Folder())
        job.options.writesVideo = false
        job.options.every = 5
        _ = try job.run(out: "plain")
        _ = try job.run(out: "kept", work: "work")
        try job.expectSame("plain", "kept")
        #expect(!job.notes.isEmpty && job.folder.names("work") == [])
    }

    @Test(arguments: [VideoChoice.none, .blurred])
    func `what a crash leaves is enough to go on from`(video: VideoChoice) throws {
        let folder = try Folder()
        var job = SampleJob(folder)
        job.options.video = video
        job.options.stills = video == .none ? .none : .all
        // More than the writer's place at the stop and the fifty frames that the stages before it may be ahead.
        job.options.to = Timestamp(microseconds: 8_000_000)
        _ = try job.run(out: "plain")
        // The folder as it is in mid-run, rows in buffers and a piece of video half written: what kill -9 leaves.
        for frames in [video == .none ? 20 : 37] {
            let copy = "crash\(frames)", cancellation = Cancellation()
            #expect(throws: PipelineError.self) {
                _ = try job.run(out: "never", work: "work\(frames)", cancellation: cancellation) {
                    guard $0 == frames else { return }
                    try? FileManager.default.copyItem(
                        atPath: "\(folder.path)/work\(frames)", toPath: "\(folder.path)/\(copy)")
                    cancellation.raise(.stop)
                }
            }
            #expect(folder.names(copy).contains("checkpoint.json"))
            _ = try job.run(out: copy + "-out", work: copy)
            try job.expectSame("plain", copy + "-out")
        }
        #expect(job.notes.contains { $0.resumed })
    }

    @Test func `a checkpoint that does not hold is left, and the log says why`() throws {
        let folder = try Folder()
        var job = SampleJob(folder)
        _ = try job.run(out: "plain")
        let work = URL(filePath: folder.path).appending(path: "work")
        let checkpoint = work.appending(path: "checkpoint.json")
        let segment = work.appending(path: "segments/000000.mp4").path
        let spoil: [(said: String, commit: String, how: () throws -> Void)] = [
            ("made by version 1 of commit a", "b", {}),
            (
                "the file is damaged", "a",
                {
                    var data = try Data(contentsOf: checkpoint)
                    data[data.count / 2] ^= 1
                    try data.write(to: checkpoint)
                }
            ),
            ("files of its checkpoint are missing", "a", { try FileManager.default.removeItem(atPath: segment) }),
            (
                "files of its checkpoint are missing", "a",
                { try Data("frame\n".utf8).write(to: work.appending(path: "timeline.csv")) }
            ),
            ("are not those of the checkpoint", "a", { try moveTime(in: checkpoint) }),
        ]
        #expect(try job.stop(after: 16, out: "never", work: "stopped"))
        #expect(folder.names("stopped").contains("checkpoint.json"))
        for (number, way) in spoil.enumerated() {
            try? FileManager.default.removeItem(atPath: "\(folder.path)/work")
            try FileManager.default.copyItem(atPath: "\(folder.path)/stopped", toPath: "\(folder.path)/work")
            try way.how()
            _ = try job.run(out: "out\(number)", work: "work", commit: way.commit)
            #expect(job.log.contain(way.said), "\(job.log.all)")
            try job.expectSame("plain", "out\(number)")
        }
    }

    /// As if the decoder gave other frames than it did, in a checkpoint that is otherwise sound.
    private func moveTime(in file: URL) throws {
        let lines = String(decoding: try Data(contentsOf: file), as: UTF8.self).split(separator: "\n")
        let point = try #require(lines[1].range(of: #""point":\{"analysed":\d+"#, options: .regularExpression))
        let body = lines[1].replacingCharacters(in: point, with: #""point":{"analysed":3"#)
        let hash = try sha256(of: Array(body.utf8))
        try Data("{\"format\":1,\"sha256\":\"\(hash)\"}\n\(body)\n".utf8).write(to: file)
    }

    @Test func `with other settings the job starts over`() throws {
        var job = SampleJob(try Folder())
        job.options.writesVideo = false
        #expect(try job.stop(after: 16, out: "out", work: "work"))
        job.options.minimumScore = 0.9
        _ = try job.run(out: "plain")
        _ = try job.run(out: "out", work: "work")
        #expect(job.log.contain("the settings have changed"))
        try job.expectSame("plain", "out")
    }

    @Test func `without a work folder a stop publishes what is there`() throws {
        var job = SampleJob(try Folder())
        job.options.writesVideo = false
        let cancellation = Cancellation()
        let outcome = try job.run(out: "out", cancellation: cancellation) { if $0 == 5 { cancellation.raise(.stop) } }
        #expect(outcome.exit == .interrupted && outcome.status == .interrupted)
        #expect(job.folder.names("out/clip").contains("timeline.csv"))
    }

    @Test func `an interrupt publishes what is there and leaves nothing to go on with`() throws {
        var job = SampleJob(try Folder())
        let cancellation = Cancellation()
        let outcome = try job.run(out: "out", work: "work", cancellation: cancellation) {
            if $0 == 20 { cancellation.raise(.interrupt) }
        }
        #expect(outcome.exit == .interrupted && outcome.frames >= 20 && outcome.frames < 60)
        #expect(job.folder.names("out/clip").contains("annotated.mp4") && job.folder.names("work") == [])
        #expect(try job.report("out").status == .interrupted)
    }

    @Test func `a result that is there already ends the job and empties its folder`() throws {
        var job = SampleJob(try Folder())
        job.options.writesVideo = false
        #expect(try job.stop(after: 8, out: "out", work: "work"))
        _ = try job.run(out: "out")
        #expect(try job.run(out: "out", work: "work").skipped)
        #expect(job.folder.names("work") == [])
    }

    @Test func `a work folder on another file system is refused with a sentence`() throws {
        let shm = "/dev/shm"
        var here = stat(), there = stat()
        try #require(stat(shm, &there) == 0 && stat(NSTemporaryDirectory(), &here) == 0)
        guard here.st_dev != there.st_dev else { return }
        var job = SampleJob(try Folder())
        let name = "emotiond-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: "\(shm)/\(name)") }
        #expect {
            _ = try job.run(out: "out", work: "../../../../../../..\(shm)/\(name)")
        } throws: { ($0 as? PipelineError)?.exit == .configuration }
    }

    @Test func `numbers come back from a checkpoint bit by bit`() throws {
        var random = SystemRandomNumberGenerator()
        let floats = (0..<20_000).map { _ in Float(bitPattern: random.next()) }.filter(\.isFinite)
        let doubles = (0..<20_000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
        let (a, b) = (try JSONEncoder().encode(floats), try JSONEncoder().encode(doubles))
        #expect(try JSONDecoder().decode([Float].self, from: a).map(\.bitPattern) == floats.map(\.bitPattern))
        #expect(try JSONDecoder().decode([Double].self, from: b).map(\.bitPattern) == doubles.map(\.bitPattern))
    }
}
