// One input from its first packet to its last row, in the order of the way of the data:
//
//     read ──frames──▶ find faces ──crops──▶ classify ──results──▶ write
//
// Each arrow is a bounded queue, each step a thread of its own (the last one is the caller's). Order is the
// frame's index and never changes; a batch may hold results back but not reorder them.

package import Core
package import Faces
package import Media

/// What leaves the face stage: faces with their crops, 48x48 bytes each, in the order of the faces.
struct LocatedFrame: @unchecked Sendable {
    let frame: Frame?
    let index: Int?
    let time: Timestamp
    let faces: [TrackedFace]
    let crops: [UInt8]
    let bytes: Int
    /// Of the last frame of a batch, where the run keeps such points.
    let point: ResumePoint?
}

struct AnalysedFrame: Sendable {
    let frame: Frame?
    let result: FrameResult
    let point: ResumePoint?
}

/// Takes results in order. One thread calls it.
package protocol ResultSink: AnyObject {
    /// Whether frames are needed beside the results; otherwise their memory is given back after cropping.
    var needsFrames: Bool { get }
    func take(_ result: FrameResult, frame: Frame?) throws
    /// The run could be taken up again behind the frame that was taken last.
    func reached(_ point: ResumePoint) throws
    /// A resumed run has decoded so many of the frames that need no more analysis.
    func passed(_ frames: Int, at time: Timestamp)
}

extension ResultSink {
    package func reached(_ point: ResumePoint) {}
    package func passed(_ frames: Int, at time: Timestamp) {}
}

package struct PipelineOutcome: Sendable {
    package var analysed = 0
    package var skipped = 0
    package var detections = 0
    package var times = StageClock()
    /// A read error in mid-file: what came before it was analysed.
    package var readFailure: MediaError?
    package var interrupted = false
    /// Stopped behind a whole batch, to be resumed from there.
    package var stopped = false
}

/// How a run is resumed, and whether it can be.
package struct Resumption: Sendable {
    /// The sink is told of points to resume from, and a stop ends the run at such a point.
    package var keepsPoints = false
    /// Where an earlier run ended.
    package var point: ResumePoint?

    package init(keepsPoints: Bool = false, point: ResumePoint? = nil) {
        self.keepsPoints = keepsPoints
        self.point = point
    }
}

package final class VideoPipeline {
    /// A batch closes at this many crops, or when this many frames wait for it.
    static let batchCrops = 16
    static let batchFrames = 16
    private static let queueItems = 8
    private static let queueBytes = 64 << 20

    private let reader: MediaReader
    private let finder: FaceFinder
    private let classifier: EmotionClassifier
    private let sink: any ResultSink
    private let selector: FrameSelector
    private let cancellation: Cancellation
    private let resumption: Resumption

    package init(
        reader: MediaReader, finder: FaceFinder, classifier: EmotionClassifier, sink: any ResultSink,
        selector: FrameSelector, cancellation: Cancellation, resumption: Resumption = Resumption()
    ) {
        self.reader = reader
        self.finder = finder
        self.classifier = classifier
        self.sink = sink
        self.selector = selector
        self.cancellation = cancellation
        self.resumption = resumption
        if let point = resumption.point { finder.state = point.finder }
    }

    /// Runs to the end of the input, or to what was read when cancelled.
    /// - Throws: the first error of a stage other than reading; a read error is part of the outcome.
    package func run() throws -> PipelineOutcome {
        let frames = BoundedQueue<Frame>(maximumItems: Self.queueItems, maximumBytes: Self.queueBytes)
        let located = BoundedQueue<LocatedFrame>(maximumItems: Self.queueItems, maximumBytes: Self.queueBytes)
        let analysed = BoundedQueue<AnalysedFrame>(maximumItems: Self.queueItems, maximumBytes: Self.queueBytes)

        let end = ReadingEnd()
        let reading = Handed(value: FrameReading(reader, selector, cancellation, resumption, end))
        let finding = Handed(value: FaceFinding(finder, keepFrames: sink.needsFrames, resumption))
        let classifying = Handed(value: CropClassifying(classifier, end))
        var passed = 0
        reading.value.passOver { time in
            passed += 1
            sink.passed(passed, at: time)
        }
        let threads = [
            StageThread(name: "read") { reading.value.run(into: frames) },
            StageThread(name: "faces") { try finding.value.run(from: frames, into: located) },
            StageThread(name: "classify") { try classifying.value.run(from: located, into: analysed) },
        ]

        var outcome = PipelineOutcome()
        outcome.analysed = resumption.point?.analysed ?? 0
        var failure: (any Error)?
        do {
            while let next = analysed.pop() {
                try outcome.times.measure("write") { () throws in try sink.take(next.result, frame: next.frame) }
                outcome.analysed += 1
                if let point = next.point {
                    try outcome.times.measure("write") { () throws in try sink.reached(point) }
                }
            }
        } catch {
            failure = error
            analysed.abandon()
        }
        for thread in threads {
            let error = thread.join()
            failure = failure ?? error
        }
        if let failure { throw failure }
        if let mismatch = reading.value.mismatch { throw mismatch }

        outcome.skipped = reading.value.skipped
        outcome.readFailure = reading.value.failure
        outcome.interrupted = reading.value.interrupted
        outcome.stopped = end.isStop
        outcome.detections = finder.statistics.detections
        outcome.times.join(reading.value.times)
        outcome.times.join(finding.value.times)
        outcome.times.join(classifying.value.times)
        return outcome
    }
}
