import Intake
import Testing

@Suite struct RootMemoryTests {
    private func found(_ device: UInt64, isEmpty: Bool = false, seesExpected: Bool = true) -> RootMemory.Observation {
        .found(device: device, isEmpty: isEmpty, seesExpected: seesExpected)
    }

    @Test func `a folder with its files is present`() {
        var memory = RootMemory()
        #expect(memory.judge(found(1, isEmpty: true, seesExpected: false), expected: 0) == .present)
        #expect(memory.judge(found(1), expected: 3) == .present)
        #expect(memory.knownDevice == 1)
    }

    @Test func `a missing folder has vanished, and comes back`() {
        var memory = RootMemory()
        _ = memory.judge(found(1), expected: 3)
        let state = memory.judge(.missing("No such file"), expected: 3)
        #expect("\(state)".contains("No such file"))
        #expect(!state.isPresent)
        #expect(memory.judge(found(1), expected: 3) == .present)
    }

    @Test func `an empty folder that had files has vanished`() {
        var memory = RootMemory()
        #expect(!memory.judge(found(1, isEmpty: true, seesExpected: false), expected: 1).isPresent)
        #expect(memory.judge(found(1, seesExpected: false), expected: 1) == .present, "a new file clears it")
    }

    @Test func `another device has vanished unless the files are the same`() {
        var memory = RootMemory()
        _ = memory.judge(found(1), expected: 3)
        #expect(!memory.judge(found(2, seesExpected: false), expected: 3).isPresent)
        #expect(memory.knownDevice == 1)
        #expect(memory.judge(found(3), expected: 3) == .present, "mounted again under another number")
        #expect(memory.knownDevice == 3)
        #expect(memory.judge(found(4, seesExpected: false), expected: 0) == .present, "nothing to lose")
    }
}
