// The evaluation of a detector as a person reads it and as a script does.

import Faces
import Foundation
package import Pipeline

extension DetectorEvaluation {
    package struct Report: Sendable {
        package var detector: String
        /// Nil where the detector has no choice of it.
        package var engine: String?
        /// The detector's file.
        package var path: String
        package var split: String
        /// Of the copies that were looked at.
        package var width: Int
        package var leftOut: Int
        package var milliseconds: Double?
        package var evaluation: DetectorEvaluation

        package init(
            detector: String, engine: String?, path: String, split: String, width: Int, leftOut: Int,
            milliseconds: Double?, evaluation: DetectorEvaluation
        ) {
            self.detector = detector
            self.engine = engine
            self.path = path
            self.split = split
            self.width = width
            self.leftOut = leftOut
            self.milliseconds = milliseconds
            self.evaluation = evaluation
        }

        package init(_ result: Run.Result, of chosen: Installation.Detector, split: String, width: Int) {
            self.init(
                detector: chosen.detector.name, engine: chosen.engine?.rawValue, path: chosen.path, split: split,
                width: width, leftOut: result.leftOut.count, milliseconds: result.milliseconds,
                evaluation: result.evaluation)
        }
    }
}

// MARK: - JSON

extension DetectorEvaluation.Report {
    /// One object; shares as 0 to 1, null where there is nothing to divide by.
    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(Object(self)), as: UTF8.self)
    }

    private struct Object: Encodable {
        let detector: String
        let engine: OrNull<String>
        let score: Float
        let split: String
        let detectSize: Int
        let pictures: Int
        let leftOut: Int
        let faces: Int
        let recall: OrNull<Double>
        let precision: OrNull<Double>
        let falsePerHundred: OrNull<Double>
        let landmarkError: OrNull<Double>
        let landmarkErrorOfFive: OrNull<Double>
        let averagePrecision: OrNull<Double>
        let bySize: [String: Group]
        let bySource: [String: Group]
        let milliseconds: OrNull<Double>

        // Written out: the encoder's own snake case would make false_per100 of it.
        enum CodingKeys: String, CodingKey {
            case detector, engine, score, split, pictures, faces, recall, precision, milliseconds
            case detectSize = "detect_size"
            case leftOut = "left_out"
            case falsePerHundred = "false_per_100"
            case landmarkError = "landmark_error"
            case landmarkErrorOfFive = "landmark_error_human5"
            case averagePrecision = "ap50"
            case bySize = "by_size"
            case bySource = "by_source"
        }

        init(_ report: DetectorEvaluation.Report) {
            let evaluation = report.evaluation, all = evaluation.all
            detector = report.detector
            engine = OrNull(report.engine)
            score = evaluation.score
            split = report.split
            detectSize = report.width
            pictures = evaluation.pictures
            leftOut = report.leftOut
            faces = all.faces
            recall = OrNull(all.recall)
            precision = OrNull(evaluation.precision)
            falsePerHundred = OrNull(evaluation.falsePerHundred)
            landmarkError = OrNull(evaluation.landmarkError)
            landmarkErrorOfFive = OrNull(evaluation.landmarkErrorOfFive)
            averagePrecision = OrNull(all.averagePrecision)
            bySize = Dictionary(uniqueKeysWithValues: evaluation.bySize.map { ($0.size.rawValue, Group($0.figures)) })
            bySource = Dictionary(uniqueKeysWithValues: evaluation.bySource.map { ($0.source, Group($0.figures)) })
            milliseconds = OrNull(report.milliseconds)
        }
    }

    private struct Group: Encodable {
        let faces: Int
        let recall: OrNull<Double>
        let ap50: OrNull<Double>

        init(_ figures: DetectorEvaluation.Group) {
            faces = figures.faces
            recall = OrNull(figures.recall)
            ap50 = OrNull(figures.averagePrecision)
        }
    }

    /// A member that is there even if its value is not.
    private struct OrNull<Value: Encodable>: Encodable {
        let value: Value?

        init(_ value: Value?) { self.value = value }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if let value { try container.encode(value) } else { try container.encodeNil() }
        }
    }
}

// MARK: - Text

extension DetectorEvaluation.Report {
    package func text() -> String {
        let e = evaluation, all = e.all
        var lines = [
            "detector       \(detector)\(engine.map { ", \($0) engine" } ?? ""), \(path)",
            String(format: "score          %.2f", e.score),
            "pictures       \(e.pictures) of split '\(split)', \(width) wide"
                + (leftOut > 0 ? "; \(leftOut) left out" : ""),
            String(format: "time           %@ ms a picture, median", Self.number(milliseconds, "%.2f")),
            "",
            "faces          \(all.faces)",
            "recall         \(Self.percent(all.recall)) %   (IoU 0.4)",
            "precision      \(Self.percent(e.precision)) %",
            "false faces    \(Self.number(e.falsePerHundred, "%5.1f"))     in 100 pictures with nobody (\(e.emptyPictures))",
            "AP50           \(Self.percent(all.averagePrecision)) %",
            "eyes off by    \(Self.percent(e.landmarkError)) %   of the way from eyes to mouth, median of \(e.eyeErrors.count) faces with clicks",
            "points off by  \(Self.percent(e.landmarkErrorOfFive)) %   all five, median of \(e.pointErrors.count) faces with a person's points",
        ]
        lines += Self.table("size", e.bySize.map { ($0.size.rawValue, $0.figures) })
        lines += Self.table("source", e.bySource.map { ($0.source, $0.figures) })
        return lines.joined(separator: "\n")
    }

    private static func table(
        _ title: String, _ rows: [(name: String, figures: DetectorEvaluation.Group)]
    ) -> [String] {
        let width = max(rows.map(\.name.count).max() ?? 0, 14)
        func cell(_ name: String) -> String { name.padding(toLength: width, withPad: " ", startingAt: 0) }
        return ["", "\(cell(title))  faces  recall   AP50"]
            + rows.map { name, figures in
                "\(cell(name)) \(String(format: "%6d", figures.faces))   \(percent(figures.recall))  "
                    + percent(figures.averagePrecision)
            }
    }

    private static func percent(_ share: Double?) -> String { number(share.map { 100 * $0 }, "%5.1f") }

    private static func number(_ value: Double?, _ format: String) -> String {
        value.map { String(format: format, $0) } ?? "    -"
    }
}
