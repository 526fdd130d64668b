// Label files: labels/<source>.jsonl below the folder, one JSON object a line and picture.

import Core
import Foundation

extension DetectorEvaluation {
    package struct Labels: Sendable {
        package let folder: String
        package let split: String
        /// In the order of the files' names and lines.
        package private(set) var pictures: [Picture] = []
        /// Lines that cannot be used, with the reason.
        package private(set) var leftOut: [String] = []
        private var splits: Set<String> = []
        /// Lines that are labels, of whatever split.
        private var labels = 0

        /// The word for the pictures of every split.
        package static let everySplit = "all"

        package init(folder: String, split: String) throws(ToolError) {
            self.folder = folder
            self.split = split
            let place = folder + "/labels"
            guard let entries = try? FileManager.default.contentsOfDirectory(atPath: place) else {
                throw .data("\(folder): no folder labels in it; --data takes a folder with labels/*.jsonl and pictures")
            }
            let files = entries.filter { $0.hasSuffix(".jsonl") && !$0.hasPrefix(".") }.sorted()
            guard !files.isEmpty else { throw .data("\(place): no label file (*.jsonl) in it") }
            for file in files { read(file, in: place) }
            guard pictures.isEmpty else { return }
            if let first = leftOut.first, labels == 0 || splits.contains(split) {
                throw .damaged("\(place): no line of split '\(split)' can be used; the first: \(first)")
            }
            if labels == 0 { throw .damaged("\(place): not one label in \(files.count) files") }
            let known = (splits.sorted() + [Self.everySplit]).joined(separator: ", ")
            throw .usage("\(folder): no picture of the split '\(split)'; there are \(known)")
        }

        private mutating func read(_ file: String, in place: String) {
            guard let bytes = FileManager.default.contents(atPath: "\(place)/\(file)") else {
                leftOut.append("\(place)/\(file): cannot be read")
                return
            }
            let source = String(file.dropLast(".jsonl".count))
            let decoder = JSONDecoder()
            let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            for (number, line) in lines.enumerated() where !line.allSatisfy(Self.isBlank) {
                do {
                    let label = try decoder.decode(Line.self, from: line)
                    labels += 1
                    if let named = label.split { splits.insert(named) }
                    guard split == Self.everySplit || label.split == split else { continue }
                    pictures.append(try label.picture(source: source))
                } catch {
                    leftOut.append("\(place)/\(file), line \(number + 1): \(Self.reason(error))")
                }
            }
        }

        private static func isBlank(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
        }

        private static func reason(_ error: any Error) -> String {
            switch error {
            case let flaw as Flaw: flaw.description
            case DecodingError.keyNotFound(let key, _): "has no '\(key.stringValue)'"
            case DecodingError.typeMismatch(_, let place), DecodingError.valueNotFound(_, let place):
                "'\(place.codingPath.map(\.stringValue).joined(separator: " "))' is of another kind than it should be"
            case DecodingError.dataCorrupted(let place) where !place.codingPath.isEmpty:
                "'\(place.codingPath.map(\.stringValue).joined(separator: " "))' has a value that is not known"
            default: "is not a JSON object"
            }
        }
    }

    /// A line that is JSON, but no label.
    private struct Flaw: Error, CustomStringConvertible {
        let description: String
    }

    private struct Line: Decodable {
        let file: String
        let width: Int?
        let height: Int?
        let faces: [LabelledFace]
        let complete: Bool
        let split: String?

        func picture(source: String) throws -> Picture {
            if file.isEmpty || file.utf8.contains(0) { throw Flaw(description: "'file' is no path") }
            return Picture(
                file: file, width: width, height: height, source: source, isComplete: complete,
                faces: try faces.map { try $0.face() })
        }
    }

    private struct LabelledFace: Decodable {
        let box: [Float]
        let boxFrom: Face.Origin?
        let points: [[Float]?]?
        let pointsFrom: String?
        let human4: [[Float]?]?
        let ignore: Bool?

        enum CodingKeys: String, CodingKey {
            case box
            case boxFrom = "box_from"
            case points
            case pointsFrom = "points_from"
            case human4, ignore
        }

        /// Larger numbers are no pixels, and their products no numbers.
        private static let farthest: Float = 1e6

        func face() throws -> Face {
            guard box.count == 4, box.allSatisfy({ abs($0) <= Self.farthest }), box[2] > 0, box[3] > 0 else {
                throw Flaw(description: "the box \(box) is not x, y, width, height of some area")
            }
            let five = pointsFrom == "human" ? try Self.places(points, 5, "points") : nil
            let four = try Self.places(human4, 4, "human4")
            return Face(
                box: Box(x: box[0], y: box[1], width: box[2], height: box[3]), origin: boxFrom ?? .human,
                isIgnored: ignore ?? false,
                clicks: four.map { Clicks(rightEye: $0[0], leftEye: $0[1], mouth: $0[3]) },
                points: five.map {
                    Landmarks(rightEye: $0[0], leftEye: $0[1], nose: $0[2], rightMouth: $0[3], leftMouth: $0[4])
                })
        }

        /// Nil where a place is not known, of one point or of all.
        private static func places(_ list: [[Float]?]?, _ count: Int, _ name: String) throws -> [Point]? {
            guard let list else { return nil }
            let known = list.compactMap { $0 }
            guard list.count == count, known.allSatisfy({ $0.count == 2 && $0.allSatisfy { abs($0) <= farthest } })
            else { throw Flaw(description: "'\(name)' is not \(count) pairs of x and y") }
            return known.count == count ? known.map { Point(x: $0[0], y: $0[1]) } : nil
        }
    }
}
