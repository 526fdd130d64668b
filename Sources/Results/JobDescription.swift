// One unit of work, as it is handed to whoever does it: a worker of the service, or one that a cluster's scheduler
// starts. Everything about the machine (where models lie, how many threads it has) is the worker's own affair.

package struct JobDescription: Hashable, Sendable {
    package var work: JobWork
    package var options: JobOptions
    package var limits: JobLimits

    package init(work: JobWork, options: JobOptions = JobOptions(), limits: JobLimits = JobLimits()) {
        self.work = work
        self.options = options
        self.limits = limits
    }
}

package enum JobWork: Hashable, Sendable {
    case input(InputWork)
    /// Until it is stopped.
    case stream(StreamDescription)
}

/// A file, from its bytes to its published folder.
package struct InputWork: Hashable, Sendable {
    package var path: [UInt8]
    package var outputRoot: [UInt8]
    /// Of the result below `outputRoot`.
    package var relative: [UInt8]
    /// For this job alone, on the file system of the results: what an unfinished run goes on from. One process at a
    /// time works in it. Nil: nothing survives a run.
    package var workFolder: [UInt8]?
    /// Of media, between two checkpoints.
    package var checkpointSeconds = 10.0
    /// A finished result of the same input with the same settings is made anew.
    package var replacesResult = false
    /// After `hashed` the worker waits for an `answer`: the service may know a result of the same content elsewhere.
    package var asksForSame = false

    package init(path: [UInt8], outputRoot: [UInt8], relative: [UInt8], workFolder: [UInt8]? = nil) {
        self.path = path
        self.outputRoot = outputRoot
        self.relative = relative
        self.workFolder = workFolder
    }
}

/// What a worker asks of the kernel for itself before a job. Nil: as the process was started.
package struct JobLimits: Hashable, Sendable, Codable {
    /// Of private writable memory; beyond it an allocation fails.
    package var memoryBytes: Int64?
    /// Of processor time for the job, over all threads; beyond it the worker is killed by SIGXCPU.
    package var cpuSeconds: Int?
    /// Where the kernel must kill somebody for want of memory: -1000 never to 1000 first.
    package var oomScore: Int?

    package init(memoryBytes: Int64? = nil, cpuSeconds: Int? = nil, oomScore: Int? = nil) {
        self.memoryBytes = memoryBytes
        self.cpuSeconds = cpuSeconds
        self.oomScore = oomScore
    }

    private enum CodingKeys: String, CodingKey {
        case memoryBytes = "memory_bytes"
        case cpuSeconds = "cpu_seconds"
        case oomScore = "oom_score"
    }
}

extension JobDescription: Codable {
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: WireKey.self)
        work = try JobWork(from: decoder)
        options = try members.decode(forKey: "options", or: JobOptions())
        limits = try members.decode(forKey: "limits", or: JobLimits())
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: WireKey.self)
        try work.encode(to: encoder)
        try members.encode(options, forKey: "options")
        try members.encode(limits, forKey: "limits")
    }
}

/// One member, named after the kind of work.
extension JobWork: Codable {
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: WireKey.self)
        if let stream = try members.decodeIfPresent(StreamDescription.self, forKey: "stream") {
            self = .stream(stream)
        } else {
            self = .input(try members.decode(InputWork.self, forKey: "input"))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: WireKey.self)
        switch self {
        case .input(let input): try members.encode(input, forKey: "input")
        case .stream(let stream): try members.encode(stream, forKey: "stream")
        }
    }
}

extension InputWork: Codable {
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: WireKey.self)
        path = try members.decodePath(forKey: "path")
        outputRoot = try members.decodePath(forKey: "output_root")
        relative = try members.decodePath(forKey: "relative")
        workFolder = try members.decodePathIfPresent(forKey: "work_folder")
        checkpointSeconds = try members.decode(forKey: "checkpoint_seconds", or: checkpointSeconds)
        replacesResult = try members.decode(forKey: "replaces_result", or: replacesResult)
        asksForSame = try members.decode(forKey: "asks_for_same", or: asksForSame)
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: WireKey.self)
        try members.encodePath(path, forKey: "path")
        try members.encodePath(outputRoot, forKey: "output_root")
        try members.encodePath(relative, forKey: "relative")
        try members.encodePathIfPresent(workFolder, forKey: "work_folder")
        try members.encodeIfFinite(checkpointSeconds, forKey: "checkpoint_seconds")
        try members.encode(replacesResult, forKey: "replaces_result")
        try members.encode(asksForSame, forKey: "asks_for_same")
    }
}
