// What the reader promises about times, geometry, names and errors.

import Core
import Foundation
import Glibc
import Media
import Testing

@Suite(.enabled(if: TestMedia.isPresent, "the clips are not here: set EMOTIOND_TEST_DATA"))
struct ReaderTests {
    @Test(
        .enabled(if: TestMedia.hasFFprobe, "ffprobe is not installed"),
        arguments: [
            "ref_h264_320x240_25fps.mp4", "bframes_open_gop.mp4", "vfr_jitter.mp4", "vfr_gap5s.mkv",
            "start_offset_10s.ts",
            "negative_start.mp4", "av_offset_audio_late.mp4", "pts_wrap.ts", "fps_29970.mp4", "editlist_cut_midgop.mp4",
            "vp9.webm",
        ])
    func `times are ffprobe's, less the container's start`(name: String) throws {
        let path = TestMedia.odd(name)
        let stamps = try TestMedia.ffprobe([
            "-select_streams", "v:0", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path,
        ])
        .compactMap { Double($0.split(separator: ",").first ?? "") }
        let start = try TestMedia.ffprobe(["-show_entries", "format=start_time", "-of", "csv=p=0", path]).first.flatMap
        { Double($0) }
        let times = try TestMedia.allFrames(path).map { Double($0.time.microseconds) / 1_000_000 }
        try #require(times.count == stamps.count)
        for (time, stamp) in zip(times, stamps) { #expect(abs(time - (stamp - (start ?? 0))) < 0.000_002) }
    }

    @Test func `a clip of which every second time stamp repeats still has rising times`() throws {
        let reader = try TestMedia.reader(TestMedia.odd("vfr_duplicate_pts.mkv"))
        var times: [Int64] = []
        while let frame = try reader.next() { times.append(frame.time.microseconds) }
        #expect(times.count == 50 && zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        #expect(reader.counts.ptsRepaired == 25)
    }

    @Test func `time stamps that jump back go on at the last step`() throws {
        let reader = try TestMedia.reader(TestMedia.odd("pts_jump_back.ts"))
        var times: [Int64] = []
        while let frame = try reader.next() { times.append(frame.time.microseconds) }
        #expect(times.count == 100)
        #expect(zip(times, times.dropFirst()).allSatisfy { (39_000...41_000).contains($1 - $0) })
    }

    @Test func `a raw stream runs at its declared rate`() throws {
        let times = try TestMedia.allFrames(TestMedia.odd("raw_nopts.264")).map(\.time.microseconds)
        #expect(times == (0..<50).map { $0 * 40_000 })
    }

    @Test(arguments: ["rot90.mp4", "rot180.mp4", "rot270.mp4", "mirror_h.mp4", "mirror_v.mp4", "rot90_mirror.mp4"])
    func `turned and mirrored clips all stand upright`(name: String) throws {
        let turned = try TestMedia.allFrames(TestMedia.odd(name))
        let reference = try TestMedia.allFrames(TestMedia.odd("ref_h264_320x240_25fps.mp4"))
        for index in [0, 20] {
            let difference = TestMedia.meanDifference(TestMedia.luma(turned[index]), TestMedia.luma(reference[index]))
            #expect(difference < 4, "frame \(index)")
        }
    }

    @Test(arguments: [
        "exif_orientation_2.jpg", "exif_orientation_3.jpg", "exif_orientation_4.jpg", "exif_orientation_5.jpg",
        "exif_orientation_6.jpg", "exif_orientation_7.jpg", "exif_orientation_8.jpg", "exif_orientation_9_invalid.jpg",
        "exif_orientation_6.png", "exif_orientation_6.webp",
    ])
    func `pictures with an EXIF orientation stand upright`(name: String) throws {
        let frame = try #require(try TestMedia.allFrames(TestMedia.odd(name)).first)
        let reference = try #require(try TestMedia.allFrames(TestMedia.odd("exif_orientation_1.jpg")).first)
        let (turned, upright) = (TestMedia.luma(frame), TestMedia.luma(reference))
        // PNG and WebP were not made from this JPEG, but of the same picture; limited range is not compared.
        let tolerance = name.hasSuffix("webp") ? 25.0 : 6.0
        #expect(TestMedia.meanDifference(turned, upright) < tolerance)
    }

    @Test func `a pixel aspect stretches the width`() throws {
        let reader = try TestMedia.reader(TestMedia.odd("sar_2x1_160x240.mp4"))
        #expect(reader.info.width == 320 && reader.info.height == 240)
    }

    @Test func `a pixel aspect that would stretch past the limit is ignored and noted`() throws {
        let reader = try TestMedia.reader(TestMedia.odd("sar_extreme_255x1.mp4"))
        #expect(reader.info.width == 320 && reader.notes.contains { $0.contains("aspect") })
    }

    @Test func `alpha is composed over white`() throws {
        let frame = try #require(try TestMedia.allFrames(TestMedia.odd("still_rgba_fully_transparent.png")).first)
        #expect(frame.range == .full && TestMedia.luma(frame).allSatisfy { $0 >= 254 })
    }

    @Test(arguments: ["still_rgb.png", "still_rgb48_16bit.png", "still_444.jpg", "still_baseline.jpg"])
    func `one picture has the same luma in every format`(name: String) throws {
        let frame = try #require(try TestMedia.allFrames(TestMedia.odd(name)).first)
        let reference = try #require(try TestMedia.allFrames(TestMedia.odd("still_gray.jpg")).first)
        #expect(frame.range == .full)
        #expect(TestMedia.meanDifference(TestMedia.luma(frame), TestMedia.luma(reference)) < 3)
    }

    @Test func `frames change their size where the stream does`() throws {
        let widths = try TestMedia.allFrames(TestMedia.odd("resolution_change.ts")).map(\.width)
        #expect(Set(widths) == [320, 480] && widths.first == 320 && widths.last == 480)
    }

    @Test func `a part of a clip keeps the clip's indices and times`() throws {
        let path = TestMedia.odd("ref_h264_320x240_25fps.mp4")
        let options = MediaOptions(from: Timestamp(microseconds: 500_000), to: Timestamp(microseconds: 1_000_000))
        let reader = try TestMedia.reader(path, options)
        var part: [Frame] = []
        while let frame = try reader.next() { part.append(frame) }
        let whole = try TestMedia.allFrames(path).filter { (500_000..<1_000_000).contains($0.time.microseconds) }
        #expect(part.map(\.index) == whole.map(\.index) && part.map(\.time) == whole.map(\.time))
        #expect(!reader.isPartial)
        #expect(reader.counts.decoded == reader.counts.skippedBeforeStart + part.count)
    }

    @Test(arguments: [
        "trunc_50pct_h264.mkv", "trunc_faststart_50pct.mp4", "bitflip_mdat_1e-03.mp4", "ts_packet_loss_30pct.ts",
        "still_truncated_50pct.jpg",
    ])
    func `damaged files end as partial`(name: String) throws {
        let reader = try TestMedia.reader(TestMedia.odd(name))
        while try reader.next() != nil {}
        #expect(reader.isPartial)
    }

    @Test(arguments: [
        "ref_h264_320x240_25fps.mp4", "fps_half.mp4", "two_frames_10s_apart.mkv", "av_offset_audio_late.mp4",
        "lie_mvhd_duration_136y.mp4", "still_baseline.jpg", "anim.gif",
    ])
    func `whole files are not partial`(name: String) throws {
        let reader = try TestMedia.reader(TestMedia.odd(name))
        while try reader.next() != nil {}
        #expect(!reader.isPartial, "\(reader.counts)")
    }

    @Test(arguments: [
        "bomb_png_real_30000x30000_1bit.png", "bomb_gif_16000x16000_200_frames.gif", "bomb_jpeg_header_65500x65500.jpg",
        "bomb_tiff_header_100000x100000.tif",
    ])
    func `a picture past the pixel limit is refused with the limit's option`(name: String) throws {
        #expect {
            _ = try TestMedia.reader(TestMedia.odd(name))
        } throws: { error in
            guard case .limitExceeded(_, let limit, _)? = error as? MediaError else { return false }
            return limit.option == "--max-pixels"
        }
    }

