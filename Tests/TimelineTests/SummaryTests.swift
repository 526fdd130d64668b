import Core
import Foundation
import Testing
import Timeline

@Suite struct SummaryTests {
    /// Cells of one face by column name.
    private func cells(_ summary: SummaryAccumulator, end: Int64? = nil, face: Int = 1) -> [String: String] {
        let text = String(decoding: summary.csv(end: end.map(Timestamp.init(microseconds:))), as: UTF8.self)
        let table = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        guard let row = table.dropFirst().first(where: { $0[0] == "\(face)" }) else { return [:] }
        return Dictionary(uniqueKeysWithValues: zip(table[0].map(String.init), row.map(String.init)))
    }

    private func summary(_ format: TimelineFormat = format(), _ frames: FrameResult...) -> SummaryAccumulator {
        var summary = SummaryAccumulator(format: format)
        for frame in frames { summary.add(frame) }
        return summary
    }

    private let happy: [Float] = [0, 0, 0, 1, 0, 0, 0]
    private let sad: [Float] = [0, 0, 0, 0.2, 0.8, 0, 0]
    private let even = [Float](repeating: 1 / 7, count: 7)

    @Test func `a source without faces has a header only, in the promised order`() {
        let names = sevenLabels
        let columns =
            ["face_id", "first", "last", "seen", "rows"] + names.map { $0 + "_mean" } + names.map { $0 + "_max" }
            + names.map { $0 + "_share" } + ["uncertain_share"]
        let text = summary(format(), frame(0, at: 0)).csv(end: nil)
        #expect(String(decoding: text, as: UTF8.self) == columns.joined(separator: ",") + "\n")
    }

    @Test func `a frame weighs as long as it stands`() {
        let all = summary(
            format(), frame(0, at: 0, face(1, happy)), frame(1, at: 3_000_000, face(1, sad)), frame(2, at: 4_000_000))
        let row = cells(all)
        #expect(row["happy_mean"] == "0.8000")
        #expect(row["sad_mean"] == "0.2000")
        #expect(row["sad_max"] == "0.8000")
        #expect(row["happy_share"] == "0.7500")
        #expect(row["sad_share"] == "0.2500")
        #expect(row["first"] == "0.000000")
        #expect(row["last"] == "3.000000")
        #expect(row["seen"] == "4.000000")
        #expect(row["rows"] == "2")
    }

    @Test func `the last frame stands as long as the one before it, or until the end where that is known`() {
        let all = summary(format(), frame(0, at: 0, face(1, happy)), frame(1, at: 1_000_000, face(1, sad)))
        #expect(cells(all)["seen"] == "2.000000")
        #expect(cells(all, end: 4_000_000)["seen"] == "4.000000")
        #expect(cells(all, end: 4_000_000)["sad_share"] == "0.7500")
        #expect(cells(all, end: 500_000)["seen"] == "2.000000", "an end before the last frame is none")
    }

    @Test func `a picture's one frame gives its values and no length`() {
        let row = cells(summary(format(), frame(0, at: 0, face(1, sad))))
        #expect(row["sad_mean"] == "0.8000")
        #expect(row["sad_share"] == "1.0000")
        #expect(row["seen"] == "0.000000")
        #expect(row["rows"] == "1")
    }

    @Test func `time without a sure emotion is uncertain, and the shares sum to 1`() {
        let row = cells(
            summary(
                format(), frame(0, at: 0, face(1, happy)), frame(1, at: 1_000_000, face(1, even)),
                frame(2, at: 4_000_000)))
        #expect(row["uncertain_share"] == "0.7500")
        #expect(row["happy_share"] == "0.2500")
    }

    @Test func `rows that were not classified count as seen but not in the means`() {
        let row = cells(
            summary(
                format(), frame(0, at: 0, face(1, nil)), frame(1, at: 9_000_000, face(1, happy)),
                frame(2, at: 10_000_000)))
        #expect(row["happy_mean"] == "1.0000")
        #expect(row["seen"] == "10.000000")
        #expect(row["rows"] == "2")
    }

