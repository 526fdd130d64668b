// Every hard and hostile file against the table of what FFmpeg's own tools make of it.

import Core
import Media
import Testing

struct BaselineRow: Sendable, CustomTestStringConvertible {
    let name: String
    let size: String
    let frames: Int
    let complainsInProbe: Bool

    var testDescription: String { name }

    static let all: [BaselineRow] = {
        let text = String(decoding: TestMedia.bytes(of: TestMedia.odd("BASELINE.tsv")), as: UTF8.self)
        return text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count >= 14 else { return nil }
            return BaselineRow(
                name: fields[0], size: fields[8], frames: Int(fields[13]) ?? 0, complainsInProbe: fields[11] == "yes")
        }
    }()
}

@Suite(.enabled(if: TestMedia.isPresent, "the clips are not here: set EMOTIOND_TEST_DATA"))
struct OddFilesTests {
    /// Files whose first frame has another size than the table's, or of which fewer frames come, and why.
    static let exceptions: [String: String] = [
        "anim.apng": "a picture is its first frame",
        "anim.gif": "a picture is its first frame",
        "bomb_gif_frames_8000_8x8.gif": "a picture is its first frame",
        "bomb_gif_16000x16000_200_frames.gif": "past the pixel limit",
        "audio_cover_art.mp3": "a cover is no video",
        "playlist_local_sibling.m3u8": "lists are not followed",
        "list_relative.ffconcat": "lists are not followed",
        "still.tga": "has no signature: FFmpeg knows it by its name only, which is not believed",
        "exif_orientation_6.png": "the orientation is applied, which FFmpeg ignores",
        "exif_orientation_6.webp": "the orientation is applied, which FFmpeg ignores",
        "still_orientation_6.tif": "the orientation is applied, which FFmpeg ignores",
        "sar_extreme_255x1.mp4": "the pixel aspect would pass the pixel limit and is ignored",
        "two_video_streams_second_default.mp4": "the default stream is taken, not the first",
    ]

    @Test(arguments: BaselineRow.all)
    func `an odd file gives the frames and size that FFmpeg's tools see, or an error`(row: BaselineRow) throws {
        let path = TestMedia.odd(row.name)
        var frames = 0
        var last: Timestamp?
        do throws(MediaError) {
            let reader = try TestMedia.reader(path)
            while let frame = try reader.next() {
                #expect(frame.index == frames)
                if let last { #expect(frame.time > last) }
                last = frame.time
                frames += 1
            }
            #expect(reader.counts.decoded == frames)
            if Self.exceptions[row.name] == nil {
                #expect("\(reader.info.width)x\(reader.info.height)" == row.size)
                #expect(frames >= row.frames)
            }
        } catch {
            #expect(error.kind == .notMedia, "\(error)")
            #expect(row.frames == 0 || Self.exceptions[row.name] != nil, "\(error)")
        }
    }
}
