// What the pretended service shows.

import Foundation
import Web

enum DemoData {
    static let names = [
        "campaign/spring/ad-30s.mp4", "campaign/spring/ad-30s-alternative-cut.mp4", "pictures/astronaut.jpg",
        "panel/interview_2026-11-24.mp4", "pictures/group-photo.jpg", "campaign/spring/broken-upload.mp4",
        "panel/focus-group-grid.mp4", "campaign/autumn/teaser.mp4", "campaign/autumn/long-version.mp4",
        "pictures/portrait <script>alert(1)</script>.jpg", "panel/session-07.mp4",
    ]

    static let failure = JobFailure(
        reason:
            "not media or damaged beyond use: no moov box was found, the upload seems to have been cut off; upload it again",
        exitCode: 65,
        log: ["error media: moov atom not found", "error media: Invalid data found when processing input"])

    static func summary(_ path: String) -> JobSummary {
        let isVideo = path.hasSuffix(".mp4")
        return JobSummary(
            frames: isVideo ? 900 : 1, faces: isVideo ? 6 : 1, duration: isVideo ? 30 : nil,
            expressions: ["happy": 0.27, "surprise": 0.08, "neutral": 0.38, "sad": 0.06, "fear": 0.03, "angry": 0.02],
            warnings: path.contains("interview")
                ? ["The file ends 4.2 s before its stated end; what could be read is here."] : [])
    }

    static func streams(_ now: Double) -> [StreamView] {
        var entrance = StreamView(
            name: "entrance", url: "rtsp://***@192.0.2.10/main", phase: .live,
            purpose: "Opening of the exhibition, 25 November", notice: "Facial expressions are analysed here.")
        entrance.hasFrame = true
        entrance.framesPerSecondIn = 15
        entrance.framesPerSecondAnalysed = 15
        var hall = StreamView(name: "hall", url: "rtsp://***@192.0.2.11/main", phase: .waiting, purpose: "As above")
        hall.detail = "connection refused; next try in 8 s"
        hall.reconnects = 4
        hall.lastFrameAt = now - 95
        return [entrance, hall]
    }

    static func advance(_ stream: StreamView, ticks: Int, now: Double) -> StreamView {
        guard stream.phase == .live else { return stream }
        var stream = stream
        stream.framesIn += 3
        stream.analysed += 3
        stream.lagSeconds = 0.18 + 0.05 * sin(Double(ticks) / 7)
        stream.lastFrameAt = (now * 2).rounded() / 2
        let weights = [
            "happy": 1.2 + sin(Double(ticks) / 23), "surprise": 0.5 + 0.4 * sin(Double(ticks) / 11),
            "neutral": 1.1, "sad": 0.2, "fear": 0.15, "disgust": 0.1, "angry": 0.12 + 0.1 * cos(Double(ticks) / 17),
        ]
        let sum = weights.values.reduce(0, +)
        let probabilities = weights.mapValues { $0 / sum }
        stream.faces =
            ticks / 60 % 5 == 4 ? [] : [StreamFaceView(id: 12, dominant: "happy", probabilities: probabilities)]
        return stream
    }
}
