// Prometheus' text format 0.0.4, written by hand: the packages that would do it measure what we do not have.

/// Grows by families; within one, the lines stand in the order they were added.
struct MetricsText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    enum Kind: String {
        case counter, gauge
    }

    struct Sample {
        var labels: KeyValuePairs<String, String>
        var value: Double

        init(_ labels: KeyValuePairs<String, String> = [:], _ value: Double) {
            self.labels = labels
            self.value = value
        }
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
            text += name + (labels.isEmpty ? "" : "{\(labels)}") + " \(Self.number(sample.value))\n"
        }
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        add(name, kind, help, [Sample([:], value)])
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n", "\r\n": result += "\\n"
            default: result.append(character)
            }
        }
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }
}

extension MetricsText {
    /// Names are part of the interface: docs/operations.md lists them, dashboards of users rely on them.
    init(_ values: MetricsValues) {
        self.init()
        add(
            "emotiond_build_info", .gauge, "Always 1; the label says which version runs.",
            [Sample(["version": values.version], 1)])
        add("emotiond_start_time_seconds", .gauge, "When the daemon started, in seconds since 1970.", values.startTime)
        addJobs(values)
        addProcess(values)
        addStreams(values.streams)
    }

    private mutating func addJobs(_ values: MetricsValues) {
        add(
            "emotiond_jobs", .gauge, "Jobs in the ledger by state; queued is the depth of the queue.",
            JobState.allCases.map { Sample(["state": $0.rawValue], Double(values.jobs[$0] ?? 0)) })
        add(
            "emotiond_jobs_ended_total", .counter, "Jobs that ended, by result.",
            values.jobsEnded.sorted { $0.key < $1.key }.map { Sample(["result": $0.key], Double($0.value)) })
        add("emotiond_job_retries_total", .counter, "Attempts that were repeated.", Double(values.retries))
        add(
            "emotiond_stage_seconds_total", .counter, "Seconds spent on files, by stage.",
            values.stageSeconds.sorted { $0.key < $1.key }.map { Sample(["stage": $0.key], $0.value) })
        add(
            "emotiond_frames_analysed_total", .counter, "Frames of files that were analysed.",
            Double(values.framesAnalysed))
        add("emotiond_faces_total", .counter, "Faces found on the frames of files.", Double(values.facesSeen))
        add("emotiond_workers_busy", .gauge, "Workers that have a job.", Double(values.workersBusy))
        add("emotiond_workers_limit", .gauge, "Workers that may run at once.", Double(values.workersLimit))
    }

    private mutating func addProcess(_ values: MetricsValues) {
        add(
            "emotiond_memory_bytes", .gauge, "Resident memory of the daemon, and of all its workers together.",
            [
                Sample(["process": "daemon"], Double(values.daemonMemoryBytes)),
                Sample(["process": "workers"], Double(values.workerMemoryBytes)),
            ])
        if let free = values.diskFreeBytes {
            add("emotiond_disk_free_bytes", .gauge, "Free space where results are written.", Double(free))
        }
        add("emotiond_intake_paused", .gauge, "1 while no new input is taken in.", values.isIntakePaused ? 1 : 0)
    }

    private mutating func addStreams(_ streams: [StreamMetrics]) {
        func samples(_ value: (StreamView) -> Double?) -> [Sample] {
            streams.compactMap { stream in value(stream.view).map { Sample(["stream": stream.view.name], $0) } }
        }
        add("emotiond_stream_up", .gauge, "1 while frames come in.", samples { $0.phase == .live ? 1 : 0 })
        add(
            "emotiond_stream_frames_per_second", .gauge, "Frames a second, received and analysed.",
            streams.flatMap { stream in
                [
                    Sample(["stream": stream.view.name, "frames": "received"], stream.view.framesPerSecondIn),
                    Sample(["stream": stream.view.name, "frames": "analysed"], stream.view.framesPerSecondAnalysed),
                ]
            })
        add("emotiond_stream_lag_seconds", .gauge, "Age of a frame when its result is written.", samples(\.lagSeconds))
        add(
            "emotiond_stream_last_frame_timestamp_seconds", .gauge, "When the last frame came, in seconds since 1970.",
            samples(\.lastFrameAt))
        add("emotiond_stream_frames_total", .counter, "Frames received.", samples { Double($0.framesIn) })
        add("emotiond_stream_analysed_frames_total", .counter, "Frames analysed.", samples { Double($0.analysed) })
        add(
            "emotiond_stream_dropped_frames_total", .counter, "Frames dropped because the machine was too slow.",
            samples { Double($0.dropped) })
        add(
            "emotiond_stream_reconnects_total", .counter, "Connections made again after a loss.",
            samples { Double($0.reconnects) })
        add(
            "emotiond_stream_stalls_total", .counter, "Times that a connected stream sent nothing.",
            samples { Double($0.stalls) })
        add("emotiond_stream_segments_total", .counter, "Segments published.", samples { Double($0.segments) })
        add(
            "emotiond_stream_stage_seconds_total", .counter, "Seconds spent on a stream, by stage.",
            streams.flatMap { stream in
                stream.stageSeconds.sorted { $0.key < $1.key }.map {
                    Sample(["stream": stream.view.name, "stage": $0.key], $0.value)
                }
            })
    }
}
