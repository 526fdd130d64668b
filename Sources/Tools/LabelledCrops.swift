// Crops with their labels, from the layouts that people have: .npy arrays, Kaggle's CSV, folders of pictures.

import Core
import Foundation

/// `pixels` holds `count` crops of 48x48 bytes; `labels` one index into Emotion for each.
package struct LabelledCrops: Sendable {
    package static let side = 48
    package static let pixelsPerCrop = side * side

    package var pixels: [UInt8] = []
    package var labels: [Int] = []
    /// Files or rows that could not be used, with the reason.
    package var leftOut: [String] = []

    package init() {}

    package var count: Int { labels.count }

    package mutating func append(_ crop: some Collection<UInt8>, label: Int) {
        precondition(crop.count == Self.pixelsPerCrop, "a crop is 48x48")
        pixels.append(contentsOf: crop)
        labels.append(label)
    }

    /// Without the rows of an index file (0-based, one a line), as the duplicate lists have it.
    package func excluding(_ file: String) throws(ToolError) -> LabelledCrops {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw .data("\(file): cannot be read (--exclude takes a text file with one row number a line)")
        }
        var excluded = Set<Int>()
        for line in text.split(whereSeparator: \.isNewline) {
            guard let row = Int(line.trimmingCharacters(in: .whitespaces)), (0..<count).contains(row) else {
                throw .data("\(file): '\(line)' is no row of the split, which has 0 to \(count - 1)")
            }
            excluded.insert(row)
        }
        var rest = LabelledCrops()
        rest.leftOut = leftOut
        for row in 0..<count where !excluded.contains(row) {
            rest.append(pixels[row * Self.pixelsPerCrop..<(row + 1) * Self.pixelsPerCrop], label: labels[row])
        }
        return rest
    }
}

/// A split of the data, by the names of FER2013's `Usage` column.
package enum Split: String, Sendable, CaseIterable {
    case train, `public`, `private`

    var usage: String {
        switch self {
        case .train: "Training"
        case .public: "PublicTest"
        case .private: "PrivateTest"
        }
    }
}

extension LabelledCrops {
    /// `location` is a folder with `<split>_images.npy` and `<split>_labels.npy`, a folder with `fer2013.csv`,
    /// that file itself, or `folder:DIR` with one sub-folder a class.
    package static func load(_ location: String, split: Split) throws(ToolError) -> LabelledCrops {
        if location.hasPrefix("folder:") {
            return try loadFolder(String(location.dropFirst("folder:".count)))
        }
        let images = location + "/\(split.rawValue)_images.npy"
        if FileManager.default.fileExists(atPath: images) {
            return try loadArrays(images: images, labels: location + "/\(split.rawValue)_labels.npy")
        }
        let csv = location.hasSuffix(".csv") ? location : location + "/fer2013.csv"
        guard FileManager.default.fileExists(atPath: csv) else {
            throw .data("\(location): neither \(split.rawValue)_images.npy nor fer2013.csv is there")
        }
        return try loadCSV(csv, split: split)
    }

    private static func loadArrays(images: String, labels: String) throws(ToolError) -> LabelledCrops {
        let pictures = try ByteArrayFile(images)
        let classes = try ByteArrayFile(labels)
        guard pictures.shape.count == 3, pictures.shape[1] == side, pictures.shape[2] == side else {
            throw .data("\(images): expected N x 48 x 48, found \(pictures.shape)")
        }
        guard classes.shape == [pictures.shape[0]] else {
            throw .data("\(labels): expected \(pictures.shape[0]) labels, found shape \(classes.shape)")
        }
        if let wrong = classes.bytes.first(where: { Int($0) >= Emotion.allCases.count }) {
            throw .data("\(labels): label \(wrong), but there are only 0 to \(Emotion.allCases.count - 1)")
        }
        var crops = LabelledCrops()
        crops.pixels = Array(pictures.bytes)
        crops.labels = classes.bytes.map(Int.init)
        return crops
    }

    private static func loadCSV(_ file: String, split: Split) throws(ToolError) -> LabelledCrops {
        guard let data = FileManager.default.contents(atPath: file) else { throw .data("\(file): cannot be read") }
        var crops = LabelledCrops()
        var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).makeIterator()
        let header = lines.next().map(fields) ?? []
        guard let emotion = header.firstIndex(of: "emotion"), let pixels = header.firstIndex(of: "pixels") else {
            throw .data("\(file): no columns 'emotion' and 'pixels' in its first line")
        }
        let usage = header.firstIndex(of: "usage")
        var row = 1
        while let line = lines.next() {
            row += 1
            let cells = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            if let usage, cells.indices.contains(usage), text(cells[usage]) != split.usage { continue }
            guard cells.indices.contains(emotion), cells.indices.contains(pixels),
                let label = Int(text(cells[emotion])), Emotion(rawValue: label) != nil,
                let crop = numbers(cells[pixels])
            else {
                crops.leftOut.append("\(file), line \(row): no label 0 to 6 with 2304 pixels")
                continue
            }
            crops.append(crop, label: label)
        }
        guard crops.count > 0 else { throw .data("\(file): no usable row of \(split.usage)") }
        return crops
    }

    private static func fields(_ line: Data.SubSequence) -> [String] {
        line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { text($0).lowercased() }
    }

    private static func text(_ bytes: Data.SubSequence) -> String {
        String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// `70 80 82 …` as 2304 bytes; nil for anything else.
    private static func numbers(_ bytes: Data.SubSequence) -> [UInt8]? {
        var values: [UInt8] = []
        values.reserveCapacity(pixelsPerCrop)
        var value = 0
        var open = false
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
                open = true
                if value > 255 { return nil }
            case UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "\r"):
                if open { values.append(UInt8(value)) }
                value = 0
                open = false
            default:
                return nil
            }
        }
        if open { values.append(UInt8(value)) }
        return values.count == pixelsPerCrop ? values : nil
    }
}