    @Test func `more streams than allowed are refused`() throws {
        var options = MediaOptions()
        options.limits.maximumStreams = 8
        #expect {
            _ = try TestMedia.reader(TestMedia.odd("many_audio_streams_32.mkv"), options)
        } throws: { error in
            guard case .limitExceeded(_, let limit, 33)? = error as? MediaError else { return false }
            return limit.option == "--max-streams"
        }
    }

    @Test func `a longer clip than allowed is refused`() throws {
        var options = MediaOptions()
        options.limits.maximumDurationSeconds = 5
        #expect {
            _ = try TestMedia.reader(TestMedia.odd("fps_half.mp4"), options)
        } throws: { ($0 as? MediaError)?.kind == .notMedia }
    }

    @Test func `a cancelled reader stops`() throws {
        let options = MediaOptions(isCancelled: { true })
        #expect(throws: MediaError.cancelled) { _ = try TestMedia.reader(TestMedia.odd("h264.mkv"), options) }
    }

    static let exoticNames: [[UInt8]] =
        [
            "with space.mp4", "quote'\".mp4", "new\nline.mp4", "%03d.mp4", "%d%s%n.jpg", "-i.mp4", "concat:a|b",
            "file:x.mp4", "http:x.mp4",
            "pipe:0", "data:x", "lavfi", "no-ending", "wrong.txt", "📼\u{202E}.mp4", "e\u{301}.mp4", ".hidden.mp4",
            "=1+1.mp4",
        ].map { Array($0.utf8) } + [
            [0xFF, 0xFE, 0x2E, 0x6D, 0x70, 0x34], Array("caf\u{E9}".unicodeScalars.map { UInt8($0.value) }),
        ]

    @Test(arguments: exoticNames)
    func `any name opens as the file it is`(name: [UInt8]) throws {
        let clip = TestMedia.bytes(of: TestMedia.odd("one_frame.mp4"))
        try TestMedia.withFolder { folder in
            let path = Array(folder.utf8) + [0x2F] + name
            #expect(TestMedia.write(clip, to: path))
            let reader = try MediaReader(path: path)
            #expect(try reader.next() != nil && reader.next() == nil)
        }
    }

    @Test func `what is no regular file is no input`() throws {
        try TestMedia.withFolder { folder in
            mkfifo("\(folder)/fifo.mp4", 0o600)
            for path in [folder, "\(folder)/fifo.mp4", "/dev/zero", "\(folder)/missing.mp4"] {
                #expect {
                    _ = try TestMedia.reader(path)
                } throws: { ($0 as? MediaError)?.kind == .noInput }
            }
        }
    }
}
