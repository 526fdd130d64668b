import Core
import Pipeline
import Testing

@Suite struct FrameSelectorTests {
    /// Indices of the frames analysed of a video with a frame every `step` microseconds.
    private func chosen(_ selector: FrameSelector, frames: Int, step: Double) -> [Int] {
        var selector = selector
        var indices: [Int] = []
        for i in 0..<frames where selector.wants(Timestamp(microseconds: Int64((Double(i) * step).rounded()))) {
            indices.append(i)
        }
        return indices
    }

    @Test func `without options every frame is analysed`() {
        let all = FrameSelector(every: 1, framesPerSecond: nil)
        #expect(chosen(all, frames: 10, step: 40_000) == Array(0..<10))
    }

    @Test func `every n counts from the first frame`() {
        let third = FrameSelector(every: 3, framesPerSecond: nil)
        #expect(chosen(third, frames: 10, step: 40_000) == [0, 3, 6, 9])
    }

    @Test(arguments: [(30_000.0 / 1001, 9.99, 3), (25.0, 5.0, 5), (60.0, 30.0, 2), (24_000.0 / 1001, 1.0, 24)])
    func `fps thins evenly`(rate: Double, wanted: Double, ratio: Int) {
        let selector = FrameSelector(every: 1, framesPerSecond: wanted)
        let indices = chosen(selector, frames: 600, step: 1_000_000 / rate)
        let steps = Set(zip(indices, indices.dropFirst()).map { $1 - $0 })
        #expect(steps.isSubset(of: [ratio, ratio - 1, ratio + 1]), "\(steps)")
        #expect(abs(Double(indices.count) - 600 / rate * wanted) <= 1.5)
    }

    @Test func `fps above the source's rate takes every frame`() {
        let selector = FrameSelector(every: 1, framesPerSecond: 1000)
        #expect(chosen(selector, frames: 50, step: 40_000) == Array(0..<50))
    }

    @Test func `after a gap thinning goes on from there`() {
        var selector = FrameSelector(every: 1, framesPerSecond: 1)
        let times: [Int64] = [0, 500_000, 10_000_000, 10_040_000, 11_000_000]
        let taken = times.filter { selector.wants(Timestamp(microseconds: $0)) }
        #expect(taken == [0, 10_000_000, 11_000_000])
    }
}
