import Core
import Foundation
import Testing
import Timeline

private let header =
    "frame,timestamp,face_id,confidence,x,y,w,h,angry,disgust,fear,happy,sad,surprise,neutral,"
    + "dominant,dominant_score,status"

@Suite struct TimelineWriterTests {
    @Test func `the header stands there before any frame, in the promised order`() {
        #expect(timeline(format(), []) == header + "\n")
    }

    @Test func `a detected face gives a row of fixed digits`() {
        let probabilities: [Float] = [0.01, 0.02, 0.03, 0.8, 0.04, 0.05, 0.05]
        #expect(
            rows(format(), frame(12, at: 500_001, face(3, probabilities))) == [
                "12,0.500001,3,0.9000,10.0,20.2,30.5,40.0,"
                    + "0.0100,0.0200,0.0300,0.8000,0.0400,0.0500,0.0500,happy,0.8000,detected"
            ])
    }

    @Test func `a frame without a face has one row that says so`() {
        #expect(rows(format(), frame(0, at: 0)) == ["0,0.000000,,,,,,,,,,,,,,,,no_face"])
    }

    @Test func `every row has as many cells as the header`() {
        for labels in [sevenLabels, sevenLabels + ["contempt", "other"], ["happy", "sad"], ["x", "y"]] {
            for utc in [false, true] {
                let text = timeline(
                    format(labels, utc: utc),
                    [frame(0, at: 0), frame(1, at: 40_000, face(1, labels.map { _ in 0.1 }), face(2, nil))])
                let widths = text.split(separator: "\n").map { $0.count { $0 == "," } }
                #expect(Set(widths).count == 1, "\(labels), utc \(utc)")
            }
        }
    }

    @Test func `faces stand in the order of their ids, whatever order they come in`() {
        let ids = rows(format(), frame(0, at: 0, face(9, nil), face(2, nil), face(4, nil)))
            .map { $0.split(separator: ",", omittingEmptySubsequences: false)[2] }
        #expect(ids == ["2", "4", "9"])
    }

    @Test func `a tracked face that is not classified yet has empty cells, not zeros`() {
        #expect(
            rows(format(), frame(1, at: 40_000, face(1, nil, status: .tracked))) == [
                "1,0.040000,1,0.9000,10.0,20.2,30.5,40.0,,,,,,,,,,tracked"
            ])
    }

    @Test func `an unsure face has a score but no dominant emotion`() {
        let even = [Float](repeating: 1 / 7, count: 7)
        let row = rows(format(uncertainBelow: 0.4), frame(0, at: 0, face(1, even)))[0]
        #expect(row.hasSuffix(",,0.1429,detected"))
        let sure = rows(format(uncertainBelow: 0.5), frame(0, at: 0, face(1, [0.5, 0.5, 0, 0, 0, 0, 0])))[0]
        #expect(sure.hasSuffix(",angry,0.5000,detected"), "the limit itself is sure, and the first of equals wins")
    }

    @Test func `probabilities find their columns by label, not by place`() {
        let labels = ["neutral", "happy", "contempt", "sad"]
        let text = timeline(format(labels), [frame(0, at: 0, face(1, [0.1, 0.2, 0.6, 0.1])), frame(1, at: 1)])
        let lines = text.split(separator: "\n")
        #expect(lines[0] == header + ",contempt")
        #expect(lines[1].hasSuffix(",,,,0.2000,0.1000,,0.1000,contempt,0.6000,detected,0.6000"))
        #expect(lines[2].hasSuffix(",no_face,"))
    }

    @Test func `columns of streams and of the model stand behind the fixed ones`() {
        var bytes: [UInt8] = []
        var writer = TimelineWriter<Never>(format: format(sevenLabels + ["contempt"], utc: true)) {
            bytes.append(contentsOf: $0)
        }
        writer.write(frame(0, at: 0, face(1, [0, 0, 0, 1, 0, 0, 0, 0])), utc: 1_000_001)
        writer.write(frame(1, at: 1))
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines[0] == header + ",utc,contempt")
        #expect(lines[1].hasSuffix(",detected,1970-01-01T00:00:01.000001Z,0.0000"))
        #expect(lines[2].hasSuffix(",no_face,,"))
    }

    @Test func `labels that would break the file or double a column are quoted and renamed`() {
        let labels = ["x", "a,b", "say \"hi\"", "", "x"]
        let text = timeline(format(labels), [frame(0, at: 0, face(1, [0, 1, 0, 0, 0]))])
        let lines = text.split(separator: "\n")
        #expect(lines[0] == header + ",x_0,\"a,b\",\"say \"\"hi\"\"\",label_3,x_4")
        #expect(lines[1].contains(",\"a,b\",1.0000,detected,"))
    }

    @Test func `numbers that are none never reach the file`() {
        let bad: [Float] = [.nan, .infinity, 0.5, -.infinity, 0.1, .nan, 0.2]
        let box = Box(x: .nan, y: .infinity, width: 1e30, height: 2)
        let row = rows(format(), frame(nil, at: -1, face(1, bad, box: box, confidence: .nan)))[0]
        #expect(row == ",-0.000001,1,,,,,2.0,,,0.5000,,0.1000,,0.2000,fear,0.5000,detected")
    }

    @Test func `more or fewer probabilities than labels are no crash`() {
        let texts = rows(format(), frame(0, at: 0, face(1, [1]), face(2, Array(repeating: 0.1, count: 12))))
        #expect(texts[0].contains(",1.0000,,,,,,,angry,1.0000,"))
        #expect(texts[1].count { $0 == "," } == 17)
    }

    @Test func `printed probabilities sum to 1 within their rounding`() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<2_000 {
            let row = rows(format(), frame(0, at: 0, face(1, randomProbabilities(7, using: &random))))[0]
            let cells = row.split(separator: ",", omittingEmptySubsequences: false)
            let sum = cells[8..<15].reduce(0.0) { $0 + (Double($1) ?? .nan) }
            #expect(abs(sum - 1) <= 0.000352, "\(row)")
        }
    }

    @Test func `the rows of a frame reach the sink in one piece`() {
        var pieces: [Int] = []
        var writer = TimelineWriter<Never>(format: format()) { bytes in
            pieces.append(bytes.count { $0 == UInt8(ascii: "\n") })
        }
        writer.write(frame(0, at: 0, face(1, nil), face(2, nil), face(3, nil)))
        writer.write(frame(1, at: 1))
        #expect(pieces == [1, 3, 1])
    }

    @Test func `the counts are those of the file`() {
        var writer = TimelineWriter<Never>(format: format()) { _ in }
        writer.write(frame(0, at: 0))
        writer.write(frame(1, at: 1, face(1, nil), face(2, nil)))
        let counts = writer.finish()
        #expect(counts.frames == 2 && counts.framesWithFaces == 1 && counts.rows == 3)
    }

    @Test func `a writer that resumes goes on without a header, with the counts it was given`() throws {
        let frames = (0..<6).map { frame($0, at: Int64($0) * 40_000, face($0 + 1, nil)) }
        var bytes: [UInt8] = []
        var first = TimelineWriter<Never>(format: format()) { bytes.append(contentsOf: $0) }
        for frame in frames[..<3] { first.write(frame) }
        let saved = try JSONEncoder().encode(first.counts)
        let counts = try JSONDecoder().decode(TimelineWriter<Never>.Counts.self, from: saved)
        var second = TimelineWriter<Never>(format: format(), resuming: counts) { bytes.append(contentsOf: $0) }
        for frame in frames[3...] { second.write(frame) }
        #expect(String(decoding: bytes, as: UTF8.self) == timeline(format(), frames))
        #expect(second.counts.rows == 6)
    }

    @Test func `an error of the sink comes through with its type, and the frame does not count`() throws {
        struct Full: Error, Equatable {}
        var room = 1
        var writer = try TimelineWriter<Full>(format: format()) { (_: UnsafeRawBufferPointer) throws(Full) in
            room -= 1
            if room < 0 { throw Full() }
        }
        #expect(throws: Full()) { try writer.write(frame(0, at: 0)) }
        #expect(writer.counts.frames == 0)
    }
}
