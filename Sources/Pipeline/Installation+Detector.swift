// Which face detector a run gets.

import Faces
import Glibc
import Results

extension Installation {
    /// A detector of its own for each run: detectors belong to one thread.
    package func detector() throws(PipelineError) -> Detector {
        do {
            let detector = try choose()
            guard options.detectorEngine == nil || detector.engine != nil else {
                throw PipelineError(
                    .usage,
                    "--detector-engine is for our own detector; \(detector.detector.name) (\(detector.why)) has one engine only"
                )
            }
            return detector
        } catch let error as FacesError {
            throw PipelineError(.configuration, error.description)
        } catch let error as PipelineError {
            throw error
        } catch {
            throw PipelineError(.internalError, "\(error)")
        }
    }

    private func choose() throws -> Detector {
        switch options.detector {
        case .auto:
            if let path = options.detectorModel { return try given(path) }
            if let found = search.find(ModelSearch.faceNames) { return try own(Array(found.path.utf8), found.why) }
            if let found = search.find(ModelSearch.yunetNames) {
                return try yunet(Array(found.path.utf8), "no faces.onnx; \(found.why)")
            }
            return try cascade("neither faces.onnx nor a YuNet model found")
        case .own:
            if let path = options.detectorModel { return try own(path, "--detector-model") }
            guard let found = search.find(ModelSearch.faceNames) else { throw missing("own", "faces.onnx") }
            return try own(Array(found.path.utf8), found.why)
        case .yunet:
            if let path = options.detectorModel { return try yunet(path, "--detector-model") }
            guard let found = search.find(ModelSearch.yunetNames) else {
                throw missing("yunet", "face_detection_yunet_2023mar.onnx")
            }
            return try yunet(Array(found.path.utf8), found.why)
        case .cascade:
            return try cascade("--detector cascade")
        }
    }

    private func missing(_ detector: String, _ file: String) -> PipelineError {
        PipelineError(
            .configuration,
            "--detector \(detector) needs a model: give \(file) with --detector-model, "
                + "or put it in one of \(search.places.map(\.directory).joined(separator: ", "))")
    }

    /// A file of either kind: ours says so in its metadata.
    private func given(_ path: [UInt8]) throws -> Detector {
        let shown = String(decoding: path, as: UTF8.self)
        if FaceModel.kind(of: try FaceModel.read(path), shown) != nil { return try own(path, "--detector-model") }
        return try yunet(path, "--detector-model")
    }

    private func own(_ path: [UInt8], _ why: String) throws -> Detector {
        let model = try FaceModel(path: path), engine = options.detectorEngine ?? .native
        return Detector(
            detector: try model.detector(engine, level: level), engine: engine, path: model.path, sha256: model.sha256,
            why: why)
    }

    private func yunet(_ path: [UInt8], _ why: String) throws -> Detector {
        let shown = String(decoding: path, as: UTF8.self)
        let bytes = try FaceModel.read(path)
        if FaceModel.kind(of: bytes, shown) == FaceModel.kind {
            throw PipelineError(
                .configuration, "\(shown): is no YuNet but our own detector; it goes with --detector own")
        }
        return Detector(
            detector: try DetectorLoader.load(path: path), engine: nil, path: shown, sha256: Checksum.hex(bytes),
            why: why)
    }

    private func cascade(_ why: String) throws -> Detector {
        let path = CascadeDetector.usualFiles.first { access($0, R_OK) == 0 }
        let detector = try CascadeDetector(searching: CascadeDetector.usualFiles)
        let bytes = try FileBytes.read(Array((path ?? "").utf8), limit: 64 << 20, what: "cascade")
        return Detector(
            detector: detector, engine: nil, path: path ?? "", sha256: Checksum.hex(bytes), why: why)
    }
}
