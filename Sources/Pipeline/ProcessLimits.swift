// What a worker asks of the kernel for itself. Soft limits only, as a worker that is used again raises them again.

import Glibc
import Results

enum ProcessLimits {
    /// A crash on hostile input writes no core file with somebody's pictures in it.
    static func forbidCoreFiles() { set(RLIMIT_CORE, soft: 0) }

    /// What cannot be had is not: the daemon watches too, and a job is worth more than its limits.
    /// - Returns: the names of those limits that the kernel refused.
    static func apply(_ limits: JobLimits) -> [String] {
        var refused: [String] = []
        // RLIMIT_DATA and not RLIMIT_AS: it counts what is written to, not the address space that thread arenas,
        // mapped models and shared libraries reserve.
        if !set(RLIMIT_DATA, soft: limits.memoryBytes.map { rlim_t(max($0, 0)) }) { refused.append("memory_bytes") }
        if !set(RLIMIT_CPU, soft: limits.cpuSeconds.map { rlim_t(processorSeconds + max($0, 1)) }) {
            refused.append("cpu_seconds")
        }
        if let score = limits.oomScore, !setOOMScore(score) { refused.append("oom_score") }
        return refused
    }

    /// Used by this process so far, begun ones counted whole.
    private static var processorSeconds: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 2
    }

    /// - Parameter soft: nil for as much as the hard limit allows.
    @discardableResult
    private static func set(_ resource: __rlimit_resource, soft: rlim_t?) -> Bool {
        let kind = __rlimit_resource_t(resource.rawValue)
        var limit = rlimit()
        guard getrlimit(kind, &limit) == 0 else { return false }
        limit.rlim_cur = min(soft ?? limit.rlim_max, limit.rlim_max)
        return setrlimit(kind, &limit) == 0
    }

    private static func setOOMScore(_ score: Int) -> Bool {
        let file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        let text = Array("\(min(max(score, -1000), 1000))".utf8)
        return write(file, text, text.count) == text.count
    }
}

/// What a run that works moves and one that hangs does not.
enum ProcessTraffic {
    /// Bytes read and written so far by system calls. A kernel that does not count them gives the processor time in
    /// microseconds instead: then only what sleeps for ever is noticed, not what turns in a circle.
    static func bytes() -> Int64 {
        if let counted = countedByKernel() { return counted }
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Int64(usage.ru_utime.tv_sec) * 1_000_000 + Int64(usage.ru_utime.tv_usec)
    }

    private static func countedByKernel() -> Int64? {
        let file = open("/proc/self/io", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        var sum: Int64 = 0
        for line in String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").prefix(2) {
            guard let number = line.split(separator: " ").last.flatMap({ Int64($0) }) else { return nil }
            sum += number
        }
        return sum
    }
}

/// Of all threads of this process, so far.
private func processorTime() -> timespec {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return time
}
