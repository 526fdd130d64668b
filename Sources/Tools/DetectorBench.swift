// `emotiond bench --detector`: how long a face detector takes for a picture on this machine, decoding of its answers
// and suppression included.

import Core
import Faces
import Glibc
import Inference
package import Pipeline

package struct DetectorBench: Sendable, Encodable {
    package struct Layer: Sendable, Encodable {
        package let name: String
        package let ms: Double
        package let mmac: Double
    }

    package let detector: String
    package let model: String
    package let runtime: String
    package let level: String
    package let cpu: String
    package let width: Int
    package let height: Int
    package let threads = 1
    package let faces: Int
    /// Medians and best over the repeats, CPU time of the thread.
    package let cpuMs: Double
    package let cpuMsMin: Double
    package let wallMs: Double
    package let layers: [Layer]?

    /// One thread, seeded noise as picture: the network's time does not depend on the pixels.
    package init(
        installation: Installation, size: (width: Int, height: Int), repeats: Int, layers: Bool
    ) throws {
        let choice = try installation.detector(), detector = choice.detector
        var state: UInt64 = 1
        let pixels = (0..<size.width * size.height).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
        var wall: [Double] = [], cpu: [Double] = [], found = 0
        try pixels.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let luma = ImageView(base: base, width: size.width, height: size.height, strideBytes: size.width)
            for round in 0..<(repeats + 3) {
                let start = BenchClock.wall(), cpuStart = BenchClock.cpu()
                found = try detector.detect(luma).count
                // The first rounds make the plan, fill caches and raise the clock.
                guard round >= 3 else { continue }
                wall.append((BenchClock.wall() - start) * 1e3)
                cpu.append((BenchClock.cpu() - cpuStart) * 1e3)
            }
        }
        self.detector = detector.name
        model = choice.path
        runtime = choice.engine == .native ? "emotiond" : "opencv \(OpenCV.version)"
        level = choice.engine == .native ? installation.level.name : "opencv"
        self.cpu = KernelLevel.cpuName
        (width, height, faces) = (size.width, size.height, found)
        cpuMs = median(cpu) ?? 0
        cpuMsMin = cpu.min() ?? 0
        wallMs = median(wall) ?? 0
        self.layers = layers ? Self.layers(of: detector, repeats: repeats) : nil
    }

    private static func layers(of detector: any FaceDetector, repeats: Int) -> [Layer]? {
        guard let engine = (detector as? OwnDetector)?.engine as? any ProfiledEngine else { return nil }
        return engine.callTimes(repeats: repeats, clock: BenchClock.cpu).map {
            Layer(name: $0.name, ms: $0.seconds * 1e3, mmac: Double($0.multiplications) / 1e6)
        }
    }
}

enum BenchClock {
    static func wall() -> Double { now(CLOCK_MONOTONIC) }
    /// Of this thread.
    static func cpu() -> Double { now(CLOCK_THREAD_CPUTIME_ID) }

    private static func now(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
