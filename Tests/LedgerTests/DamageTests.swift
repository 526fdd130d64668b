// Broken files, second daemons, wrong file systems, and kill -9 at any moment.

import Foundation
import Glibc
import Ledger
import TestSupport
import Testing

@Test func `every transaction is on the disk when its call returns`() throws {
    let durability = try StateFolder().ledger().durability()
    #expect(durability.journal == "wal" && durability.synchronous == 2)
}

@Test(arguments: ["garbage", "cut", "page"])
func `a damaged ledger is kept aside, byte by byte, and a new one can begin`(kind: String) async throws {
    let folder = try StateFolder()
    try await fill(folder)
    var content = try Data(contentsOf: URL(filePath: folder.database))
    switch kind {
    case "garbage": content = Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    case "cut": content = content.prefix(content.count / 2 / 4096 * 4096)
    default: content.replaceSubrange(4096..<(4096 * 6), with: Data(repeating: 0xA5, count: 4096 * 5))
    }
    try content.write(to: URL(filePath: folder.database))
    let kept = folder.database + ".damaged-1"
    #expect {
        _ = try folder.ledger()
    } throws: { error in
        guard case LedgerError.damaged(folder.database, keptAs: kept, _) = error else { return false }
        return "\(error)".contains(kept)
    }
    #expect(try Data(contentsOf: URL(filePath: kept)) == content)
    let next = try folder.ledger()
    #expect(try await next.jobs().jobs == [])
}

@Test func `a second damaged ledger does not take the first one's place`() throws {
    let folder = try StateFolder()
    for _ in 0..<2 {
        try Data(repeating: 0x5A, count: 8192).write(to: URL(filePath: folder.database))
        #expect(throws: LedgerError.self) { try folder.ledger() }
    }
    #expect(folder.names.filter { $0.hasSuffix("damaged-1") || $0.hasSuffix("damaged-2") }.count == 2)
}

@Test func `the journal goes with the damaged file`() async throws {
    let folder = try StateFolder()
    try await fill(folder)
    try Data(repeating: 0x5A, count: 8192).write(to: URL(filePath: folder.database))
    try Data("journal".utf8).write(to: URL(filePath: folder.database + "-wal"))
    #expect(throws: LedgerError.self) { try folder.ledger() }
    #expect(folder.names.contains("emotiond.sqlite.damaged-1-wal"))
    #expect(!folder.names.contains("emotiond.sqlite") && !folder.names.contains("emotiond.sqlite-wal"))
}

private func fill(_ folder: StateFolder) async throws {
    let ledger = try folder.ledger()
    _ = try await ledger.enqueue((0..<500).map { input("clip-\($0)") })
    await ledger.close()
}

@Test func `a backup is a whole ledger, made while it is in use`() async throws {
    let folder = try StateFolder(), other = try StateFolder()
    let ledger = try folder.ledger()
    _ = try await ledger.enqueue([input("a"), input("b")])
    try await ledger.backup(to: other.database)
    _ = try await ledger.enqueue([input("c")])
    await #expect(throws: LedgerError.self) { try await ledger.backup(to: other.database) }
    #expect(try await other.ledger().jobs().jobs.count == 2)
}

@Test func `a second process is told who has the folder, until that one ends`() throws {
    let folder = try StateFolder()
    let holder = try Helper(["hold", folder.path])
    #expect(try holder.line() == "held")
    #expect {
        _ = try StateLock(folder: folder.path)
    } throws: { error in
        guard case LedgerError.held(folder.path, let note) = error else { return false }
        return note.hasPrefix("pid \(holder.pid), since 20") && "\(error)".contains("pid \(holder.pid)")
    }
    holder.kill()
    _ = try StateLock(folder: folder.path)
}

@Test func `the lock is let go with its value`() throws {
    let folder = try StateFolder()
    for _ in 0..<3 { _ = try StateLock(folder: folder.path) }
    let lock = try StateLock(folder: folder.path)
    #expect(throws: LedgerError.self) { try StateLock(folder: folder.path) }
    withExtendedLifetime(lock) {}
}

@Test func `a folder that is missing, or a lock that is a link, is an error`() throws {
    #expect(throws: LedgerError.self) { try StateLock(folder: "/nonexistent/state") }
    let folder = try StateFolder()
    try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/emotiond.lock", withDestinationPath: folder.path + "/elsewhere")
    #expect(throws: LedgerError.self) { try StateLock(folder: folder.path) }
    #expect(!folder.names.contains("elsewhere"))
}

@Test(arguments: ["nfs4", "cifs", "fuse.sshfs", "fuseblk", "9p", "ceph"])
func `a network file system is refused by name`(type: String) throws {
    let folder = try StateFolder()
    #expect(throws: LedgerError.networkFileSystem(folder: folder.path, name: type)) {
        try StateLock(folder: folder.path, fileSystem: { _ in type })
    }
    #expect(folder.names == [])
}

@Test(arguments: ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs"])
func `local file systems are taken`(type: String) throws {
    let folder = try StateFolder()
    _ = try StateLock(folder: folder.path, fileSystem: { _ in type })
}

@Test func `the mount above a folder is found in the kernel's list`() {
    let mounts = """
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        30 22 0:40 / /srv rw,relatime shared:7 master:3 - nfs4 server:/x rw,vers=4.2
        31 30 8:2 / /srv/local\\040disk rw,relatime - xfs /dev/sdb1 rw
        32 22 0:41 / /mnt rw - tmpfs none rw
        33 32 0:42 / /mnt rw - fuse.sshfs me@host:/ rw
        broken line
        """
    let expected = [
        "/": "ext4", "/srv": "nfs4", "/srv/state": "nfs4", "/srv/local disk/e": "xfs", "/srvx": "ext4",
        "/mnt/a": "fuse.sshfs",
    ]
    for (path, type) in expected { #expect(FileSystemType.type(of: path, mounts: mounts) == type, "\(path)") }
    #expect(FileSystemType.type(of: "/", mounts: "") == nil)
    #expect(FileSystemType.system("/") != nil)
}

@Test func `a process killed at any moment loses no job and does none twice`() async throws {
    let folder = try StateFolder()
    var random = SeededGenerator(TestSeed.current)
    var queued: Set<Int64> = [], done: Set<Int64> = []
    for round in 0..<50 {
        let helper = try Helper(["write", folder.path, "\(random.next())"])
        var lines = Int.random(in: 1...60, using: &random)
        // The last lines come when it is dead already: they count like the others.
        while let line = try helper.line() {
            let words = line.split(separator: " ")
            let id = try #require(words.last.flatMap { Int64($0) })
            switch words.first {
            case "queued": queued.insert(id)
            case "done":
                #expect(done.insert(id).inserted, "job \(id) was done twice, round \(round), seed \(random.seed)")
            default: #expect(!done.contains(id), "job \(id) went on after its end, round \(round), seed \(random.seed)")
            }
            lines -= 1
            if lines == 0 { helper.kill() }
        }
        let verification = try await folder.ledger().verify()
        #expect(verification.problems == [], "round \(round), seed \(random.seed)")
        let states = Dictionary(uniqueKeysWithValues: verification.jobs.map { ($0.id, $0.state) })
        #expect(Set(states.values).isSubset(of: [.queued, .running, .done]))
        #expect(queued.isSubset(of: states.keys), "a job was lost, round \(round), seed \(random.seed)")
        #expect(done.allSatisfy { states[$0] == .done }, "an end was lost, round \(round), seed \(random.seed)")
    }
    #expect(done.count > 50 && queued.count > done.count)
}
