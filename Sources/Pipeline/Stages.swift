// The three stages before the writer, each a loop between two queues. A stage that fails abandons the queue
// before it, so that the stages upstream stop, and finishes the one behind it, so that what is good is kept.

import Core
import Faces
import Media

/// Reads and selects frames.
final class FrameReading {
    private let reader: MediaReader
    private var selector: FrameSelector
    private let cancellation: Cancellation
    private(set) var skipped = 0
    /// A read error in mid-file.
    private(set) var failure: MediaError?
    /// Ended by the cancellation, not by the end of the file.
    private(set) var interrupted = false
    private(set) var times = StageClock()

    init(_ reader: MediaReader, _ selector: FrameSelector, _ cancellation: Cancellation) {
        self.reader = reader
        self.selector = selector
        self.cancellation = cancellation
    }

    func run(into frames: BoundedQueue<Frame>) {
        defer { frames.finish() }
        do throws(MediaError) {
            while true {
                guard !cancellation.isRaised else { throw MediaError.cancelled }
                let next = try times.measure("decode") { () throws(MediaError) in try reader.next() }
                guard let frame = next else { return }
                guard selector.wants(frame.time) else {
                    skipped += 1
                    continue
                }
                guard frames.push(frame, bytes: frame.byteCount) else { return }
            }
        } catch .cancelled {
            interrupted = true
        } catch {
            failure = error
        }
    }
}

private let pixelsPerCrop = Cropper.side * Cropper.side

/// Finds, follows and crops faces.
final class FaceFinding {
    private let finder: FaceFinder
    private let cropper = Cropper()
    private let keepFrames: Bool
    private(set) var times = StageClock()

    init(_ finder: FaceFinder, keepFrames: Bool) {
        self.finder = finder
        self.keepFrames = keepFrames
    }

    func run(from frames: BoundedQueue<Frame>, into located: BoundedQueue<LocatedFrame>) throws {
        defer { located.finish() }
        do {
            while let frame = frames.pop() {
                let found = try locate(frame)
                guard located.push(found, bytes: found.bytes) else { break }
            }
        } catch {
            frames.abandon()
            throw error
        }
        frames.abandon()
    }

    private func locate(_ frame: Frame) throws -> LocatedFrame {
        var crops: [UInt8] = []
        let faces = try frame.withLuma { luma throws in
            let faces = try times.measure("faces") { () throws in
                try finder.process(luma: luma, range: frame.range, time: frame.time)
            }
            times.measure("crop") {
                crops = [UInt8](repeating: 0, count: faces.count * pixelsPerCrop)
                crops.withUnsafeMutableBufferPointer { buffer in
                    for (i, face) in faces.enumerated() {
                        guard let base = buffer.baseAddress else { return }
                        cropper.crop(luma, range: frame.range, face: face, into: base + i * pixelsPerCrop)
                    }
                }
            }
            return faces
        }
        return LocatedFrame(
            frame: keepFrames ? frame : nil, index: frame.index, time: frame.time, faces: faces, crops: crops,
            bytes: crops.count + (keepFrames ? frame.byteCount : 0))
    }
}

/// Collects crops into batches and turns them into probabilities.
final class CropClassifying {
    private let classifier: EmotionClassifier
    private var waiting: [LocatedFrame] = []
    private var crops: [UInt8] = []
    private(set) var times = StageClock()

    init(_ classifier: EmotionClassifier) {
        self.classifier = classifier
    }

    func run(from located: BoundedQueue<LocatedFrame>, into analysed: BoundedQueue<AnalysedFrame>) throws {
        defer { analysed.finish() }
        do {
            while let frame = located.pop() {
                waiting.append(frame)
                crops.append(contentsOf: frame.crops)
                let full =
                    crops.count >= VideoPipeline.batchCrops * pixelsPerCrop
                    || waiting.count >= VideoPipeline.batchFrames
                if full, try !flush(into: analysed) { break }
            }
            _ = try flush(into: analysed)
        } catch {
            located.abandon()
            throw error
        }
        located.abandon()
    }

    /// - Returns: false when nobody takes results any more.
    private func flush(into analysed: BoundedQueue<AnalysedFrame>) throws -> Bool {
        defer {
            waiting.removeAll(keepingCapacity: true)
            crops.removeAll(keepingCapacity: true)
        }
        var answers: ArraySlice<Probabilities> = []
        if !crops.isEmpty {
            let count = crops.count / pixelsPerCrop
            answers = try times.measure("classify") { () throws in
                try crops.withUnsafeBufferPointer { try classifier.classify(crops: $0, count: count) }
            }[...]
        }
        for frame in waiting {
            let faces = zip(frame.faces, answers).map { face, probabilities in
                FaceObservation(
                    id: face.id, box: face.box, confidence: face.confidence, landmarks: face.landmarks,
                    probabilities: probabilities, status: face.status)
            }
            answers = answers.dropFirst(frame.faces.count)
            let result = FrameResult(index: frame.index, time: frame.time, faces: faces.sorted { $0.id < $1.id })
            guard analysed.push(AnalysedFrame(frame: frame.frame, result: result), bytes: frame.bytes) else {
                return false
            }
        }
        return true
    }
}
