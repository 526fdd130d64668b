// What is kept of faces that were to be made unrecognisable: a detector finds none.

import Core
import Faces
import Foundation
import Media
import Pipeline
import Results
import Testing

@Suite(.serialized) struct BlurTests {
    /// The faces that the run's own detector finds in a picture, in its pixels.
    private func detect(_ detector: any FaceDetector, _ frame: Frame) throws -> [Box] {
        let scaler = LumaScaler()
        return try frame.withLuma { luma in
            let scaled = try scaler.scale(luma, range: frame.range, longestSide: 640)
            return try detector.detect(scaled.view).map { $0.box.scaled(x: scaled.horizontal, y: scaled.vertical) }
        }
    }

    private func frames(_ path: String) throws -> [Frame] {
        let reader = try MediaReader(path: Array(path.utf8))
        var frames: [Frame] = []
        while let frame = try reader.next() { frames.append(frame) }
        return frames
    }

    /// Boxes by frame of a timeline.
    private func boxes(_ timeline: Data?) -> [[Box]] {
        let lines = String(decoding: timeline ?? Data(), as: UTF8.self).split(separator: "\n").dropFirst()
        var boxes: [[Box]] = []
        var last: Substring?
        for line in lines {
            let cells = line.split(separator: ",", omittingEmptySubsequences: false)
            if cells[0] != last { boxes.append([]) }
            last = cells[0]
            let numbers = cells[4..<8].compactMap { Float($0) }
            guard numbers.count == 4 else { continue }
            boxes[boxes.count - 1].append(
                Box(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3]))
        }
        return boxes
    }

    private func check(_ choice: DetectorChoice, _ detector: any FaceDetector) throws {
        let folder = try Folder()
        for (number, input) in ([Sample.ad] + Sample.pictures).enumerated() {
            var job = SampleJob(folder)
            job.input = input
            job.options.to = input == Sample.ad ? Timestamp(microseconds: 6_000_000) : nil
            job.options.every = 10
            job.options.detector = choice
            job.options.detectorModel = choice == .yunet ? Array(Sample.yunet.utf8) : nil
            job.options.video = .blurred
            job.options.stills = .faces
            _ = try job.run(out: "\(number)")
            let truth = boxes(folder.bytes("\(number)/clip/timeline.csv"))
            #expect(truth.contains { !$0.isEmpty }, "the sample shows a face")
            let kept = input == Sample.ad ? "annotated.mp4" : "annotated.jpg"
            let pictures = try frames("\(folder.path)/\(number)/clip/\(kept)")
            #expect(pictures.count == truth.count)
            let stills = folder.names("\(number)/clip/frames")
            #expect(stills.count == truth.count { !$0.isEmpty })
            let all =
                Array(zip(pictures, truth))
                + zip(
                    try stills.flatMap { try frames("\(folder.path)/\(number)/clip/frames/\($0)") },
                    truth.filter { !$0.isEmpty })
            for (picture, faces) in all {
                let found = try detect(detector, picture)
                let worst = found.flatMap { a in faces.map { a.overlap(with: $0) } }.max() ?? 0
                #expect(worst <= 0.2, "\(input), \(picture.time.seconds): \(found) of \(faces)")
            }
        }
    }

    @Test func `the cascade finds no face where it found one`() throws {
        try check(.cascade, CascadeDetector(searching: CascadeDetector.usualFiles))
    }

    @Test(.enabled(if: Sample.hasYuNet, Sample.noYuNet))
    func `YuNet finds no face where it found one`() throws {
        try check(.yunet, DetectorLoader.load(path: Sample.yunet))
    }

    @Test func `none keeps no picture, whatever else is asked for`() throws {
        var job = SampleJob(try Folder())
        job.options.video = .none
        job.options.stills = .all
        job.options.to = Timestamp(microseconds: 500_000)
        _ = try job.run(out: "video")
        job.input = Sample.pictures[0]
        _ = try job.run(out: "picture")
        for out in ["video", "picture"] {
            #expect(job.folder.names("\(out)/clip") == ["run.json", "summary.csv", "timeline.csv"])
        }
    }

    @Test func `usual settings have the hash they had, and what is drawn changes it`() {
        func settings(_ change: (inout AnalysisOptions) -> Void) -> [String: SettingValue] {
            var options = AnalysisOptions()
            change(&options)
            return options.settings(detector: "d")
        }
        let usual = settings { _ in }
        #expect(usual["video"] == .bool(true) && usual["faces"] == nil && usual["notice"] == nil)
        #expect(settings { $0.writesVideo = false } == settings { $0.video = .none })
        #expect(settings { $0.video = .blurred } != usual && settings { $0.notice = "x" } != usual)
        #expect(
            settings {
                $0.video = .none
                $0.notice = "x"
                $0.stills = .all
            } == settings { $0.writesVideo = false })
    }
}
