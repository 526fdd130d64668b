// The three stages before the writer, each a loop between two queues. A stage that fails abandons the queue
// before it, so that the stages upstream stop, and finishes the one behind it, so that what is good is kept.

import Core
import Faces
import Media
import Synchronization

/// Says downstream why there are no more frames; set before their queue is finished.
final class ReadingEnd: Sendable {
    private let stopped = Atomic(false)

    /// The run is to be resumed: what does not fill a batch is left to the one that goes on.
    var isStop: Bool { stopped.load(ordering: .acquiring) }
    func stop() { stopped.store(true, ordering: .releasing) }
}

/// Reads and selects frames.
final class FrameReading {
    private let reader: MediaReader
    private var selector: FrameSelector
    private let cancellation: Cancellation
    private let resumption: Resumption
    private let end: ReadingEnd
    private(set) var mismatch: ResumeMismatch?
    private var canGoOn = true
    private(set) var skipped = 0
    /// A read error in mid-file.
    private(set) var failure: MediaError?
    /// Ended by the cancellation, not by the end of the file.
    private(set) var interrupted = false
    private(set) var times = StageClock()

    init(
        _ reader: MediaReader, _ selector: FrameSelector, _ cancellation: Cancellation, _ resumption: Resumption,
        _ end: ReadingEnd
    ) {
        self.reader = reader
        self.selector = selector
        self.cancellation = cancellation
        self.resumption = resumption
        self.end = end
    }

    func run(into frames: BoundedQueue<Frame>) {
        defer { frames.finish() }
        guard canGoOn else { return }
        attempt { () throws(MediaError) in
            while let frame = try nextWanted() {
                guard frames.push(frame, bytes: frame.byteCount) else { return }
            }
        }
    }

    /// Decodes the frames that an earlier run has analysed; on the thread of the caller, who is told of each.
    func passOver(_ report: (Timestamp) -> Void) {
        guard let point = resumption.point else { return }
        canGoOn = false
        attempt { () throws(MediaError) in
            var last: Frame?
            for _ in 0..<point.analysed {
                last = try nextWanted()
                guard let last else { break }
                report(last.time)
            }
            canGoOn = last != nil && last?.index == point.index && last?.time == point.time
            if !canGoOn { mismatch = ResumeMismatch(analysed: point.analysed) }
        }
    }

    private func attempt(_ read: () throws(MediaError) -> Void) {
        do throws(MediaError) {
            try read()
        } catch .cancelled {
            interrupted = true
            if resumption.keepsPoints, cancellation.kind == .stop { end.stop() }
        } catch {
            failure = error
        }
    }

    private func nextWanted() throws(MediaError) -> Frame? {
        while true {
            guard !cancellation.isRaised else { throw MediaError.cancelled }
            let next = try times.measure("decode") { () throws(MediaError) in try reader.next() }
            guard let frame = next else { return nil }
            if selector.wants(frame.time) { return frame }
            skipped += 1
        }
    }
}

private let pixelsPerCrop = Cropper.side * Cropper.side

/// Finds, follows and crops faces.
final class FaceFinding {
    private let finder: FaceFinder
    private let cropper = Cropper()
    private let keepFrames: Bool
    private let keepsPoints: Bool
    private var analysed: Int
    private var batch = BatchRule()
    private(set) var times = StageClock()

    init(_ finder: FaceFinder, keepFrames: Bool, _ resumption: Resumption) {
        self.finder = finder
        self.keepFrames = keepFrames
        keepsPoints = resumption.keepsPoints
        analysed = resumption.point?.analysed ?? 0
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
        analysed += 1
        // Cheap: arrays that are shared until the next frame changes them.
        let isPoint = batch.closes(adding: faces.count) && keepsPoints
        let point =
            isPoint
            ? ResumePoint(analysed: analysed, index: frame.index, time: frame.time, finder: finder.state) : nil
        return LocatedFrame(
            frame: keepFrames ? frame : nil, index: frame.index, time: frame.time, faces: faces, crops: crops,
            bytes: crops.count + (keepFrames ? frame.byteCount : 0), point: point)
    }
}

/// Collects crops into batches and turns them into probabilities.
final class CropClassifying {
    private let classifier: EmotionClassifier
    private var waiting: [LocatedFrame] = []
    private var crops: [UInt8] = []
    private var batch = BatchRule()
    private let end: ReadingEnd
    private(set) var times = StageClock()

    init(_ classifier: EmotionClassifier, _ end: ReadingEnd) {
        self.classifier = classifier
        self.end = end
    }

    func run(from located: BoundedQueue<LocatedFrame>, into analysed: BoundedQueue<AnalysedFrame>) throws {
        defer { analysed.finish() }
        do {
            while let frame = located.pop() {
                waiting.append(frame)
                crops.append(contentsOf: frame.crops)
                if batch.closes(adding: frame.faces.count), try !flush(into: analysed) { break }
            }
            if !end.isStop { _ = try flush(into: analysed) }
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
            let done = AnalysedFrame(frame: frame.frame, result: result, point: frame.point)
            guard analysed.push(done, bytes: frame.bytes) else { return false }
        }
        return true
    }
}
