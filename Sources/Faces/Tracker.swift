// Which face is which, from picture to picture. A plain struct: detections, matches and times go in, tracks are
// read. It sees no pixels and no clock. Boxes are in whatever pixels the caller uses throughout.

package import Core

package struct Track: Hashable, Sendable, Codable {
    /// From 1, never reused.
    package let id: Int
    package internal(set) var box: Box
    package internal(set) var landmarks: Landmarks?
    /// Of its last detection.
    package internal(set) var score: Float
    /// Of its best detection.
    package internal(set) var bestScore: Float
    /// Likeness to its last detection, 0…1.
    package internal(set) var similarity: Float
    package internal(set) var status: FaceObservation.Status
    /// Was it there in this picture, by detection or by alignment? Tracks that were not only wait to be found again.
    package internal(set) var isVisible: Bool
    /// Last seen.
    package internal(set) var seen: Timestamp
    /// Detector runs in a row that did not find it.
    package internal(set) var misses: Int
}

package struct TrackerSettings: Hashable, Sendable {
    /// A detection starts a track from `newScore` on and continues one from `keepScore` on: a face at the edge of
    /// being found keeps its identity.
    package var newScore: Float
    package var keepScore: Float
    /// Only a track that once scored this much has the benefit of the doubt, which is `keepScore` and
    /// `believedMisses`: what never looked more than barely like a face is mostly none, and would be kept alive.
    package var trustScore: Float
    /// How long an unseen face keeps its id, in microseconds.
    package var patience: Int64 = 1_000_000
    /// IoU from which a detection is the track's without doubt.
    package var sameOverlap: Float = 0.3
    /// For fast faces: centres nearer than this share of the mean side, and sides not more unlike than `sameSize`.
    package var nearCentre: Float = 0.7
    package var sameSize: Float = 1.6
    /// Alignment below this has lost the face.
    package var lostSimilarity: Float = 0.55
    /// A face that the detector misses but that still looks as before is believed for so many runs.
    package var believedMisses: Int = 2
    package var believedSimilarity: Float = 0.8

    package init(newScore: Float, keepScore: Float) {
        self.newScore = newScore
        self.keepScore = keepScore
        trustScore = newScore + (1 - newScore) / 4
    }
}

