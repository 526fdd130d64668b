import Core
import Faces
import Testing

private let settings = TrackerSettings(newScore: 0.6, keepScore: 0.45)

private func detection(_ x: Float, _ y: Float = 0, side: Float = 40, score: Float = 0.9) -> Detection {
    Detection(box: Box(x: x, y: y, width: side, height: side), score: score, landmarks: nil)
}

private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(microseconds: milliseconds * 1000) }

extension Tracker {
    /// Follows every visible track to where it already is.
    fileprivate mutating func stay(at time: Timestamp, similarity: Float = 1) -> Bool {
        let matches = tracks.filter(\.isVisible).map { ($0.id, PatchMatch(box: $0.box, similarity: similarity)) }
        return advance(Dictionary(uniqueKeysWithValues: matches), at: time)
    }
}

@Test func `new faces get ids from left to right, whatever the order of their scores`() {
    var tracker = Tracker(settings: settings)
    tracker.associate([detection(300, score: 0.99), detection(0, score: 0.7), detection(150)], at: at(0))
    #expect(tracker.tracks.sorted { $0.id < $1.id }.map(\.box.x) == [0, 150, 300])
    #expect(tracker.tracks.map(\.id).sorted() == [1, 2, 3])
}

@Test func `ids are never used twice and no detection belongs to two tracks`() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<40 {
        var tracker = Tracker(settings: settings)
        var alive: Set<Int> = [], dead: Set<Int> = []
        for step in 0..<120 {
            let time = at(Int64(step) * .random(in: 30...60, using: &random))
            var matches: [Int: PatchMatch] = [:]
            for track in tracker.tracks where track.isVisible && Bool.random(using: &random) {
                matches[track.id] = PatchMatch(
                    box: .random(using: &random), similarity: .random(in: -1...1, using: &random))
            }
            _ = tracker.advance(matches, at: time)
            if Bool.random(using: &random) {
                let detections = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    Detection(
                        box: .random(using: &random), score: .random(in: 0...1, using: &random), landmarks: nil)
                }
                let (found, _) = tracker.associate(detections, at: time)
                #expect(Set(found.values).count == found.count, "a detection has two tracks")
            }
            let now = Set(tracker.tracks.map(\.id))
            #expect(now.count == tracker.tracks.count)
            dead.formUnion(alive.subtracting(now))
            #expect(now.isDisjoint(with: dead), "an id came back")
            alive = now
        }
    }
}

@Test func `a face that moves keeps its id by overlap, and by nearness when it is fast`() {
    var tracker = Tracker(settings: settings)
    tracker.associate([detection(0)], at: at(0))
    tracker.associate([detection(15)], at: at(100))
    tracker.associate([detection(40)], at: at(200))
    #expect(tracker.tracks.map(\.id) == [1])
    tracker.associate([detection(200)], at: at(300))
    #expect(tracker.tracks.map(\.id) == [1, 2], "too far to be the same")
}

@Test func `a face keeps its id through a second without detections, and is not reported meanwhile`() {
    var tracker = Tracker(settings: settings)
    tracker.associate([detection(0)], at: at(0))
    let lost = tracker.advance([:], at: at(100))
    #expect(lost)
    #expect(tracker.tracks.filter(\.isVisible).isEmpty)
    tracker.associate([], at: at(900))
    tracker.associate([detection(5)], at: at(950))
    #expect(tracker.tracks.map(\.id) == [1])
    _ = tracker.advance([:], at: at(1000))
    _ = tracker.advance([:], at: at(2100))
    tracker.associate([detection(5)], at: at(2100))
    #expect(tracker.tracks.map(\.id) == [2])
}

@Test func `a face that still looks the same is believed for two missed detections`() {
    var tracker = Tracker(settings: settings)
    tracker.associate([detection(0)], at: at(0))
    for step in 1...2 {
        let lost = tracker.stay(at: at(Int64(step) * 100), similarity: 0.95)
        #expect(!lost)
        tracker.associate([], at: at(Int64(step) * 100))
        #expect(tracker.tracks.first?.isVisible == true)
        #expect(tracker.tracks.first?.status == .tracked)
    }
    _ = tracker.stay(at: at(300), similarity: 0.95)
    tracker.associate([], at: at(300))
    #expect(tracker.tracks.first?.isVisible == false)
}

@Test func `a weak detection continues a face but does not start one`() {
    var tracker = Tracker(settings: settings)
    tracker.associate([detection(0, score: 0.5)], at: at(0))
    #expect(tracker.tracks.isEmpty)
    tracker.associate([detection(0, score: 0.8)], at: at(40))
    tracker.associate([detection(3, score: 0.5)], at: at(80))
    #expect(tracker.tracks.map(\.status) == [.detected])
    #expect(tracker.tracks.first?.score == 0.5)
}

