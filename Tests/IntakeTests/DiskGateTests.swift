import Intake
import Testing

@Suite struct DiskGateTests {
    @Test func `intake pauses below one mark and goes on at the other`() {
        var gate = DiskGate(pauseBelow: 100, resumeAbove: 150)
        let steps: [(UInt64, DiskGate.Change?)] = [
            (500, nil), (100, nil), (99, .paused(available: 99)), (50, nil), (149, nil),
            (150, .resumed(available: 150)),
            (120, nil), (0, .paused(available: 0)),
        ]
        for (available, change) in steps { #expect(gate.update(available: available) == change, "\(available)") }
        #expect(!gate.isOpen)
    }

    @Test func `marks the wrong way round do not flutter`() {
        var gate = DiskGate(pauseBelow: 100, resumeAbove: 10)
        #expect(gate.resumeAbove == 100)
        #expect(gate.update(available: 50) == .paused(available: 50))
        #expect(gate.update(available: 50) == nil)
    }

    @Test func `a write that met a full disk closes it until there is room`() {
        var gate = DiskGate(pauseBelow: 100, resumeAbove: 150)
        gate.close()
        #expect(gate.update(available: 120) == nil)
        #expect(gate.update(available: 151) == .resumed(available: 151))
    }

    @Test func `the fullest file system counts`() throws {
        let room: [[UInt8]: UInt64] = [bytes("/a"): 70, bytes("/b"): 30]
        #expect(try DiskGate.available(at: [bytes("/a"), bytes("/b")]) { room[$0] ?? 0 } == 30)
        #expect(try DiskGate.available(at: [bytes("/tmp")]) > 0)
        let error = try #require(throws: IntakeError.self) { try DiskGate.measure(bytes("/missing")) }
        #expect("\(error)".contains("/missing"))
    }
}
