// Streams from a camera to their segments. Cameras are processes on loopback; nothing waits for a time, only for
// events, each with a limit. What the segments say is checked by a Python script that knows none of our code.

import Core
import Foundation
import Logging
import Pipeline
import Results
import TestSupport
import Testing

/// Each of these keeps a camera, a decoder and a detector busy.
@Suite(.serialized) struct StreamJobTests {
    @Test(arguments: CameraServer.Kind.here)
    func `a camera that is frozen, unplugged and plugged in again goes on in the same stream`(
        kind: CameraServer.Kind
    ) throws {
        var camera = try CameraServer(kind)
        let run = try StreamRun(camera.url) { $0.limits.stallSeconds = 1 }
        try run.wait("pictures") { $0.analysed >= 10 }
        camera.freeze()
        try run.wait(event: .stalled)
        camera.thaw()
        try run.wait(event: .reconnected)
        let before = run.stats.analysed
        try run.wait("pictures again") { $0.analysed >= before + 10 }
        let port = camera.port
        camera.unplug()
        try run.wait(event: .lost)
        camera = try CameraServer(kind, port: port)
        try run.wait(event: .reconnected, times: 2)
        let later = run.stats.analysed
        try run.wait("pictures once more") { $0.analysed >= later + 10 }
        let outcome = try run.stop()

        #expect(
            run.kinds.filter { $0 != .dropped } == [.connected, .stalled, .reconnected, .lost, .reconnected, .stopped])
        #expect(outcome.stats.reconnects == 2 && outcome.stats.stalls == 1)
        let check = try run.check(realClock: true)
        #expect(check.problems.isEmpty)
        #expect(check.decoded == outcome.stats.framesIn)
        #expect(check.statuses.contains("partial"))
        #expect(outcome.state.nextFrame == check.lastFrame + 1)
    }

    @Test func `segments end with the clock's slots, also where no picture comes any more`() throws {
        let camera = try CameraServer(.mjpeg)
        let wall = TestWall(start: 1_795_651_170_000_000)  // 2026-11-25T23:59:30Z
        let run = try StreamRun(camera.url, wall: wall) {
            $0.segmentSeconds = 60
            $0.limits.stallSeconds = 1
        }
        try run.wait("pictures") { $0.analysed >= 5 }
        wall.advance(60)
        let first = run.stats.analysed
        try run.wait("pictures of the next day") { $0.analysed >= first + 5 }
        camera.unplug()
        try run.wait(event: .lost)
        wall.advance(60)
        try run.wait(segments: 2)
        let outcome = try run.stop()
        #expect(outcome.segments.count == 2)
        // The first is named after its first picture, the next after its slot.
        #expect(run.folders.first?.hasPrefix("2026-11-25/2359") == true)
        #expect(run.folders.last == "2026-11-26/000000Z")
        let check = try run.check(realClock: false)
        #expect(check.problems.isEmpty)
        #expect(check.lastFrame + 1 == outcome.state.nextFrame)
    }

    @Test func `frame, face id and time go on in the next run`() throws {
        let camera = try CameraServer(.mjpeg)
        let out = try StreamRun.folder()
        let first = try StreamRun(camera.url, out: out)
        try first.wait("a face") { !$0.faces.isEmpty && $0.analysed >= 5 }
        let state = try first.stop().state
        #expect(state.lastFaceID > 0)
        let second = try StreamRun(camera.url, out: out) { $0.state = state }
        try second.wait("a face") { !$0.faces.isEmpty && $0.analysed >= 5 }
        let outcome = try second.stop()
        #expect(outcome.state.originUTC == state.originUTC)
        #expect(outcome.state.lastFaceID > state.lastFaceID)
        let check = try second.check(realClock: true)
        #expect(check.problems.isEmpty)
        #expect(check.lastFrame + 1 == outcome.state.nextFrame)
    }

    @Test func `a limit on frames thins evenly, and every picture is accounted for`() throws {
        let camera = try CameraServer(.mjpeg, fps: 20)
        let run = try StreamRun(camera.url) { $0.framesPerSecond = 4 }
        try run.wait("pictures") { $0.analysed >= 8 }
        let outcome = try run.stop()
        #expect(outcome.stats.skipped > 0)
        let seconds = Double(outcome.state.lastTimestamp) / 1e6
        #expect(Double(outcome.stats.analysed) <= 4 * seconds + 2)
        let check = try run.check(realClock: true)
        #expect(check.problems.isEmpty)
        #expect(check.decoded == outcome.stats.framesIn)
    }

    @Test func `a stream with a schedule rests and comes back`() throws {
        let camera = try CameraServer(.mjpeg)
        let wall = TestWall(start: 1_795_651_170_000_000)
        let run = try StreamRun(camera.url, wall: wall) { $0.schedule = "Mo 08:00-18:00" }
        try run.wait(event: .paused)
        wall.set(LocalMoment(weekday: 0, minute: 9 * 60))
        try run.wait("pictures") { $0.analysed >= 3 }
        wall.set(LocalMoment(weekday: 0, minute: 18 * 60))
        try run.wait(event: .paused, times: 2)
        _ = try run.stop()
        #expect(run.kinds.filter { $0 != .dropped } == [.paused, .resumed, .connected, .paused, .stopped])
    }

    @Test func `annotated segments show what the rows say; by default no picture is kept`() throws {
        let camera = try CameraServer(.mjpeg)
        let plain = try StreamRun(camera.url)
        try plain.wait("pictures") { $0.analysed >= 3 }
        _ = try plain.stop()
        #expect(!plain.names.contains { $0.hasSuffix(".mp4") || $0.hasSuffix(".jpg") })
        let run = try StreamRun(camera.url) { $0.video = .annotated }
        try run.wait("pictures") { $0.analysed >= 10 }
        let outcome = try run.stop()
        #expect(run.names.contains { $0.hasSuffix("Z/annotated.mp4") })
        #expect(run.names.contains { $0.hasSuffix("/latest.jpg") })
        #expect(!run.names.contains { $0.hasSuffix(".tmp") })
        let check = try run.check(realClock: true)
        #expect(check.problems.isEmpty)
        #expect(check.videoFrames == outcome.stats.analysed)
    }

    @Test func `the password of a URL is used, and written nowhere`() throws {
        let camera = try CameraServer(.mjpeg, user: "admin:sesame")
        let out = try StreamRun.folder()
        let file = out.appending(path: "url")
        let url = camera.url.replacingOccurrences(of: "http://", with: "http://admin:sesame@")
        try (url + "\n").write(to: file, atomically: true, encoding: .utf8)
        let run = try StreamRun(nil, out: out) { $0.urlFile = Array(file.path.utf8) }
        try run.wait("pictures") { $0.analysed >= 3 }
        _ = try run.stop()
        try FileManager.default.removeItem(at: file)
        for name in run.names where !name.hasSuffix("Z") {
            let bytes = FileManager.default.contents(atPath: out.appending(path: name).path) ?? Data()
            #expect(!String(decoding: bytes, as: UTF8.self).contains("sesame"), "\(name)")
        }
        #expect(!run.log.contains("sesame") && run.log.contains("***@127.0.0.1"))
    }

    @Test func `the first connection may be required, and otherwise is tried for ever`() throws {
        let camera = try CameraServer(.mjpeg)
        camera.unplug()
        let strict = try StreamRun(camera.url, requiresFirstConnection: true)
        #expect { _ = try strict.outcome() } throws: { ($0 as? PipelineError)?.exit == .unavailable }
        let patient = try StreamRun(camera.url)
        try patient.wait(event: .lost)
        let again = try CameraServer(.mjpeg, port: camera.port)
        try patient.wait(event: .connected)
        _ = try patient.stop()
        again.unplug()
    }

    @Test(.enabled(if: CameraServer.Kind.hasRTSP, Comment(rawValue: CameraServer.Kind.rtspAbsence)))
    func `RTSP cameras are among those that were tried`() { #expect(CameraServer.Kind.here.contains(.rtsp)) }
}