@Test func `what never looked more than barely like a face gets no benefit of the doubt`() {
    var tracker = Tracker(settings: settings)
    tracker.associate([detection(0, score: 0.62), detection(200, score: 0.9)], at: at(0))
    _ = tracker.stay(at: at(40))
    tracker.associate([detection(0, score: 0.5), detection(200, score: 0.5)], at: at(40))
    #expect(tracker.tracks.filter(\.isVisible).map(\.box.x) == [200])
    // A detection that would start a track continues it, under its id.
    tracker.associate([detection(0, score: 0.65), detection(200)], at: at(80))
    #expect(tracker.tracks.filter(\.isVisible).map(\.id).sorted() == [1, 2])
    #expect(tracker.lastID == 2)
}

@Test func `landmarks move and grow with the box`() {
    var tracker = Tracker(settings: settings)
    let points = Landmarks(
        rightEye: Point(x: 10, y: 10), leftEye: Point(x: 30, y: 10), nose: Point(x: 20, y: 20),
        rightMouth: Point(x: 12, y: 30), leftMouth: Point(x: 28, y: 30))
    tracker.associate(
        [Detection(box: Box(x: 0, y: 0, width: 40, height: 40), score: 1, landmarks: points)], at: at(0))
    let moved = Box(x: 100, y: 50, width: 80, height: 80)
    let lost = tracker.advance([1: PatchMatch(box: moved, similarity: 0.9)], at: at(40))
    #expect(!lost)
    #expect(tracker.tracks.first?.landmarks?.nose == Point(x: 140, y: 90))
    #expect(tracker.tracks.first?.landmarks?.rightEye == Point(x: 120, y: 70))
}

@Test func `after a cut only the named faces go on`() {
    var tracker = Tracker(settings: settings)
    tracker.associate([detection(0), detection(100)], at: at(0))
    tracker.cut(keeping: [2])
    tracker.associate([detection(0), detection(100)], at: at(40))
    #expect(tracker.tracks.map(\.id).sorted() == [2, 3])
}

@Test func `the schedule detects at first, when urgent, after its interval and after half a second`() {
    var schedule = DetectionSchedule(rate: .adaptive)
    let due1 = schedule.isDue(at: at(0), urgent: false)
    #expect(due1)
    schedule.ran(at: at(0), agreement: nil, missed: false, nobody: false)
    let due = (1...5).map { schedule.isDue(at: at($0 * 33), urgent: false) }
    #expect(due == [false, false, false, false, true])
    schedule.ran(at: at(165), agreement: 0.9, missed: false, nobody: false)
    #expect(schedule.interval == 6)
    let due2 = schedule.isDue(at: at(200), urgent: true)
    #expect(due2)
    schedule.ran(at: at(200), agreement: 0.3, missed: false, nobody: false)
    let due3 = schedule.isDue(at: at(701), urgent: false)
    #expect(due3)
}

@Test func `the schedule looks again once after a miss, and halves its interval when faces run away`() {
    var schedule = DetectionSchedule(rate: .adaptive)
    _ = schedule.isDue(at: at(0), urgent: false)
    schedule.ran(at: at(0), agreement: nil, missed: true, nobody: false)
    let due4 = schedule.isDue(at: at(33), urgent: false)
    #expect(due4)
    schedule.ran(at: at(33), agreement: nil, missed: true, nobody: false)
    let due5 = schedule.isDue(at: at(66), urgent: false)
    #expect(!due5)
    let due6 = schedule.isDue(at: at(99), urgent: true)
    #expect(due6)
    schedule.ran(at: at(99), agreement: 0.5, missed: false, nobody: false)
    #expect(schedule.interval == 2)
}

@Test func `every k-th means every k-th, and every first means all`() {
    var third = DetectionSchedule(rate: .every(3)), all = DetectionSchedule(rate: .every(1))
    let due = (Int64(0)..<7).map { step in
        let now = third.isDue(at: at(step * 40), urgent: step == 1)
        if now { third.ran(at: at(step * 40), agreement: 0.1, missed: true, nobody: false) }
        return now
    }
    #expect(due == [true, false, false, true, false, false, true])
    for step in 0..<5 {
        let due7 = all.isDue(at: at(Int64(step)), urgent: false)
        #expect(due7)
        all.ran(at: at(Int64(step)), agreement: nil, missed: false, nobody: false)
    }
}