package struct Tracker {
    package private(set) var tracks: [Track] = []
    package private(set) var lastID = 0
    private let settings: TrackerSettings

    package init(settings: TrackerSettings) {
        self.settings = settings
    }

    /// Goes on with the tracks of an earlier tracker of the same settings.
    init(settings: TrackerSettings, tracks: [Track], lastID: Int) {
        self.settings = settings
        self.tracks = tracks
        self.lastID = lastID
    }

    /// One picture on. `matches` says where alignment found the visible tracks, by id; who is missing there, or
    /// found too unlike, is not visible any more. Returns whether a face was lost.
    package mutating func advance(_ matches: [Int: PatchMatch], at time: Timestamp) -> Bool {
        var lost = false
        for index in tracks.indices where tracks[index].isVisible {
            guard let match = matches[tracks[index].id], match.similarity >= settings.lostSimilarity else {
                tracks[index].isVisible = false
                lost = true
                continue
            }
            tracks[index].move(to: match.box)
            tracks[index].similarity = min(match.similarity, 1)
            tracks[index].status = .tracked
            tracks[index].seen = time
        }
        forget(at: time)
        return lost
    }

    /// The detector has looked at the picture to which `advance` led. Returns for each track that was found the
    /// detection it got, and the smallest overlap between where a visible track was thought and found.
    @discardableResult
    package mutating func associate(
        _ detections: [Detection], at time: Timestamp
    ) -> (found: [Int: Int], agreement: Float?) {
        let pairs = assign(detections)
        var agreement: Float?
        var found: [Int: Int] = [:]
        for index in tracks.indices {
            guard let chosen = pairs[index] else {
                miss(index)
                continue
            }
            if tracks[index].isVisible {
                agreement = min(agreement ?? 1, tracks[index].box.overlap(with: detections[chosen].box))
            }
            tracks[index].take(detections[chosen], at: time)
            found[tracks[index].id] = chosen
        }
        let taken = Set(pairs.values)
        // From left to right, so that ids in one picture read in order.
        let fresh = detections.indices
            .filter { !taken.contains($0) && detections[$0].score >= settings.newScore }
            .sorted { (detections[$0].box.x, $0) < (detections[$1].box.x, $1) }
        for index in fresh {
            start(detections[index], at: time)
            found[lastID] = index
        }
        forget(at: time)
        return (found, agreement)
    }

    /// The picture has changed: only the faces that `keep` names go on.
    package mutating func cut(keeping keep: Set<Int>) {
        tracks.removeAll { !keep.contains($0.id) }
    }

    /// The pictures have changed their size.
    package mutating func rescale(x: Float, y: Float) {
        for index in tracks.indices {
            tracks[index].box = tracks[index].box.scaled(x: x, y: y)
            tracks[index].landmarks = tracks[index].landmarks?.mapped { Point(x: $0.x * x, y: $0.y * y) }
        }
    }

    private mutating func start(_ detection: Detection, at time: Timestamp) {
        lastID += 1
        tracks.append(
            Track(
                id: lastID, box: detection.box, landmarks: detection.landmarks, score: detection.score,
                bestScore: detection.score, similarity: 1, status: .detected, isVisible: true, seen: time, misses: 0))
    }

    private mutating func miss(_ index: Int) {
        tracks[index].misses += 1
        let believed =
            isTrusted(tracks[index]) && tracks[index].misses <= settings.believedMisses
            && tracks[index].similarity >= settings.believedSimilarity
        if !believed { tracks[index].isVisible = false }
    }

    private func isTrusted(_ track: Track) -> Bool { track.bestScore >= settings.trustScore }

    private mutating func forget(at time: Timestamp) {
        // Wrapping, as times come from files; a time that runs backwards forgets nobody.
        tracks.removeAll { !$0.isVisible && time.microseconds &- $0.seen.microseconds > settings.patience }
    }

    /// Track index to detection index, each used once. Pairs are taken from the surest on: first by overlap, then by
    /// nearness. Greedy is enough here: where it differs from the optimum, two faces cover each other.
    private func assign(_ detections: [Detection]) -> [Int: Int] {
        var sure: [(track: Int, detection: Int, value: Float)] = []
        var near: [(track: Int, detection: Int, value: Float)] = []
        for track in tracks.indices {
            let least = isTrusted(tracks[track]) ? settings.keepScore : settings.newScore
            for detection in detections.indices where detections[detection].score >= least {
                let overlap = tracks[track].box.overlap(with: detections[detection].box)
                if overlap >= settings.sameOverlap {
                    sure.append((track, detection, overlap))
                } else if let nearness = nearness(tracks[track].box, detections[detection].box) {
                    near.append((track, detection, nearness))
                }
            }
        }
        var chosen: [Int: Int] = [:]
        var used: Set<Int> = []
        for pairs in [sure, near] {
            let ordered = pairs.sorted { ($1.value, $0.track, $0.detection) < ($0.value, $1.track, $1.detection) }
            for pair in ordered where chosen[pair.track] == nil && !used.contains(pair.detection) {
                chosen[pair.track] = pair.detection
                used.insert(pair.detection)
            }
        }
        return chosen
    }

    /// 0 for touching the limit, 1 for the same centre; nil beyond the limit or of too unlike sizes.
    private func nearness(_ a: Box, _ b: Box) -> Float? {
        let sideA = a.area.squareRoot(), sideB = b.area.squareRoot()
        guard sideA > 0, sideB > 0, max(sideA, sideB) / min(sideA, sideB) <= settings.sameSize else { return nil }
        let x = a.centre.x - b.centre.x, y = a.centre.y - b.centre.y
        let limit = settings.nearCentre * (sideA + sideB) / 2
        let distance = (x * x + y * y).squareRoot()
        return distance <= limit ? 1 - distance / limit : nil
    }
}

extension Track {
    fileprivate mutating func take(_ detection: Detection, at time: Timestamp) {
        box = detection.box
        landmarks = detection.landmarks
        score = detection.score
        bestScore = max(bestScore, detection.score)
        similarity = 1
        status = .detected
        isVisible = true
        seen = time
        misses = 0
    }

    /// Landmarks go with the box: same shift, same scale.
    fileprivate mutating func move(to target: Box) {
        let from = box.centre, to = target.centre
        let scaleX = box.width > 0 ? target.width / box.width : 1
        let scaleY = box.height > 0 ? target.height / box.height : 1
        landmarks = landmarks?.mapped {
            Point(x: to.x + ($0.x - from.x) * scaleX, y: to.y + ($0.y - from.y) * scaleY)
        }
        box = target
    }
}
