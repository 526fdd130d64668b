// The options as each room wants them.

package import Faces
package import Media
import Timeline

extension AnalysisOptions {
    package func media(isCancelled: @escaping @Sendable () -> Bool) -> MediaOptions {
        MediaOptions(
            limits: MediaLimits(
                maximumPixels: maximumPixels, maximumStreams: maximumStreams, maximumDurationSeconds: maximumSeconds),
            decoderThreads: decoderThreads, from: from, to: to, isCancelled: isCancelled)
    }

    package func faceSettings(template: CropTemplate, _ detector: Installation.Detector) -> AnalysisSettings {
        AnalysisSettings(
            detectSize: detectSize, rate: detectionRate(detector.automaticRate), minimumScore: minimumScore,
            template: template)
    }
}

extension EmotionModel {
    var timelineFormat: TimelineFormat {
        TimelineFormat(labels: labels, uncertainBelow: uncertainBelow, utc: false)
    }
}
