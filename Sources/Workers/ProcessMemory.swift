// How much memory a process uses, by /proc.

import Glibc

enum ProcessMemory {
    /// Resident and not shared with a file: what would come free if the process went. Nil once it is gone.
    static func privateBytes(of pid: Int32) -> Int64? {
        guard let text = SmallFile.text("/proc/\(pid)/statm") else { return nil }
        // size, resident, shared, …: in pages
        let pages = text.split(separator: " ").prefix(3).compactMap { Int64($0) }
        guard pages.count == 3 else { return nil }
        return (pages[1] - pages[2]) * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }
}

enum SmallFile {
    /// The text of a file of the kernel's, which is short; nil where there is none.
    static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &bytes, bytes.count)
        return count >= 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