    @Test func `a face that was never classified has empty cells`() {
        let row = cells(summary(format(), frame(0, at: 0, face(1, nil))))
        #expect(row["happy_mean"] == "" && row["happy_max"] == "" && row["happy_share"] == "")
        #expect(row["uncertain_share"] == "")
    }

    @Test func `numbers that are none do not spoil the means`() {
        let broken: [Float] = [.nan, 0, 0, 1, 0, 0, 0]
        let row = cells(
            summary(
                format(), frame(0, at: 0, face(1, broken)), frame(1, at: 1_000_000, face(1, happy)),
                frame(2, at: 2_000_000)))
        #expect(row["happy_mean"] == "1.0000")
        #expect(row["angry_mean"] == "0.0000")
    }

    @Test func `further labels get their columns behind the fixed ones`() {
        let wide = format(sevenLabels + ["contempt"])
        let all = summary(wide, frame(0, at: 0, face(1, [0, 0, 0, 0.1, 0, 0, 0, 0.9])))
        let text = String(decoding: all.csv(end: nil), as: UTF8.self)
        #expect(text.split(separator: "\n")[0].hasSuffix(",uncertain_share,contempt_mean,contempt_max,contempt_share"))
        #expect(cells(all)["contempt_share"] == "1.0000")
    }

    @Test func `faces stand in the order of their ids`() {
        let all = summary(format(), frame(0, at: 0, face(12, happy), face(3, happy), face(7, happy)))
        let ids = String(decoding: all.csv(end: nil), as: UTF8.self).split(separator: "\n").dropFirst()
            .map { $0.split(separator: ",")[0] }
        #expect(ids == ["3", "7", "12"])
    }

    @Test func `times that jump, stand still or overflow are no crash`() {
        let all = summary(
            format(), frame(0, at: .min, face(1, happy)), frame(1, at: .max, face(1, happy)),
            frame(2, at: .min, face(1, sad)), frame(3, at: .min, face(1, sad)), frame(4, at: .max, face(1, happy)))
        #expect(cells(all)["rows"] == "5")
        #expect(cells(all, end: .min)["rows"] == "5")
    }

    @Test func `the streamed means are those of all rows at once, after a checkpoint as well`() throws {
        var random = SeededGenerator(seed: 21)
        var time: Int64 = 0
        var samples: [(weight: Double, values: [Float])] = []
        var summary = SummaryAccumulator(format: format())
        for index in 0..<500 {
            let values = randomProbabilities(7, using: &random)
            let step = Int64.random(in: 1...200_000, using: &random)
            summary.add(frame(index, at: time, face(1, values)))
            samples.append((Double(step), values))
            time += step
            if index == 250 {
                let saved = try JSONEncoder().encode(summary)
                summary = try JSONDecoder().decode(SummaryAccumulator.self, from: saved)
            }
        }
        let row = cells(summary, end: time)
        let whole = samples.reduce(0) { $0 + $1.weight }
        for (place, name) in sevenLabels.enumerated() {
            let mean = samples.reduce(0) { $0 + $1.weight * Double($1.values[place]) } / whole
            let printed = try #require(row[name + "_mean"].flatMap(Double.init))
            #expect(abs(printed - mean) <= 0.000051, "\(name)")
            let peak = try #require(samples.map { $0.values[place] }.max())
            #expect(row[name + "_max"] == String(format: "%.4f", Double(peak)))
        }
        let shares = try (sevenLabels.map { $0 + "_share" } + ["uncertain_share"]).map {
            try #require(row[$0].flatMap(Double.init))
        }
        let total: Double = shares.reduce(0, +)
        #expect(abs(total - 1) <= 0.00041)
    }

    @Test func `asking for the file does not end the summary`() {
        var all = summary(format(), frame(0, at: 0, face(1, happy)), frame(1, at: 1_000_000, face(1, happy)))
        _ = all.csv(end: nil)
        all.add(frame(2, at: 2_000_000, face(1, sad)))
        #expect(cells(all, end: 4_000_000)["sad_share"] == "0.5000")
    }
}
