// What the tests of this module share: a reproducible generator, frames made in one line, and the text of a timeline.

import Core
import Timeline

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

let sevenLabels = Emotion.names

func format(
    _ labels: [String] = sevenLabels, uncertainBelow: Float = 0.4, utc: Bool = false
) -> TimelineFormat {
    TimelineFormat(labels: labels, uncertainBelow: uncertainBelow, utc: utc)
}

func face(
    _ id: Int, _ probabilities: [Float]?, box: Box = Box(x: 10, y: 20.25, width: 30.5, height: 40),
    confidence: Float = 0.9, status: FaceObservation.Status = .detected
) -> FaceObservation {
    FaceObservation(
        id: id, box: box, confidence: confidence, landmarks: nil, probabilities: probabilities.map(Probabilities.init),
        status: status)
}

func frame(_ index: Int?, at microseconds: Int64, _ faces: FaceObservation...) -> FrameResult {
    FrameResult(index: index, time: Timestamp(microseconds: microseconds), faces: faces)
}

func timeline(_ format: TimelineFormat, _ frames: [FrameResult]) -> String {
    var bytes: [UInt8] = []
    var writer = TimelineWriter<Never>(format: format) { bytes.append(contentsOf: $0) }
    for frame in frames { writer.write(frame) }
    return String(decoding: bytes, as: UTF8.self)
}

/// Lines without the header.
func rows(_ format: TimelineFormat, _ frames: FrameResult...) -> [String] {
    timeline(format, frames).split(separator: "\n").dropFirst().map(String.init)
}

func randomProbabilities(_ count: Int, using random: inout SeededGenerator) -> [Float] {
    let weights = (0..<count).map { _ in Float.random(in: 0...1, using: &random) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
}
