// /metrics, read by an independent parser (check_metrics.py) and by eye.

import Foundation
import Testing
import Web

@Suite struct MetricsTests {
    private static func values() -> MetricsValues {
        var stream = StreamView(name: #"front "door" \ 1"#, url: "rtsp://cam/", phase: .live)
        stream.framesPerSecondIn = 15
        stream.framesPerSecondAnalysed = 14.5
        stream.lagSeconds = 0.25
        stream.dropped = 3
        stream.reconnects = 2
        var hall = StreamView(name: "hall\nway", url: "rtsp://cam/", phase: .waiting)
        hall.lastFrameAt = 1_764_000_123.5
        var values = MetricsValues(version: "1.2.3", startTime: 1_764_000_000.25)
        values.jobs = [.queued: 12, .running: 2]
        values.jobsEnded = ["complete": 40, "failed": 1]
        values.stageSeconds = ["decode": 1.5, "faces": 20.125]
        values.daemonMemoryBytes = 54_000_000
        values.workerMemoryBytes = 410_000_000
        values.diskFreeBytes = 5_000_000_000
        values.isIntakePaused = true
        values.streams = [
            StreamMetrics(view: stream, stageSeconds: ["decode": .nan, "faces": .infinity]), StreamMetrics(view: hall),
        ]
        return values
    }

    private func text(_ values: MetricsValues) async throws -> Answer {
        let (answers, give) = AsyncStream.makeStream(of: Answer.self)
        try await withClient(FakeService { $0.metrics = values }) { give.yield(try await $0.get("/metrics")) }
        give.finish()
        for await answer in answers { return answer }
        throw ClientFailure(text: "no answer")
    }

    @Test func `the text says what is asked for, with escaped labels`() async throws {
        let answer = try await text(Self.values())
        #expect(answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
        for line in [
            #"emotiond_build_info{version="1.2.3"} 1"#, #"emotiond_jobs{state="queued"} 12"#,
            #"emotiond_jobs{state="done"} 0"#, #"emotiond_jobs_ended_total{result="failed"} 1"#,
            #"emotiond_stage_seconds_total{stage="faces"} 20.125"#,
            #"emotiond_memory_bytes{process="daemon"} 54000000"#,
            "emotiond_intake_paused 1", "emotiond_start_time_seconds 1764000000.25",
            #"emotiond_stream_frames_per_second{stream="front \"door\" \\ 1",frames="analysed"} 14.5"#,
            #"emotiond_stream_up{stream="hall\nway"} 0"#,
            #"emotiond_stream_dropped_frames_total{stream="hall\nway"} 0"#,
            #"emotiond_stream_stage_seconds_total{stream="front \"door\" \\ 1",stage="decode"} NaN"#,
        ] {
            #expect(answer.text.contains(line + "\n"), "\(line)")
        }
        #expect(!answer.text.contains(#"lag_seconds{stream="hall"#))
    }

    @Test(arguments: [values(), MetricsValues(version: "0", startTime: 0)])
    func `an independent parser finds no fault`(values: MetricsValues) async throws {
        let text = try await text(values).text
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "check_metrics.py")
        let (status, output) = try await blocking {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["python3", script.path]
            let input = Pipe(), output = Pipe()
            process.standardInput = input
            process.standardOutput = output
            process.standardError = output
            try process.run()
            input.fileHandleForWriting.write(Data(text.utf8))
            try input.fileHandleForWriting.close()
            let told = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: told, as: UTF8.self))
        }
        #expect(status == 0, "\(output)")
    }
}
