// The README's command on the samples, and what comes out of it.

import Foundation
import Testing

private let fixedColumns = [
    "frame", "timestamp", "face_id", "confidence", "x", "y", "w", "h", "angry", "disgust", "fear", "happy", "sad",
    "surprise", "neutral", "dominant", "dominant_score", "status",
]
private let emotions = Array(fixedColumns[8..<15])

@Suite struct AnalysisTests {
    private static let hasProbe = FileManager.default.isExecutableFile(atPath: "/usr/bin/ffprobe")

    /// One value a line from ffprobe, the oracle for times and frame counts.
    private func probe(_ file: String, _ entries: String, _ extra: [String] = []) throws -> [Substring] {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/ffprobe")
        process.arguments =
            ["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "csv=p=0"] + extra + [file]
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).map { $0.prefix { $0 != "," } }
    }

    @Test func `the README's command turns the sample into a timeline`() throws {
        let out = try TemporaryFolder()
        let video = Command.samples.appending(path: "ad.mp4").path
        let run = try Command.run(["--file", video, "--out", out.url.path])
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            Set(out.names) == [
                "ad.mp4", "ad.mp4/annotated.mp4", "ad.mp4/run.json", "ad.mp4/summary.csv", "ad.mp4/timeline.csv",
            ])

        let timeline = Table(try out.text("ad.mp4/timeline.csv"))
        #expect(timeline.header == fixedColumns)
        var last = (frame: -1, time: -1.0)
        for row in timeline.rows {
            let frame = try #require(Int(row["frame"] ?? "")), time = try #require(Double(row["timestamp"] ?? ""))
            #expect(frame >= last.frame && (frame == last.frame) == (time == last.time) && time >= last.time)
            last = (frame, time)
            if row["status"] == "no_face" {
                #expect(row["face_id"] == "" && row["happy"] == "" && row["dominant"] == "")
            } else {
                let sum = emotions.compactMap { Double(row[$0] ?? "") }.reduce(0, +)
                #expect(abs(sum - 1) < 0.0005, "\(row)")
            }
        }
        // The sample shows people, and has a moment without anybody.
        #expect(timeline.rows.contains { $0["status"] == "no_face" })
        #expect(timeline.rows.contains { $0["status"] == "detected" })

        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(try out.text("ad.mp4/run.json").utf8)) as? [String: Any])
        let counts = try #require(report["counts"] as? [String: Int])
        #expect(report["status"] as? String == "complete")
        #expect(counts["decoded"] == counts["analysed"])
        #expect(counts["rows"] == timeline.rows.count)
        #expect(counts["analysed"] == Set(timeline.rows.compactMap { $0["frame"] }).count)
    }

    @Test(.enabled(if: hasProbe, "needs ffprobe as the oracle"))
    func `times are those of ffprobe and the annotated video has the same frames`() throws {
        let out = try TemporaryFolder()
        let video = Command.samples.appending(path: "ad.mp4").path
        let run = try Command.run(["--file", video, "--out", out.url.path, "--every", "2"])
        #expect(run.status == 0, "\(run.errors)")
        let rows = Table(try out.text("ad.mp4/timeline.csv")).rows
        var times: [Double] = []
        for row in rows {
            let time = try #require(Double(row["timestamp"] ?? ""))
            if times.last != time { times.append(time) }
        }
        let expected = try probe(video, "frame=pts_time").enumerated().filter { $0.offset % 2 == 0 }.compactMap {
            Double($0.element)
        }
        #expect(times.count == expected.count)
        for (a, b) in zip(times, expected) { #expect(abs(a - b) < 2e-6) }
        let annotated = try probe(out.url.path + "/ad.mp4/annotated.mp4", "frame=pts_time").compactMap { Double($0) }
        #expect(annotated.count == times.count)
        for (a, b) in zip(annotated, times) { #expect(abs(a - b) < 2e-6) }
    }

    @Test func `a second run finds the result, other settings are refused, overwrite replaces`() throws {
        let out = try TemporaryFolder()
        let picture = Command.samples.appending(path: "astronaut.jpg").path
        let arguments = ["--file", picture, "--out", out.url.path]
        #expect(try Command.run(arguments).status == 0)
        #expect(out.names.contains("astronaut.jpg/annotated.jpg"))
        let first = try out.text("astronaut.jpg/run.json")
        let again = try Command.run(arguments)
        #expect(again.status == 0 && again.output.contains("already done"))
        #expect(try out.text("astronaut.jpg/run.json") == first)
        let refused = try Command.run(arguments + ["--no-video"])
        #expect(refused.status == 73 && refused.errors.contains("--overwrite"))
        #expect(out.names.contains("astronaut.jpg/annotated.jpg"))
        #expect(try Command.run(arguments + ["--no-video", "--overwrite"]).status == 0)
        #expect(!out.names.contains("astronaut.jpg/annotated.jpg"))
    }

    @Test func `the astronaut smiles and the engines agree`() throws {
        let picture = Command.samples.appending(path: "astronaut.jpg").path
        var answers: [[Double]] = []
        for extra in [["--cpu-level", "scalar"], [], ["--emotion-engine", "opencv"]] {
            let out = try TemporaryFolder()
            let run = try Command.run(["--file", picture, "--out", out.url.path, "--no-video"] + extra)
            #expect(run.status == 0, "\(run.errors)")
            let faces = Table(try out.text("astronaut.jpg/timeline.csv")).rows.filter { $0["status"] == "detected" }
            #expect(faces.count == 1)
            answers.append(emotions.compactMap { Double(faces.first?[$0] ?? "") })
        }
        #expect(answers[0].count == 7)
        for other in answers.dropFirst() {
            for (a, b) in zip(answers[0], other) { #expect(abs(a - b) <= 0.002) }
        }
        #expect(answers[0].max() == answers[0][3], "angry … neutral: \(answers[0])")
    }

    @Test func `stills are written where faces are`() throws {
        let out = try TemporaryFolder()
        let picture = Command.samples.appending(path: "two_people.png").path
        #expect(try Command.run(["--file", picture, "--out", out.url.path, "--frames", "faces", "--json"]).status == 0)
        #expect(out.names.contains("two_people.png/frames/000000.jpg"))
        #expect(Table(try out.text("two_people.png/summary.csv")).rows.count == 2)
    }
}
