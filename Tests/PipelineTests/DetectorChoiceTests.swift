// Which detector a run gets, and what that does to its settings.

import Core
import Faces
import Foundation
import Logging
import Pipeline
import Results
import TestSupport
import Testing

private let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Golden/models/detector_tiny_64x96.onnx").path

@Suite(.serialized) struct DetectorChoiceTests {
    private let folder = NSTemporaryDirectory() + "detectors-\(UUID().uuidString)"
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A folder of models with an emotion model and, if asked for, our own detector.
    private func installation(
        withFaces: Bool, _ change: (inout AnalysisOptions) -> Void = { _ in }
    ) throws -> Installation {
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if withFaces { try manager.copyItem(atPath: golden, toPath: folder + "/faces.onnx") }
        var options = AnalysisOptions()
        options.model = Array(Sample.root.appending(path: "Sources/emotiond/Models/emotion.onnx").path.utf8)
        change(&options)
        return try Installation(
            options: options, search: ModelSearch(environment: folder, executable: "/nowhere/emotiond"), logger: quiet)
    }

    private func removeFolder() { try? FileManager.default.removeItem(atPath: folder) }

    @Test func `auto takes our own detector where its file is there, on every frame`() throws {
        defer { removeFolder() }
        let detector = try installation(withFaces: true).detector()
        #expect(detector.detector.name == "own" && detector.engine == .native)
        #expect(detector.automaticRate == .every(1))
        #expect(detector.path == folder + "/faces.onnx")
    }

    @Test func `by OpenCV it is adaptive`() throws {
        defer { removeFolder() }
        let detector = try installation(withFaces: true) { $0.detectorEngine = .opencv }.detector()
        #expect(detector.engine == .opencv && detector.automaticRate == .adaptive)
    }

    @Test func `own without its file says where it was looked for`() throws {
        defer { removeFolder() }
        let installation = try installation(withFaces: false) { $0.detector = .own }
        let error = #expect(throws: PipelineError.self) { try installation.detector() }
        #expect(error?.description.contains("faces.onnx") == true && error?.description.contains(folder) == true)
    }

    @Test func `our file is refused as a YuNet, and found by its metadata under any name`() throws {
        defer { removeFolder() }
        let yunet = try installation(withFaces: false) {
            $0.detector = .yunet
            $0.detectorModel = Array(golden.utf8)
        }
        let error = #expect(throws: PipelineError.self) { try yunet.detector() }
        #expect(error?.description.contains("--detector own") == true)
        let auto = try installation(withFaces: false) { $0.detectorModel = Array(golden.utf8) }
        #expect(try auto.detector().detector.name == "own")
    }

    @Test(.enabled(if: (try? CascadeDetector()) != nil, "opencv-data is not installed"))
    func `an engine for a detector without a choice is a usage error`() throws {
        defer { removeFolder() }
        let installation = try installation(withFaces: false) {
            $0.detector = .cascade
            $0.detectorEngine = .native
        }
        let error = #expect(throws: PipelineError.self) { try installation.detector() }
        #expect(error?.exit == .usage)
    }

    @Test func `settings name engine and rate of our own detector and are for others as they were`() {
        let options = AnalysisOptions()
        let own = options.settings(detector: "own", engine: .native, rate: .every(1))
        #expect(own["detector_engine"] == .text("native") && own["detect_every"] == .text("1"))
        let other = options.settings(detector: "yunet-2023mar")
        #expect(other["detector_engine"] == nil && other["detect_every"] == .text("adaptive"))
        var adaptive = options
        adaptive.detectEvery = .adaptive
        #expect(
            adaptive.settings(detector: "own", engine: .native, rate: .every(1))["detect_every"] == .text("adaptive"))
    }
}
