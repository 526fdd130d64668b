// Does inotify tell all that happens in a folder? Not where other machines or programs write behind the kernel's back.

package enum FileSystemKind: Hashable, Sendable {
    case local(name: String)
    /// Changes made elsewhere are not announced: the folder is scanned at short intervals, and holds no database.
    case network(name: String)

    package var isNetwork: Bool {
        if case .network = self { true } else { false }
    }

    package var name: String {
        switch self {
        case .local(let name), .network(let name): name
        }
    }

    /// The kind of file system on which a path lies; nil where it cannot be asked.
    ///
    /// - Parameter magic: statfs(2)'s f_type of a path; tests put their own numbers here.
    package static func of(
        _ path: [UInt8], magic: ([UInt8]) -> Int64? = { FileSystemKind.systemMagic($0) }
    ) -> FileSystemKind? {
        magic(path).map { FileSystemKind(magic: $0) }
    }

    package static func systemMagic(_ path: [UInt8]) -> Int64? { HiddenCalls.fileSystemMagic(path) }

    package init(magic: Int64) {
        // Sign-extended on some machines.
        let number = magic & 0xFFFF_FFFF
        if let name = Self.networks[number] {
            self = .network(name: name)
        } else {
            self = .local(name: Self.locals[number] ?? "file system 0x" + String(number, radix: 16))
        }
    }

    // Numbers from linux/magic.h, statfs(2) and the file systems' own sources. Cluster file systems stand with the
    // networks: what other nodes write is not announced either.
    private static let networks: [Int64: String] = [
        0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x6573_5546: "FUSE",
        0x0102_1997: "9p", 0x5346_414F: "AFS", 0x6B41_4653: "AFS", 0x7375_7245: "Coda", 0x564C: "NCP",
        0x00C3_6400: "Ceph", 0x0BD0_0BD0: "Lustre", 0x4750_4653: "GPFS", 0x7461_636F: "OCFS2", 0x0116_1970: "GFS2",
        0x1983_0326: "BeeGFS", 0x786F_4256: "VirtualBox shared folder", 0xBACB_ACBC: "VMware shared folder",
        0xAAD7_AAEA: "PanFS", 0x2030_5244: "OrangeFS",
    ]

    private static let locals: [Int64: String] = [
        0xEF53: "ext4", 0x5846_5342: "XFS", 0x9123_683E: "Btrfs", 0x0102_1994: "tmpfs", 0x794C_7630: "overlay",
        0x2FC1_2FC1: "ZFS", 0xF2F5_2010: "F2FS", 0x4D44: "FAT", 0x2011_BAB0: "exFAT", 0x7366_746E: "NTFS",
        0x8584_58F6: "ramfs", 0xCA45_1A4E: "bcachefs",
    ]
}
