// Cameras for tests: the Python servers of Tests/Servers as processes that can be frozen and unplugged.

package import Foundation
import Glibc
import Synchronization

package struct CameraServer: Sendable {
    package enum Kind: String, Sendable, CaseIterable, CustomStringConvertible {
        case mjpeg, rtsp

        /// RTSP needs python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-base, -good and -ugly.
        package static let here = hasRTSP ? allCases : [.mjpeg]
        package static let hasRTSP = isRTSPInstalled()
        package static let rtspAbsence: String =
            "no RTSP server here: apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 "
            + "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly"

        package var description: String { rawValue }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let kind: Kind
    package let port: Int
    private let process: Running

    /// - Parameters:
    ///   - port: That of a camera which was unplugged; 0: any that is free.
    ///   - user: `name:password` that the MJPEG camera asks for.
    ///   - frames: After so many the MJPEG camera ends the connection.
    package init(
        _ kind: Kind, port: Int = 0, fps: Int = 15, user: String? = nil, frames: Int? = nil
    ) throws {
        self.kind = kind
        var arguments: [String]
        switch kind {
        case .mjpeg:
            arguments = [Self.servers.appending(path: "mjpeg_server.py").path, try Self.pictures().path]
            if let user { arguments += ["--user", user] }
            if let frames { arguments += ["--frames", String(frames)] }
        case .rtsp: arguments = [Self.servers.appending(path: "rtsp_server.py").path]
        }
        arguments += ["--fps", String(fps), "--port", String(port)]
        process = try Running(arguments)
        guard let port = Int(process.firstLine) else {
            throw Failure(description: "the camera did not start: '\(process.firstLine)'")
        }
        self.port = port
    }

    package var url: String {
        kind == .mjpeg ? "http://127.0.0.1:\(port)/" : "rtsp://127.0.0.1:\(port)/stream"
    }

    package func freeze() { process.signal(SIGSTOP) }
    package func thaw() { process.signal(SIGCONT) }
    package func unplug() { process.end() }

    package static let servers = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Servers")

    /// Debian's own, which sees Debian's modules.
    package static let python = URL(
        filePath: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")
            ? "/usr/bin/python3" : "/usr/local/bin/python3")

    private static func isRTSPInstalled() -> Bool {
        let process = Process()
        process.executableURL = python
        process.arguments = [servers.appending(path: "rtsp_server.py").path, "--check"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    private static let made = Mutex<URL?>(nil)

    /// Four seconds of the sample with a face in it, as JPEGs; made once by ffmpeg, removed with the process's files.
    private static func pictures() throws -> URL {
        try made.withLock { made in
            if let made { return made }
            let folder = FileManager.default.temporaryDirectory.appending(path: "emotiond-camera-\(getpid())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let sample = servers.deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "samples/ad.mp4")
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/ffmpeg")
            process.arguments = [
                "-v", "error", "-y", "-i", sample.path, "-t", "4", "-r", "15", "-vf", "scale=320:-2", "-q:v", "4",
                folder.appending(path: "%04d.jpg").path,
            ]
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                throw Failure(description: "ffmpeg could not make the camera's pictures")
            }
            made = folder
            return folder
        }
    }
}

/// A child that does not outlive its last reference.
private final class Running: Sendable {
    let firstLine: String
    private let pid: pid_t
    private let ended = Mutex(false)

    init(_ arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }) else {
            throw CameraServer.Failure(description: "no pipe")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var pointers = ([CameraServer.python.path] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, CameraServer.python.path, &actions, nil, &pointers, environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard code == 0 else { throw CameraServer.Failure(description: "python3 cannot be run") }
        pid = child
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(ends[0], &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        firstLine = String(decoding: line, as: UTF8.self)
    }

    func signal(_ number: Int32) { kill(pid, number) }

    func end() {
        ended.withLock { ended in
            guard !ended else { return }
            ended = true
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    deinit { end() }
}
