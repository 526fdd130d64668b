// How much of the machine is ours: its cores and memory, less what the control groups above us take away.

package struct Capacity: Hashable, Sendable {
    /// A quota of control groups may be a part of one.
    package let cores: Double
    package let memoryBytes: Int64?

    package init(cores: Double, memoryBytes: Int64?) {
        self.cores = cores
        self.memoryBytes = memoryBytes
    }

    /// Reads control groups of version 2; where there are none, the machine is all ours.
    /// - Parameters:
    ///   - root: where `/proc` and `/sys` stand.
    ///   - cores: that this process may run on.
    package static func read(root: String = "", cores: Int) -> Capacity {
        var share = Double(cores)
        var memory = machineMemory(root)
        for folder in groups(root) {
            if let quota = quota(folder) { share = min(share, quota) }
            if let limit = SmallFile.text(folder + "/memory.max").flatMap(number) {
                memory = min(memory ?? limit, limit)
            }
        }
        return Capacity(cores: share, memoryBytes: memory)
    }

    /// How many workers may run at once, at least one.
    package func workers(memoryEach: Int64) -> Int {
        let byCores = max(1, Int(cores))
        guard let memoryBytes, memoryEach > 0 else { return byCores }
        return max(1, min(byCores, Int(memoryBytes / memoryEach)))
    }

    /// Our group and those above it, as each may limit the ones below.
    private static func groups(_ root: String) -> [String] {
        guard let text = SmallFile.text(root + "/proc/self/cgroup"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::/") })
        else { return [] }
        let names = line.dropFirst(4).split(separator: "/")
        guard !names.contains("..") else { return [] }
        return (0...names.count).map { count in
            ([root + "/sys/fs/cgroup"] + names.prefix(count).map(String.init)).joined(separator: "/")
        }
    }

    /// `cpu.max`: microseconds, or `max`, of each period.
    private static func quota(_ folder: String) -> Double? {
        guard let text = SmallFile.text(folder + "/cpu.max") else { return nil }
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let used = Double(words[0]), let period = Double(words[1]), period > 0 else {
            return nil
        }
        return used / period
    }

    /// `max` is no number.
    private static func number(_ text: String) -> Int64? {
        text.split(whereSeparator: \.isWhitespace).first.flatMap { Int64($0) }
    }

    private static func machineMemory(_ root: String) -> Int64? {
        guard let text = SmallFile.text(root + "/proc/meminfo"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemTotal:") })
        else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int64($0) }.map { $0 * 1024 }
    }
}
