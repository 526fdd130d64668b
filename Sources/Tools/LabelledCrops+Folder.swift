// One sub-folder a class, the layout in which people pass data sets around.

import Core
import Faces
import Foundation
import Media

extension LabelledCrops {
    /// Other data sets' words for the same seven.
    private static let synonyms: [String: Emotion] = [
        "anger": .angry, "disgusted": .disgust, "fearful": .fear, "afraid": .fear, "happiness": .happy, "joy": .happy,
        "sadness": .sad, "surprised": .surprise, "calm": .neutral,
    ]

    /// Pictures of faces already cut, of any size: the largest square in the middle becomes the crop.
    static func loadFolder(_ folder: String) throws(ToolError) -> LabelledCrops {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw .data("\(folder): cannot be read as a folder")
        }
        var crops = LabelledCrops()
        let cropper = Cropper()
        for entry in entries.sorted() where !entry.hasPrefix(".") {
            let name = entry.lowercased()
            let known = Emotion.allCases.first { $0.name == name } ?? synonyms[name]
            guard let emotion = known else {
                crops.leftOut.append(
                    "\(folder)/\(entry): is none of the classes \(Emotion.names.joined(separator: ", "))")
                continue
            }
            let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(entry)")) ?? []
            for file in files.sorted() where !file.hasPrefix(".") {
                let path = "\(folder)/\(entry)/\(file)"
                do throws(MediaError) {
                    crops.append(try read(path, with: cropper), label: emotion.rawValue)
                } catch {
                    crops.leftOut.append(error.description)
                }
            }
        }
        guard crops.count > 0 else {
            throw .data("\(folder): no usable picture in sub-folders named \(Emotion.names.joined(separator: ", "))")
        }
        return crops
    }

    private static func read(_ path: String, with cropper: Cropper) throws(MediaError) -> [UInt8] {
        let reader = try MediaReader(path: Array(path.utf8), options: MediaOptions())
        guard let frame = try reader.next() else { throw .notMedia(path: path, reason: "no picture in it") }
        var crop = [UInt8](repeating: 0, count: pixelsPerCrop)
        frame.withLuma { luma in
            let side = Float(min(luma.width, luma.height))
            let square = CropSquare(centre: Point(x: Float(luma.width) / 2, y: Float(luma.height) / 2), side: side)
            crop.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress { cropper.crop(luma, range: frame.range, square: square, into: base) }
            }
        }
        return crop
    }
}
