import Foundation
import Testing
import Workers

@Suite struct CapacityTests {
    /// A tree as the kernel shows it.
    private func capacity(_ files: [String: String], cores: Int = 8) throws -> Capacity {
        let root = FileManager.default.temporaryDirectory.appending(path: "capacity-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (name, text) in files {
            let file = root.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return Capacity.read(root: root.path, cores: cores)
    }

    private let memory = ["proc/meminfo": "MemTotal:        8388608 kB\nMemFree: 1 kB\n"]

    @Test func `without control groups the machine is all ours`() throws {
        #expect(try capacity(memory) == Capacity(cores: 8, memoryBytes: 8 << 30))
        #expect(try capacity([:], cores: 3) == Capacity(cores: 3, memoryBytes: nil))
    }

    @Test func `the tightest limit on the way down counts`() throws {
        let files = memory.merging([
            "proc/self/cgroup": "4:memory:/old\n0::/system.slice/emotiond.service\n",
            "sys/fs/cgroup/system.slice/cpu.max": "250000 100000\n",
            "sys/fs/cgroup/system.slice/memory.max": "max\n",
            "sys/fs/cgroup/system.slice/emotiond.service/cpu.max": "max 100000\n",
            "sys/fs/cgroup/system.slice/emotiond.service/memory.max": "1073741824\n",
        ]) { $1 }
        #expect(try capacity(files) == Capacity(cores: 2.5, memoryBytes: 1 << 30))
    }

    @Test func `a container's own root is read too, and nonsense is no limit`() throws {
        let files = memory.merging([
            "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n",
            "sys/fs/cgroup/memory.max": "lots\n",
        ]) { $1 }
        #expect(try capacity(files) == Capacity(cores: 0.5, memoryBytes: 8 << 30))
    }

    @Test func `there is at least one worker, and no more than cores and memory allow`() {
        #expect(Capacity(cores: 0.5, memoryBytes: 1 << 20).workers(memoryEach: 1 << 30) == 1)
        #expect(Capacity(cores: 2.5, memoryBytes: 64 << 30).workers(memoryEach: 1 << 30) == 2)
        #expect(Capacity(cores: 16, memoryBytes: 4 << 30).workers(memoryEach: 1 << 30) == 4)
        #expect(Capacity(cores: 16, memoryBytes: nil).workers(memoryEach: 1 << 30) == 16)
    }
}
