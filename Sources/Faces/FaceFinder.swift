// Steps 3 and 4 together: luma of one picture in, the faces in it with their identities out. Detects when it is due,
// follows in between.

package import Core

package struct AnalysisSettings: Hashable, Sendable {
    /// Longest side of the copy that the detector sees.
    package var detectSize: Int
    package var rate: DetectionRate
    /// Nil: the detector's own.
    package var minimumScore: Float?
    package var template: CropTemplate

    package init(
        detectSize: Int = 640, rate: DetectionRate = .adaptive, minimumScore: Float? = nil,
        template: CropTemplate = .fer2013
    ) {
        self.detectSize = detectSize
        self.rate = rate
        self.minimumScore = minimumScore
        self.template = template
    }
}

/// One face in one picture; all in pixels of the full picture.
package struct TrackedFace: Hashable, Sendable {
    /// From 1, never reused by its finder.
    package var id: Int
    package var box: Box
    /// The detector's score, lessened by the likeness to that detection where the face was followed.
    package var confidence: Float
    package var landmarks: Landmarks?
    package var status: FaceObservation.Status
    package var cropSquare: CropSquare

    package init(
        id: Int, box: Box, confidence: Float, landmarks: Landmarks?, status: FaceObservation.Status,
        cropSquare: CropSquare
    ) {
        self.id = id
        self.box = box
        self.confidence = confidence
        self.landmarks = landmarks
        self.status = status
        self.cropSquare = cropSquare
    }
}

/// What a finder did, for run.json and the benchmark.
package struct FinderStatistics: Hashable, Sendable, Codable {
    package var pictures = 0
    package var detections = 0
    package var cuts = 0
    /// Faces lost between two detections.
    package var losses = 0
    package var tracks = 0
    package var scaling = Duration.zero
    package var detecting = Duration.zero
    package var tracking = Duration.zero

    package init() {}
}

/// One thread at a time, pictures in order.
package final class FaceFinder {
    package private(set) var statistics = FinderStatistics()
    private let detector: any FaceDetector
    private let settings: AnalysisSettings
    private let keepScore: Float
    private let trackerSettings: TrackerSettings
    private let scaler = LumaScaler()
    private let sceneCut = SceneCut()
    private let aligner = PatchAligner()
    private let clock = ContinuousClock()
    private var tracker: Tracker
    private var schedule: DetectionSchedule
    private var patches: [Int: FacePatch] = [:]
    private var lastSize: (width: Int, height: Int)?

    /// A face continues from this share of the score on that starts one.
    private static let keepShare: Float = 0.75
    /// After a cut a face is only believed to be the same one where it looks nearly the same.
    private static let similarityAcrossCut: Float = 0.85

    package init(detector: any FaceDetector, settings: AnalysisSettings) {
        self.detector = detector
        self.settings = settings
        let newScore = settings.minimumScore ?? detector.defaultScore
        keepScore = newScore * Self.keepShare
        trackerSettings = TrackerSettings(newScore: newScore, keepScore: keepScore)
        tracker = Tracker(settings: trackerSettings)
        schedule = DetectionSchedule(rate: settings.rate)
    }

    /// What the pictures so far have left behind; a finder of the same settings that takes it over goes on as this one.
    package var state: FaceFinderState {
        get {
            FaceFinderState(
                tracks: tracker.tracks, lastID: tracker.lastID, schedule: schedule, patches: patches,
                size: lastSize.map { PictureSize(width: $0.width, height: $0.height) }, thumbnail: sceneCut.last,
                statistics: statistics)
        }
        set {
            tracker = Tracker(settings: trackerSettings, tracks: newValue.tracks, lastID: newValue.lastID)
            schedule = newValue.schedule
            patches = newValue.patches
            lastSize = newValue.size.map { ($0.width, $0.height) }
            sceneCut.last = newValue.thumbnail
            statistics = newValue.statistics
        }
    }

    package var detectionsRun: Int { statistics.detections }

    /// The faces in view, ordered by id.
    package func process(luma: ImageView, range: LumaRange, time: Timestamp) throws(FacesError) -> [TrackedFace] {
        statistics.pictures += 1
        let started = clock.now
        let scaled = try scaler.scale(luma, range: range, longestSide: settings.detectSize)
        let resized = adopt(size: (scaled.view.width, scaled.view.height))
        let isCut = try sceneCut.isCut(scaled.view)
        let isScaled = clock.now
        statistics.scaling += isScaled - started

        let lost = follow(in: scaled.view, isCut: isCut, at: time)
        statistics.tracking += clock.now - isScaled
        if schedule.isDue(at: time, urgent: isCut || lost || resized) { try detect(in: scaled.view, at: time) }
        return tracker.tracks.filter(\.isVisible).map { face($0, scaled: scaled) }.sorted { $0.id < $1.id }
    }

    private func adopt(size: (width: Int, height: Int)) -> Bool {
        defer { lastSize = size }
        guard let lastSize, lastSize != size else { return false }
        tracker.rescale(
            x: Float(size.width) / Float(lastSize.width), y: Float(size.height) / Float(lastSize.height))
        return true
    }

    private func follow(in picture: ImageView, isCut: Bool, at time: Timestamp) -> Bool {
        var matches: [Int: PatchMatch] = [:]
        for track in tracker.tracks where track.isVisible {
            guard let patch = patches[track.id] else { continue }
            matches[track.id] = aligner.find(patch, in: picture, near: track.box)
        }
        if isCut {
            statistics.cuts += 1
            tracker.cut(keeping: Set(matches.filter { $0.value.similarity >= Self.similarityAcrossCut }.keys))
        }
        let lost = tracker.advance(matches, at: time)
        if lost { statistics.losses += 1 }
        return lost
    }

    private func detect(in picture: ImageView, at time: Timestamp) throws(FacesError) {
        let started = clock.now
        let detections = try detector.detect(picture, minimumScore: keepScore)
        let detected = clock.now
        statistics.detections += 1
        statistics.detecting += detected - started

        let (found, agreement) = tracker.associate(detections, at: time)
        for (id, index) in found { patches[id] = aligner.patch(of: picture, at: detections[index].box) }
        let alive = Set(tracker.tracks.map(\.id))
        patches = patches.filter { alive.contains($0.key) }
        schedule.ran(
            at: time, agreement: agreement, missed: tracker.tracks.contains { $0.misses == 1 },
            nobody: !tracker.tracks.contains(where: \.isVisible))
        statistics.tracks = tracker.lastID
        statistics.tracking += clock.now - detected
    }

    private func face(_ track: Track, scaled: ScaledLuma) -> TrackedFace {
        let box = track.box.scaled(x: scaled.horizontal, y: scaled.vertical)
        let landmarks = track.landmarks?.mapped {
            Point(x: $0.x * scaled.horizontal, y: $0.y * scaled.vertical)
        }
        return TrackedFace(
            id: track.id, box: box, confidence: track.score * max(track.similarity, 0), landmarks: landmarks,
            status: track.status,
            cropSquare: settings.template.square(box: box, landmarks: landmarks, mapping: detector.cropMapping))
    }
}
