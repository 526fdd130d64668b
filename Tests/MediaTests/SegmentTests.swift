// A video in pieces that are joined is the video in one piece: same frames, same times, same sound.

import Core
import Foundation
import Media
import Testing

@Suite(.enabled(if: TestMedia.isPresent, "the clips are not here: set EMOTIOND_TEST_DATA"))
struct SegmentTests {
    /// Copies a clip through decoder and encoder, a new piece after each of `cuts`; at every cut the writer is given
    /// up and another goes on from its state, as after a restart.
    private func rewrite(
        _ source: String, in folder: String, cuts: Set<Int>, encoders: [String] = AnnotatedVideoWriter.encoders
    ) throws -> (report: VideoWriteReport, state: SegmentedVideoState) {
        let reader = try TestMedia.reader(source)
        let size = (reader.info.width + reader.info.width % 2, reader.info.height + reader.info.height % 2)
        func writer(_ state: SegmentedVideoState?) -> SegmentedVideoWriter {
            SegmentedVideoWriter(
                folder: Array(folder.utf8), target: Array("\(folder)/whole.mp4".utf8), width: size.0, height: size.1,
                frameRate: reader.info.frameRate, audio: AudioSource(path: Array(source.utf8)), resuming: state,
                encoders: encoders)
        }
        var current = writer(nil), count = 0
        while let frame = try reader.next() {
            try current.write(frame.annotationPicture(width: size.0, height: size.1), at: frame.time)
            count += 1
            guard cuts.contains(count) else { continue }
            #expect(try current.closeSegment() != nil)
            let coded = try JSONEncoder().encode(current.state)
            current = writer(try JSONDecoder().decode(SegmentedVideoState.self, from: coded))
        }
        let report = try current.finish(cutsAudio: false)
        return (report, current.state)
    }

    /// Times of all packets of a stream in presentation order, and whether any is marked to be left out.
    private func packets(_ file: String, _ stream: String) throws -> (times: [Int64], discarded: Bool) {
        let lines = try TestMedia.ffprobe([
            "-select_streams", stream, "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", file,
        ])
        let fields = lines.map { $0.split(separator: ",") }
        let times = fields.compactMap { $0.first.flatMap { Double($0) } }.map { Int64(($0 * 1e6).rounded()) }
        return (times.sorted(), fields.contains { $0.count > 1 && $0[1].contains("D") })
    }

    @Test(
        .enabled(if: TestMedia.hasFFprobe, "ffprobe is not installed"),
        arguments: [
            "ref_h264_320x240_25fps.mp4", "vfr_jitter.mp4", "vfr_gap5s.mkv", "odd_321x241_vp9.webm", "fps_1000.mkv",
            "av_offset_audio_late.mp4", "negative_start.mp4",
        ], ["libx264", "mpeg4"])
    func `pieces joined are the video in one piece`(name: String, encoder: String) throws {
        try TestMedia.withFolder { folder in
            let source = TestMedia.odd(name)
            let reader = try TestMedia.reader(source)
            let size = (reader.info.width + reader.info.width % 2, reader.info.height + reader.info.height % 2)
            let one = try AnnotatedVideoWriter(
                path: Array("\(folder)/one.mp4".utf8), width: size.0, height: size.1, frameRate: reader.info.frameRate,
                audio: AudioSource(path: Array(source.utf8)), encoders: [encoder])
            while let frame = try reader.next() {
                try one.write(frame.annotationPicture(width: size.0, height: size.1), at: frame.time)
            }
            let expected = try one.finish()

            let (report, state) = try rewrite(
                source, in: folder, cuts: [1, 2, 7, expected.frames / 2, expected.frames - 1], encoders: [encoder])
            #expect(report == expected && state.frames == expected.frames)
            #expect(state.segments.count == 6)
            for stream in ["v:0", "a:0"] {
                let (a, b) = (try packets("\(folder)/one.mp4", stream), try packets("\(folder)/whole.mp4", stream))
                #expect(a.times == b.times, "\(stream)")
                #expect(a.discarded == b.discarded, "\(stream)")
            }
            let (a, b) = (
                try TestMedia.allFrames("\(folder)/one.mp4"), try TestMedia.allFrames("\(folder)/whole.mp4")
            )
            #expect(a.map(\.time) == b.map(\.time))
            for (x, y) in zip(a, b) { #expect(TestMedia.meanDifference(TestMedia.luma(x), TestMedia.luma(y)) < 4) }
        }
    }

    @Test func `each piece is a film of its own that begins with a key frame`() throws {
        try TestMedia.withFolder { folder in
            let (_, state) = try rewrite(
                TestMedia.odd("ref_h264_320x240_25fps.mp4"), in: folder, cuts: [10, 20])
            var count = 0
            for name in state.segments {
                let frames = try TestMedia.allFrames("\(folder)/\(name)")
                #expect(frames.first?.isKey == true)
                count += frames.count
            }
            #expect(count == state.frames)
        }
    }

    @Test func `a piece of another size is refused`() throws {
        try TestMedia.withFolder { folder in
            let (_, state) = try rewrite(TestMedia.odd("ref_h264_320x240_25fps.mp4"), in: folder, cuts: [10])
            let other = try AnnotatedVideoWriter(
                path: Array("\(folder)/\(state.segments[1])".utf8), width: 64, height: 48)
            try other.write(WritablePicture(width: 64, height: 48), at: Timestamp(microseconds: 400_000))
            _ = try other.finish()
            let writer = SegmentedVideoWriter(
                folder: Array(folder.utf8), target: Array("\(folder)/again.mp4".utf8), width: 320, height: 240,
                resuming: state)
            #expect(throws: MediaError.self) { _ = try writer.finish(cutsAudio: false) }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/again.mp4"))
        }
    }
}
