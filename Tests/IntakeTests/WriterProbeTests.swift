import Glibc
import Intake
import Testing

@Suite struct WriterProbeTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func writers(_ probe: WriterProbe = .system) throws -> [[UInt8]: WriterProbe.Writer] {
        probe.writers(scratch.path, try FolderScan(root: scratch.path).everything().files)
    }

    @Test(arguments: [O_WRONLY, O_RDWR]) func `a process that has a file open for writing is named`(mode: Int32) throws
    {
        try scratch.file("sub/held.mp4")
        try scratch.file("free.mp4")
        let descriptor = open(cString(scratch("sub/held.mp4")), mode | O_CLOEXEC)
        try #require(descriptor >= 0)
        #expect(try writers() == [bytes("sub/held.mp4"): .init(pid: getpid())])
        close(descriptor)
        #expect(try writers().isEmpty)
    }

    @Test func `readers do not matter`() throws {
        try scratch.file("a.mp4")
        let descriptor = open(cString(scratch("a.mp4")), O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        #expect(try writers().isEmpty)
    }

    @Test func `asking leaves no lease behind`() throws {
        try scratch.file("a.mp4")
        #expect(try writers().isEmpty)
        // With a lease this open would fail.
        let descriptor = open(cString(scratch("a.mp4")), O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        #expect(descriptor >= 0)
        close(descriptor)
    }

    @Test func `files that vanished, and links put in their place, are no trouble`() throws {
        try scratch.file("a.mp4")
        try scratch.file("b.mp4")
        let files = try FolderScan(root: scratch.path).everything().files
        // Held open, so that their inodes are not given to what other tests write meanwhile.
        let held = ["a.mp4", "b.mp4"].map { open(cString(scratch($0)), O_RDONLY | O_CLOEXEC) }
        defer { for descriptor in held { close(descriptor) } }
        scratch.remove("a.mp4")
        scratch.remove("b.mp4")
        try scratch.link("b.mp4", to: "/etc/passwd")
        #expect(WriterProbe.system.writers(scratch.path, files).isEmpty)
        #expect(WriterProbe.system.writers(scratch("missing"), files).isEmpty)
    }
}
