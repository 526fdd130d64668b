// Label files and pictures as they come, whole and broken.

import Core
import Faces
import Foundation
import Testing
import Tools

/// Says the same of every picture, and remembers how large they were.
private final class FixedDetector: FaceDetector {
    let name = "fixed"
    let cropMapping = CropMapping(side: 1, of: .height, shiftX: 0, shiftY: 0)
    let defaultScore: Float = 0.5
    var answer: [Detection] = []
    var failure: FacesError?
    private(set) var sizes: Set<[Int]> = []

    func detect(_ luma: ImageView, minimumScore: Float) throws(FacesError) -> [Detection] {
        if let failure { throw failure }
        sizes.insert([luma.width, luma.height])
        return answer.filter { $0.score >= minimumScore }
    }
}

@Suite struct DetectorLabelsTests {
    /// A folder of labels that goes with the test, with two pictures: 4x3 and 3x4 pixels.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "emotiond-\(UUID().uuidString)").path

        init(_ labels: [String: String]) throws {
            for name in ["labels", "images"] {
                try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
            }
            for (name, text) in labels {
                try text.write(toFile: "\(path)/labels/\(name)", atomically: true, encoding: .utf8)
            }
            for (name, size) in [("wide", "4 3"), ("high", "3 4")] {
                let picture = Data("P5\n\(size)\n255\n".utf8) + Data(repeating: 128, count: 12)
                try picture.write(to: URL(filePath: "\(path)/images/\(name).pgm"))
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func labels(_ split: String = "val") throws(ToolError) -> DetectorEvaluation.Labels {
            try DetectorEvaluation.Labels(folder: path, split: split)
        }
    }

    private func line(
        _ file: String = "images/wide.pgm", faces: String = "", split: String = "val",
        size: String = #""width":4,"height":3,"#
    ) -> String {
        #"{"file":"\#(file)",\#(size)"faces":[\#(faces)],"complete":true,"split":"\#(split)"}"# + "\n"
    }

    private func text(of work: () throws -> Void) -> String {
        do {
            try work()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test func `labels say where faces are and what they are worth`() throws {
        let face = #"""
            {"box":[1,2,30.5,40],"points":[[1,2],[3,4],[5,6],[7,8],[9,10]],"points_from":"human","box_from":"derived",
            "ignore":false,"human4":[[1,1],[2,1],[1.5,2],[1.5,3]],"teacher_score":0.9}
            """#.replacingOccurrences(of: "\n", with: "")
        let ignored = #"{"box":[0,0,5,5],"points":null,"points_from":"none","box_from":"teacher","ignore":true}"#
        let guessed = #"{"box":[0,0,5,5],"points":[[1,2],[3,4],[5,6],[7,8],null],"points_from":"teacher"}"#
        let folder = try Folder([
            "b.jsonl": line(faces: "\(face),\(ignored),\(guessed)"), "a.jsonl": line(split: "train") + "\n" + line(),
            "notes.txt": "no labels",
        ])
        let labels = try folder.labels()
        #expect(labels.leftOut.isEmpty)
        #expect(labels.pictures.map(\.source) == ["a", "b"])
        let faces = try #require(labels.pictures.last).faces
        #expect(faces.map(\.origin) == [.derived, .teacher, .human] && faces.map(\.isIgnored) == [false, true, false])
        #expect(faces[0].box == Box(x: 1, y: 2, width: 30.5, height: 40))
        #expect(faces[0].clicks?.mouth == Point(x: 1.5, y: 3) && faces[0].points?.leftMouth == Point(x: 9, y: 10))
        #expect(faces[2].points == nil && faces[2].clicks == nil)
        #expect(try folder.labels("all").pictures.count == 3)
        #expect(try folder.labels("train").pictures.count == 1)
    }

    @Test(arguments: [
        #"{"file":"x.jpg""#, "[]", "null", "\u{1}", #"{"file":1,"faces":[],"complete":true,"split":"val"}"#,
        #"{"faces":[],"complete":true,"split":"val"}"#, #"{"file":"x","faces":[],"split":"val"}"#,
        #"{"file":"x","complete":true,"split":"val"}"#, #"{"file":"","faces":[],"complete":true,"split":"val"}"#,
        #"{"file":"x","faces":[{"box":[1,2,3]}],"complete":true,"split":"val"}"#,
        #"{"file":"x","faces":[{"box":[1,2,0,3]}],"complete":true,"split":"val"}"#,
        #"{"file":"x","faces":[{"box":[1e300,2,1,3]}],"complete":true,"split":"val"}"#,
        #"{"file":"x","faces":[{"box":[1e30,2,1,3]}],"complete":true,"split":"val"}"#,
        #"{"file":"x","faces":[{"box":[1,2,3,3],"box_from":"a guess"}],"complete":true,"split":"val"}"#,
        #"{"file":"x","faces":[{"box":[1,2,3,3],"human4":[[1,2]]}],"complete":true,"split":"val"}"#,
        #"{"file":"x","faces":[{"box":[1,2,3,3],"points_from":"human","points":[[1],[1],[1],[1],[1]]}],"complete":true,"split":"val"}"#,
    ])
    func `a broken line is named and the others are used`(broken: String) throws {
        let folder = try Folder(["a.jsonl": line() + broken + "\n" + line()])
        let labels = try folder.labels()
        #expect(labels.pictures.count == 2)
        #expect(labels.leftOut.count == 1 && labels.leftOut[0].contains("a.jsonl, line 2: "), "\(labels.leftOut)")
    }

    @Test func `what is not there is said, and what is there instead`() throws {
        let folder = try Folder(["a.jsonl": line() + line(split: "train")])
        #expect(
            text { _ = try folder.labels("test") }.contains("no picture of the split 'test'; there are train, val, all")
        )
        #expect(
            text { _ = try DetectorEvaluation.Labels(folder: "/nowhere", split: "val") }.contains(
                "/nowhere: no folder labels"))
        #expect(text { _ = try Folder([:]).labels() }.contains("no label file"))
        #expect(text { _ = try Folder(["a.jsonl": "\n"]).labels() }.contains("not one label"))
        #expect(text { _ = try Folder(["a.jsonl": "x\n"]).labels() }.contains("no line of split 'val' can be used"))
    }

    private func judge(_ folder: Folder, _ detector: FixedDetector, width: Int = 64) throws
        -> DetectorEvaluation.Run.Result
    {
        try DetectorEvaluation.Run(detector: detector, score: 0.5, width: width).judge(try folder.labels())
    }

    @Test func `pictures are looked at in one width, and their labels move along`() throws {
        let face = #"{"box":[1,1,2,1],"box_from":"human"}"#
        let folder = try Folder(["a.jsonl": line(faces: face) + line("images/high.pgm", size: "")])
        let detector = FixedDetector()
        detector.answer = [
            Detection(box: Box(x: 16, y: 16, width: 32, height: 16), score: 0.7, landmarks: nil),
            Detection(box: Box(x: 0, y: 0, width: 9, height: 9), score: 0.1, landmarks: nil),
        ]
        let result = try judge(folder, detector)
        // 4x3 and 3x4, sixteen and 21.3 times as large.
        #expect(detector.sizes == [[64, 48], [64, 85]])
        #expect(result.leftOut.isEmpty && result.evaluation.all.recall == 1 && result.milliseconds != nil)
        #expect(result.evaluation.falsePerHundred == 100)
        #expect(result.evaluation.bySize[1].figures.faces == 1, "32x16 is 22.6")
    }

    @Test func `a picture that cannot be used is named and the others are judged`() throws {
        let folder = try Folder([
            "a.jsonl": line() + line("images/none.jpg") + line("images/broken.jpg") + line("images/high.pgm")
                + line("labels/a.jsonl")
        ])
        try Data("no picture".utf8).write(to: URL(filePath: folder.path + "/images/broken.jpg"))
        let result = try judge(folder, FixedDetector())
        #expect(result.evaluation.pictures == 1)
        #expect(result.leftOut.count == 4, "\(result.leftOut)")
        for name in ["none.jpg", "broken.jpg", "high.pgm: is 3x4, its label is for 4x3", "a.jsonl"] {
            #expect(result.leftOut.contains { $0.contains(name) }, "\(name)")
        }
    }

    @Test func `no picture at all is an error, and so is a detector that fails`() throws {
        let absent = try Folder(["a.jsonl": line("images/none.jpg")])
        #expect { try judge(absent, FixedDetector()) } throws: { if case ToolError.data = $0 { true } else { false } }
        let broken = try Folder(["a.jsonl": line("labels/a.jsonl")])
        #expect { try judge(broken, FixedDetector()) } throws: {
            if case ToolError.damaged = $0 { true } else { false }
        }
        let detector = FixedDetector()
        detector.failure = .outOfMemory(step: "a test")
        let whole = try Folder(["a.jsonl": line()])
        #expect(text { _ = try judge(whole, detector) }.contains("wide.pgm: out of memory in a test"))
    }
}
