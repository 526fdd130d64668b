import Intake
import Testing

@Suite struct FileSystemKindTests {
    @Test(
        arguments: [
            (0x6969, "NFS"), (0x517B, "SMB"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB2"), (0x6573_5546, "FUSE"),
            (0x0102_1997, "9p"), (-11_317_950, "CIFS"),
        ] as [(Int64, String)])
    func `file systems on which others write unseen are told apart`(magic: Int64, name: String) {
        let kind = FileSystemKind.of(bytes("/mnt"), magic: { _ in magic })
        #expect(kind == .network(name: name))
        #expect(kind?.isNetwork == true)
    }

    @Test(arguments: [(0xEF53, "ext4"), (0x9123_683E, "Btrfs"), (0x1234, "file system 0x1234")] as [(Int64, String)])
    func `others are local`(magic: Int64, name: String) {
        #expect(FileSystemKind(magic: magic) == .local(name: name))
    }

    @Test func `the system is asked`() {
        #expect(FileSystemKind.of(bytes("/dev/shm")) != nil)
        #expect(FileSystemKind.of(bytes("/proc"))?.isNetwork == false)
        #expect(FileSystemKind.of(bytes("/missing/folder")) == nil)
    }
}
