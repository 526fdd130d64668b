import Intake
import Testing

@Suite struct SettlingTests {
    private let start = ContinuousClock.now
    private let path = bytes("a.mp4")

    private func print(_ size: Int64, mtime: Int64 = 1, inode: UInt64 = 7) -> Fingerprint {
        Fingerprint(sizeBytes: size, mtimeNanoseconds: mtime, inode: inode)
    }

    @Test func `a file is still after the quiet time, not before`() {
        var settling = Settling(quiet: .seconds(5))
        let due = start + .seconds(5)
        #expect(settling.observe(path, print(1), at: start) == .waiting(.newlySeen, until: due))
        #expect(settling.nextDue == due)
        #expect(settling.observe(path, print(1), at: due - .nanoseconds(1)) == .waiting(.newlySeen, until: due))
        #expect(settling.observe(path, print(1), at: due) == .still)
    }

    @Test func `growth and every other change begin the quiet time again`() {
        var settling = Settling(quiet: .seconds(5))
        _ = settling.observe(path, print(10), at: start)
        var now = start
        let steps: [(Fingerprint, WaitReason)] = [
            (print(11), .stillGrowing), (print(11, mtime: 2), .stillChanging), (print(3, mtime: 2), .stillChanging),
            (print(3, mtime: 2, inode: 8), .stillChanging), (print(90, mtime: 2, inode: 9), .stillChanging),
        ]
        for (fingerprint, reason) in steps {
            now += .seconds(4)
            #expect(settling.observe(path, fingerprint, at: now) == .waiting(reason, until: now + .seconds(5)))
        }
        #expect(settling.observe(path, print(90, mtime: 2, inode: 9), at: now + .seconds(5)) == .still)
    }

    @Test func `a file that a writer holds is asked about again later`() {
        var settling = Settling(quiet: .milliseconds(200))
        _ = settling.observe(path, print(1), at: start)
        let now = start + .seconds(1)
        #expect(settling.observe(path, print(1), at: now) == .still)
        #expect(
            settling.hold(path, pid: 42, at: now) == .waiting(.openForWriting(pid: 42), until: now + .seconds(1)))
        #expect(settling.nextDue == now + .seconds(1))
        #expect(settling.observe(path, print(1), at: now + .seconds(1)) == .still)
        settling.release(path)
        #expect(settling.observe(path, print(1), at: now + .seconds(2)) == .ready)
        #expect(settling.nextDue == nil)
    }

    @Test func `a ready file that changes waits again`() {
        var settling = Settling(quiet: .seconds(1))
        _ = settling.observe(path, print(1), at: start)
        settling.release(path)
        let now = start + .seconds(9)
        #expect(settling.observe(path, print(2), at: now) == .waiting(.stillGrowing, until: now + .seconds(1)))
    }

    @Test func `a forgotten file begins anew`() {
        var settling = Settling(quiet: .seconds(1))
        _ = settling.observe(path, print(1), at: start)
        settling.forget(path)
        #expect(settling.paths.isEmpty)
        let now = start + .seconds(9)
        #expect(settling.observe(path, print(1), at: now) == .waiting(.newlySeen, until: now + .seconds(1)))
    }

    @Test func `without a quiet time a file is still at once`() {
        var settling = Settling(quiet: .zero)
        #expect(settling.observe(path, print(1), at: start) == .still)
    }

    @Test func `every reason is a text of its own`() {
        let reasons: [WaitReason] = [
            .newlySeen, .stillGrowing, .stillChanging, .openForWriting(pid: 4), .openForWriting(pid: nil),
        ]
        #expect(Set(reasons.map(\.description)).count == reasons.count)
        #expect("\(WaitReason.openForWriting(pid: 4))" == "open for writing by pid 4")
    }
}
