import Core
import Foundation
import Media
import TestSupport
import Testing

@Suite struct LiveReaderTests {
    private func options(stall: Double = 20) -> LiveOptions {
        let start = ContinuousClock.now
        var options = LiveOptions(
            isCancelled: { false },
            now: {
                let parts = (ContinuousClock.now - start).components
                return parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000
            })
        options.stallSeconds = stall
        return options
    }

    private func reader(_ url: String, _ options: LiveOptions) throws -> LiveReader {
        let address = try #require(StreamURL(url))
        return try LiveReader(
            LiveSource(address), options: options, firstIndex: 0, clock: LiveClock(origin: options.now()))
    }

    @Test(arguments: CameraServer.Kind.here)
    func `pictures come in order with rising times`(kind: CameraServer.Kind) throws {
        let camera = try CameraServer(kind)
        let reader = try reader(camera.url, options())
        var frames: [LiveFrame] = []
        while frames.count < 20, let frame = try reader.next() { frames.append(frame) }
        #expect(frames.map(\.frame.index) == (0..<20).map { $0 })
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.frame.time < $1.frame.time })
        #expect(reader.counts.decoded == 20)
        #expect(reader.info.width == (kind == .rtsp ? 640 : 320))
    }

    @Test(arguments: CameraServer.Kind.here)
    func `a camera that freezes is a stall, and stays one`(kind: CameraServer.Kind) throws {
        let camera = try CameraServer(kind)
        let reader = try reader(camera.url, options(stall: 0.7))
        for _ in 0..<3 { _ = try reader.next() }
        camera.freeze()
        for _ in 0..<2 {
            #expect {
                while try reader.next() != nil {}
            } throws: { error in
                guard case MediaError.stalled(_, let seconds) = error else { return false }
                return seconds == 0.7
            }
        }
        camera.thaw()
    }

    @Test func `the end of a connection is the end`() throws {
        let camera = try CameraServer(.mjpeg, fps: 100, frames: 5)
        let reader = try reader(camera.url, options())
        var count = 0
        while try reader.next() != nil { count += 1 }
        #expect(count == 5)
    }

    @Test func `region and size shape the picture before anything looks at it`() throws {
        let camera = try CameraServer(.mjpeg)
        var options = options()
        options.region = (0.5, 0, 0.5, 1)
        options.longestSide = 90
        let reader = try reader(camera.url, options)
        let frame = try #require(try reader.next()).frame
        // 320x180, its right half, scaled to half.
        #expect((frame.width, frame.height) == (80, 90))
    }

    @Test func `a password is in no message`() throws {
        let camera = try CameraServer(.mjpeg, user: "admin:right")
        let url = camera.url.replacingOccurrences(of: "http://", with: "http://admin:wrong@")
        #expect { _ = try reader(url, options()) } throws: { error in
            let text = "\(error) \(String(reflecting: error))"
            return text.contains("401") && text.contains("127.0.0.1") && !text.contains("wrong")
        }
    }

    @Test(arguments: ["file:///etc/passwd", "concat:///a", "gopher://x/", "udp://1.2.3.4:5"])
    func `other protocols are refused by name`(url: String) throws {
        let address = try #require(StreamURL(url))
        #expect { _ = try LiveSource(address) } throws: { error in
            guard case MediaError.badSource = error else { return false }
            return true
        }
    }

    @Test func `a camera device that is not there says so`() {
        #expect { _ = try reader("/dev/v4l/by-id/none-such", options()) } throws: { error in
            guard case MediaError.unreachable(let source, _) = error else { return false }
            return source == "/dev/v4l/by-id/none-such"
        }
    }
}
