// annotated.mp4 and JPEG files, read back by the reader and by ffprobe.

import Core
import Foundation
import Media
import Testing

@Suite(.enabled(if: TestMedia.isPresent, "the clips are not here: set EMOTIOND_TEST_DATA"))
struct WriterTests {
    /// Copies a clip through decoder and encoder.
    private func rewrite(
        _ source: String, to target: String, options: MediaOptions = MediaOptions(),
        encoders: [String] = AnnotatedVideoWriter.encoders
    ) throws -> (report: VideoWriteReport, times: [Timestamp]) {
        let reader = try TestMedia.reader(source, options)
        let size = (reader.info.width + reader.info.width % 2, reader.info.height + reader.info.height % 2)
        let writer = try AnnotatedVideoWriter(
            path: Array(target.utf8), width: size.0, height: size.1, frameRate: reader.info.frameRate,
            audio: AudioSource(path: Array(source.utf8), from: options.from, to: options.to), encoders: encoders)
        var times: [Timestamp] = []
        while let frame = try reader.next() {
            try writer.write(frame.annotationPicture(width: size.0, height: size.1), at: frame.time)
            times.append(frame.time)
        }
        return (try writer.finish(), times)
    }

    @Test(arguments: [
        "ref_h264_320x240_25fps.mp4", "vfr_jitter.mp4", "vfr_gap5s.mkv", "odd_321x241_vp9.webm",
        "h264_fullrange_yuvj420p.mp4", "resolution_change.ts", "fps_1000.mkv", "interlaced_tff_mpeg2.ts",
    ])
    func `what is written has the same frames at the same times`(name: String) throws {
        try TestMedia.withFolder { folder in
            let target = "\(folder)/annotated.mp4"
            let (report, times) = try rewrite(TestMedia.odd(name), to: target)
            #expect(report.frames == times.count)
            let back = try TestMedia.allFrames(target)
            #expect(
                back.map { $0.time.microseconds - back[0].time.microseconds }
                    == times.map { $0.microseconds - times[0].microseconds })
        }
    }

    @Test func `a written frame looks like its source`() throws {
        for name in ["ref_h264_320x240_25fps.mp4", "h264_fullrange_yuvj420p.mp4"] {
            try TestMedia.withFolder { folder in
                let target = "\(folder)/a.mp4"
                _ = try rewrite(TestMedia.odd(name), to: target)
                let (back, source) = (try TestMedia.allFrames(target), try TestMedia.allFrames(TestMedia.odd(name)))
                #expect(back[0].range == .limited)
                var expected = TestMedia.luma(source[0])
                if source[0].range == .full { expected = expected.map { UInt8(16 + Int($0) * 219 / 255) } }
                #expect(TestMedia.meanDifference(TestMedia.luma(back[0]), expected) < 3, "\(name)")
            }
        }
    }

    @Test func `the index stands before the frames`() throws {
        try TestMedia.withFolder { folder in
            let target = "\(folder)/a %d.mp4"
            _ = try rewrite(TestMedia.odd("ref_h264_320x240_25fps.mp4"), to: target)
            let data = Data(TestMedia.bytes(of: target))
            let moov = try #require(data.range(of: Data("moov".utf8))).lowerBound
            let mdat = try #require(data.range(of: Data("mdat".utf8))).lowerBound
            #expect(moov < mdat)
        }
    }

    @Test(arguments: [
        ("ref_h264_320x240_25fps.mp4", AudioOutcome.copied(codec: "aac")), ("h264.flv", .copied(codec: "aac")),
        ("theora.ogv", .none), ("ref_second_face.mp4", .none), ("av_offset_audio_late.mp4", .copied(codec: "aac")),
    ])
    func `sound that MP4 carries is copied`(name: String, expected: AudioOutcome) throws {
        try TestMedia.withFolder { folder in
            let (report, _) = try rewrite(TestMedia.odd(name), to: "\(folder)/a.mp4")
            #expect(report.audio == expected)
            #expect(try TestMedia.reader("\(folder)/a.mp4").info.hasAudio == (expected != .none))
        }
    }

    @Test(.enabled(if: TestMedia.hasFFprobe, "ffprobe is not installed"))
    func `other sound becomes AAC of the same length`() throws {
        try TestMedia.withFolder { folder in
            let source = try clipWithPCM(folder)
            let (report, _) = try rewrite(source, to: "\(folder)/a.mp4")
            #expect(report.audio == .transcoded(from: "pcm_s16le"))
            let entries = [
                "-select_streams", "a:0", "-show_entries", "stream=codec_name,duration", "-of", "csv=p=0",
                "\(folder)/a.mp4",
            ]
            let fields = try TestMedia.ffprobe(entries).first?.split(separator: ",").map(String.init) ?? []
            #expect(fields.first == "aac")
            #expect(abs((Double(fields.last ?? "") ?? 0) - 2) < 0.1)
        }
    }

    /// The reference clip with 16-bit sound, made by the ffmpeg command that comes with ffprobe.
    private func clipWithPCM(_ folder: String) throws -> String {
        let path = "\(folder)/pcm.mkv"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/ffmpeg")
        process.arguments = [
            "-v", "quiet", "-i", TestMedia.odd("ref_h264_320x240_25fps.mp4"), "-c:v", "copy", "-c:a", "pcm_s16le", path,
        ]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return path
    }

    @Test func `of a part only the part's sound is written, at the clip's times`() throws {
        try TestMedia.withFolder { folder in
            let options = MediaOptions(from: Timestamp(microseconds: 1_000_000), to: Timestamp(microseconds: 1_500_000))
            let (report, times) = try rewrite(
                TestMedia.odd("ref_h264_320x240_25fps.mp4"), to: "\(folder)/a.mp4", options: options)
            #expect(times.first == Timestamp(microseconds: 1_000_000) && report.frames == times.count)
            let reader = try TestMedia.reader("\(folder)/a.mp4")
            #expect(reader.info.hasAudio)
            #expect((reader.info.durationMicroseconds ?? 0) < 1_700_000)
        }
    }

    @Test func `without libx264 the encoder is MPEG-4, and the report says so`() throws {
        try TestMedia.withFolder { folder in
            let (report, times) = try rewrite(
                TestMedia.odd("ref_h264_320x240_25fps.mp4"), to: "\(folder)/a.mp4",
                encoders: ["no-such-encoder", "mpeg4"])
            #expect(report.encoder == "mpeg4")
            #expect(try TestMedia.allFrames("\(folder)/a.mp4").map(\.time) == times)
        }
    }

    @Test func `a full disk is said to be one`() throws {
        #expect {
            _ = try rewrite(TestMedia.odd("ref_h264_320x240_25fps.mp4"), to: "/dev/full")
        } throws: { ($0 as? MediaError)?.kind == .noSpace }
    }

    @Test func `a file that cannot be made is said to be one`() throws {
        #expect {
            _ = try rewrite(TestMedia.odd("ref_h264_320x240_25fps.mp4"), to: "/no-such-folder/a.mp4")
        } throws: { ($0 as? MediaError)?.kind == .cannotCreate }
    }

    @Test func `an abandoned video leaves nothing behind`() throws {
        try TestMedia.withFolder { folder in
            let writer = try AnnotatedVideoWriter(path: Array("\(folder)/a.mp4".utf8), width: 64, height: 48)
            try writer.write(WritablePicture(width: 64, height: 48), at: .zero)
            writer.abandon()
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/a.mp4"))
        }
    }

    @Test func `a frame of another size is fitted between black bars`() throws {
        let frame = try #require(try TestMedia.allFrames(TestMedia.odd("ref_h264_320x240_25fps.mp4")).first)
        let picture = try frame.annotationPicture(width: 320, height: 480)
        #expect(picture.placement.y == 120 && picture.placement.height == 240 && picture.placement.x == 0)
        #expect(picture.planes.y.base[0] == 16 && picture.planes.u.base[0] == 128)
        let box = picture.placement.map(Box(x: 10, y: 10, width: 5, height: 5))
        #expect(box == Box(x: 10, y: 130, width: 5, height: 5))
    }

    @Test func `a JPEG shows the picture it was made from`() throws {
        try TestMedia.withFolder { folder in
            let frame = try #require(try TestMedia.allFrames(TestMedia.odd("still_baseline.jpg")).first)
            let path = "\(folder)/%d new\nline.jpg"
            try writeJPEG(frame.annotationPicture(width: 320, height: 240, range: .full), path: Array(path.utf8))
            let back = try #require(try TestMedia.allFrames(path).first)
            #expect(back.range == .full)
            #expect(TestMedia.meanDifference(TestMedia.luma(back), TestMedia.luma(frame)) < 3)
            #expect {
                try writeJPEG(frame.annotationPicture(width: 320, height: 240), path: Array("/dev/full".utf8))
            } throws: { ($0 as? MediaError)?.kind == .noSpace }
        }
    }
}
