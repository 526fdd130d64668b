import Core
import Testing

@Suite struct BoxTests {
    private func randomBox() -> Box {
        Box(
            x: .random(in: -50...50), y: .random(in: -50...50), width: .random(in: 0...60), height: .random(in: 0...60))
    }

    @Test func `overlap is symmetric and within 0 and 1`() {
        for _ in 0..<1000 {
            let a = randomBox(), b = randomBox()
            #expect(a.overlap(with: b) == b.overlap(with: a), "\(a) \(b)")
            #expect((0...1).contains(a.overlap(with: b)), "\(a) \(b)")
        }
    }

    @Test func `a box overlaps itself wholly, its shifted copy by a third and an empty box not at all`() {
        let box = Box(x: 3, y: 4, width: 10, height: 20)
        #expect(box.overlap(with: box) == 1)
        #expect(abs(box.overlap(with: Box(x: 8, y: 4, width: 10, height: 20)) - 1 / 3) < 1e-6)
        #expect(box.overlap(with: Box(x: 5, y: 5, width: 0, height: 9)) == 0)
    }
}

@Suite struct ProbabilitiesTests {
    @Test func `softmax sums to one and does not overflow`() {
        let values = Probabilities(logits: [1000, 999, -1000], exponential: { _ in 1 }).values
        #expect(values.reduce(0, +) == 1)
    }

    @Test func `the first of equal probabilities is the largest`() {
        let largest = Probabilities([0.2, 0.4, 0.4]).largest
        #expect(largest.index == 1 && largest.value == 0.4)
    }
}
