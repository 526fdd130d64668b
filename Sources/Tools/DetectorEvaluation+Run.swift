// From pictures on disk to the figures: read, scale, detect, judge.

import Core
package import Faces
import Media
package import Pipeline
import Results

extension DetectorEvaluation {
    /// One pass of a detector over labelled pictures.
    package struct Run {
        let detector: any FaceDetector
        /// The score from which on a detection counts.
        let score: Float
        /// Of the copy that the detector looks at, whatever the picture's own.
        let width: Int

        private let scaler = LumaScaler()
        /// A taller copy is no picture that anybody looks for faces in, and takes the memory of the machine.
        private static let mostPixels = 1 << 24
        /// The median does not get better by more.
        private static let timedPictures = 64

        package init(detector: any FaceDetector, score: Float, width: Int) {
            self.detector = detector
            self.score = score
            self.width = width
        }

        /// - Parameter score: nil for the detector's own.
        package init(_ chosen: Installation.Detector, score: Float?, width: Int) {
            self.init(detector: chosen.detector, score: score ?? chosen.detector.defaultScore, width: width)
        }

        /// The figures, what could not be used, and the median time of a detection.
        package struct Result: Sendable {
            package let evaluation: DetectorEvaluation
            package let leftOut: [String]
            package let milliseconds: Double?
        }

        /// - Throws: where no picture can be used, or the detector fails on one: figures without those that it cannot
        ///   cope with would flatter it.
        package func judge(_ labels: Labels) throws -> Result {
            var evaluation = DetectorEvaluation(score: score)
            var leftOut = labels.leftOut, absent = 0, times: [Double] = []
            let step = max(labels.pictures.count / Self.timedPictures, 1)
            for (index, picture) in labels.pictures.enumerated() {
                do throws(Unusable) {
                    let seen = try look(at: picture, in: labels.folder, isTimed: index % step == 0)
                    evaluation.add(seen.picture, seen.detections)
                    if let time = seen.milliseconds { times.append(time) }
                } catch {
                    switch error {
                    case .picture(let reason, let isAbsent):
                        leftOut.append(reason)
                        absent += isAbsent ? 1 : 0
                    case .detector(let failure):
                        throw PipelineError(.internalError, "\(labels.folder)/\(picture.file): \(failure)")
                    }
                }
            }
            guard evaluation.pictures > 0 else {
                let text = "\(labels.folder): none of \(labels.pictures.count) pictures can be used; the first: "
                let first = leftOut.dropFirst(labels.leftOut.count).first ?? ""
                throw absent == labels.pictures.count ? ToolError.data(text + first) : ToolError.damaged(text + first)
            }
            return Result(evaluation: evaluation, leftOut: leftOut, milliseconds: median(times))
        }
    }
}

/// Why there is no answer for a picture.
private enum Unusable: Error {
    case picture(String, isAbsent: Bool = false)
    case detector(FacesError)
}

private struct Seen {
    /// With its labels in pixels of the copy.
    let picture: DetectorEvaluation.Picture
    let detections: [Detection]
    let milliseconds: Double?
}

extension DetectorEvaluation.Run {
    private func look(
        at picture: DetectorEvaluation.Picture, in folder: String, isTimed: Bool
    ) throws(Unusable) -> Seen {
        let path = folder + "/" + picture.file
        let frame = try Self.read(path)
        if let width = picture.width, let height = picture.height, (width, height) != (frame.width, frame.height) {
            throw .picture("\(path): is \(frame.width)x\(frame.height), its label is for \(width)x\(height)")
        }
        return try frame.withLuma { luma throws(Unusable) in
            let copy: ScaledLuma
            do throws(FacesError) {
                let size = LumaScaler.size(width: luma.width, height: luma.height, asWide: width)
                guard size.width * size.height <= Self.mostPixels else {
                    throw .tooLarge(width: size.width, height: size.height)
                }
                copy = try scaler.scale(luma, range: frame.range, width: width)
            } catch {
                throw .picture("\(path): \(error)")
            }
            do throws(FacesError) {
                let least = min(score, DetectorEvaluation.leastScore)
                let detections = try detector.detect(copy.view, minimumScore: least)
                // One factor, as judge.py has it; the copy's rounded height is off by less than half a pixel.
                return Seen(
                    picture: picture.scaled(by: 1 / copy.horizontal), detections: detections,
                    milliseconds: isTimed ? try time(copy.view) : nil)
            } catch {
                throw .detector(error)
            }
        }
    }

    /// Of a second look, at the score that counts: the first one at a new size may have to plan for it.
    private func time(_ luma: ImageView) throws(FacesError) -> Double {
        let start = ContinuousClock.now
        _ = try detector.detect(luma, minimumScore: score)
        return (ContinuousClock.now - start) / .milliseconds(1)
    }

    private static func read(_ path: String) throws(Unusable) -> Frame {
        do throws(MediaError) {
            let reader = try MediaReader(path: Array(path.utf8), options: MediaOptions(decoderThreads: 1))
            guard let frame = try reader.next() else { throw .notMedia(path: path, reason: "no picture in it") }
            // Faces in the part that is missing could not be found by anybody.
            if reader.info.isPicture, reader.isPartial { throw .damaged(path: path, reason: "a part is missing") }
            return frame
        } catch {
            throw .picture(error.description, isAbsent: error.kind == .noInput)
        }
    }
}
