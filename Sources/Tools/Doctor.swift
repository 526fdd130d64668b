// `emotiond doctor`: what is installed, what was chosen and why, what is missing and how to get it.

import Faces
import Foundation
import Inference
import Logging
import Media
package import Pipeline

package struct Doctor {
    package let report: String
    /// Whether the main job can run.
    package let isHealthy: Bool

    package static var versionText: String {
        let libraries = libraryVersions().map { "\($0.name) \($0.version)" } + ["OpenCV \(OpenCV.version)"]
        return "emotiond \(ProgramVersion.number) (\(ProgramVersion.commit.prefix(12)))\n"
            + libraries.joined(separator: ", ")
    }

    package init(search: ModelSearch) {
        var page = Page()
        page.section("program")
        page.line("version", "\(ProgramVersion.number), commit \(ProgramVersion.commit)")
        page.line("licence", "sources Apache-2.0; linked to FFmpeg under \(codecLicense())")

        page.section("libraries")
        for library in libraryVersions() { page.line(library.name, library.version) }
        page.line("OpenCV", OpenCV.version)

        page.section("CPU")
        page.line("name", KernelLevel.cpuName)
        let choice = KernelLevel.best()
        for level in KernelLevel.allCases {
            let passedOver = choice.passedOver.first { $0.level == level }?.reason
            page.line(
                level.name, level == choice.level ? "chosen" : passedOver ?? "not needed: \(choice.level) is faster")
        }

        Self.models(search, into: &page)
        Self.codecs(into: &page)
        report = page.text
        isHealthy = page.problems.isEmpty
    }

    private static func models(_ search: ModelSearch, into page: inout Page) {
        page.section("models")
        for place in search.places { page.line("searched", "\(place.directory) (\(place.why))") }
        do {
            let quiet = Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
            let installation = try Installation(options: AnalysisOptions(), search: search, logger: quiet)
            page.line("emotion", installation.modelPath)
            page.line("", "SHA-256 \(installation.model.sha256)")
            page.line("", "labels \(installation.model.labels.joined(separator: ", "))")
            for (key, value) in installation.model.accuracy.sorted(by: { $0.key < $1.key }) {
                page.line("", "\(key) \(value)")
            }
            do {
                let detector = try installation.detector()
                page.line("detector", "\(detector.detector.name), \(detector.path) (\(detector.why))")
                page.line("", "SHA-256 \(detector.sha256)")
                Self.explainEngine(of: detector, into: &page)
            } catch {
                page.problem("\(error)", cure: "apt-get install opencv-data")
            }
        } catch {
            page.problem("\(error)", cure: "reinstall emotiond, or set EMOTIOND_MODELS")
        }
    }

    private static func explainEngine(of detector: Installation.Detector, into page: inout Page) {
        switch detector.engine {
        case .native:
            page.line("", "engine native: our own kernels, fast enough for every frame;")
            page.line("", "--detector-engine opencv runs the same file by cv::dnn")
        case .opencv:
            page.line("", "engine opencv, as asked for")
        case nil:
            page.line("", "engine opencv: this detector has no other; faces are followed between detections")
        }
        if detector.detector is CascadeDetector {
            page.line("", "finds fewer faces than a network: put faces.onnx or face_detection_yunet_2023mar.onnx")
            page.line("", "in one of the searched folders, or give it with --detector-model")
        }
    }

    private static func codecs(into page: inout Page) {
        page.section("codecs")
        let h264 = isEncoderAvailable("libx264")
        page.line("libx264", h264 ? "present" : "absent: annotated video is written as MPEG-4 part 2")
        page.line("aac", isEncoderAvailable("aac") ? "present" : "absent: sound that MP4 cannot carry is left out")
    }

    /// Lines of `key  value` under headings.
    private struct Page {
        private(set) var text = ""
        private(set) var problems: [String] = []

        mutating func section(_ title: String) {
            text += (text.isEmpty ? "" : "\n") + title + "\n"
        }

        mutating func line(_ key: String, _ value: String) {
            text += "  " + key.padding(toLength: 15, withPad: " ", startingAt: 0) + value + "\n"
        }

        mutating func problem(_ what: String, cure: String) {
            problems.append(what)
            line("PROBLEM", what)
            line("", "cure: \(cure)")
        }
    }
}
