// Faces and probabilities of a stream's pictures, on one thread: a picture waits at most a tenth of a second for
// others of its batch.

import Core
import Faces
import Media

struct AnalysedPicture: Sendable {
    /// Nil where no pictures are kept.
    let frame: Frame?
    let result: FrameResult
}

/// Used by its own thread.
final class StreamAnalysis {
    private struct Located {
        let frame: Frame
        let faces: [TrackedFace]
    }

    private let finder: FaceFinder
    private let classifier: EmotionClassifier
    private let cropper = Cropper()
    private let keepFrames: Bool
    /// Ids of an earlier run are not given again.
    private let firstID: Int
    private var waiting: [Located] = []
    private var crops: [UInt8] = []
    private var oldest = ContinuousClock.now
    private let account: StreamAccount
    private var times = StageClock()

    private static let patience = Duration.milliseconds(100)
    private static let pixelsPerCrop = Cropper.side * Cropper.side

    init(finder: FaceFinder, classifier: EmotionClassifier, keepFrames: Bool, lastID: Int, account: StreamAccount) {
        self.finder = finder
        self.classifier = classifier
        self.keepFrames = keepFrames
        firstID = lastID
        self.account = account
    }

    func run(from frames: BoundedQueue<LiveFrame>, into analysed: BoundedQueue<AnalysedPicture>) throws {
        defer {
            frames.abandon()
            analysed.finish()
        }
        while true {
            switch next(from: frames) {
            case .ended:
                _ = try flush(into: analysed)
                return
            case .timedOut:
                guard try flush(into: analysed) else { return }
            case .element(let live):
                if waiting.isEmpty { oldest = .now }
                try locate(live.frame)
                let isFull = crops.count >= VideoPipeline.batchCrops * Self.pixelsPerCrop
                let isLate = .now - oldest >= Self.patience
                if isFull || isLate { guard try flush(into: analysed) else { return } }
            }
        }
    }

    private func next(from frames: BoundedQueue<LiveFrame>) -> BoundedQueue<LiveFrame>.Taken {
        if waiting.isEmpty { return frames.pop().map { .element($0) } ?? .ended }
        return frames.pop(within: max(oldest + Self.patience - .now, .zero))
    }

    private func locate(_ frame: Frame) throws {
        try frame.withLuma { luma throws in
            let faces = try times.measure("faces") { () throws in
                try finder.process(luma: luma, range: frame.range, time: frame.time)
            }
            times.measure("crop") {
                let start = crops.count
                crops.append(contentsOf: repeatElement(0, count: faces.count * Self.pixelsPerCrop))
                crops.withUnsafeMutableBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    for (place, face) in faces.enumerated() {
                        cropper.crop(
                            luma, range: frame.range, face: face, into: base + start + place * Self.pixelsPerCrop)
                    }
                }
            }
            waiting.append(Located(frame: frame, faces: faces))
        }
    }

    /// - Returns: false when nobody takes results any more.
    private func flush(into analysed: BoundedQueue<AnalysedPicture>) throws -> Bool {
        defer {
            waiting.removeAll(keepingCapacity: true)
            crops.removeAll(keepingCapacity: true)
            account.add(times)
            times = StageClock()
        }
        var answers: ArraySlice<Probabilities> = []
        if !crops.isEmpty {
            let count = crops.count / Self.pixelsPerCrop
            answers = try times.measure("classify") { () throws in
                try crops.withUnsafeBufferPointer { try classifier.classify(crops: $0, count: count) }
            }[...]
        }
        for picture in waiting {
            let faces = zip(picture.faces, answers).map { face, probabilities in
                FaceObservation(
                    id: firstID + face.id, box: face.box, confidence: face.confidence, landmarks: face.landmarks,
                    probabilities: probabilities, status: face.status)
            }
            answers = answers.dropFirst(picture.faces.count)
            let frame = picture.frame
            let done = AnalysedPicture(
                frame: keepFrames ? frame : nil,
                result: FrameResult(index: frame.index, time: frame.time, faces: faces.sorted { $0.id < $1.id }))
            guard analysed.push(done, bytes: keepFrames ? frame.byteCount : 1) else { return false }
        }
        return true
    }
}
