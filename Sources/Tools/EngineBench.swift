// `emotiond bench`: how fast the engine and the decoder are on this machine, for `make bench` to compare.

import Faces
import Foundation
import Inference
import Media
package import Pipeline

package struct EngineBench: Sendable, Encodable {
    package let model: String
    package let runtime = "emotiond"
    package let precision = "f32"
    package let level: String
    package let cpu: String
    package let batch: Int
    package let threads = 1
    /// Medians over the repeats; CPU time is that of the thread.
    package let msPerFace: Double
    package let msPerFaceMin: Double
    package let cpuMsPerFace: Double

    /// One thread, seeded noise as input: the time does not depend on the pixels.
    package init(installation: Installation, batch: Int, repeats: Int) throws {
        let engine = try installation.model.engine(
            installation.options.engine, level: installation.level, maximumBatch: batch)
        let count = batch * engine.inputChannels * engine.inputSide * engine.inputSide
        var state: UInt64 = 1
        let input = (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24) * 4 - 2
        }
        var wall: [Double] = []
        var cpu: [Double] = []
        for round in 0..<(repeats + 3) {
            let start = BenchClock.wall(), cpuStart = BenchClock.cpu()
            _ = try input.withUnsafeBufferPointer { try engine.run($0, batch: batch) }
            // The first rounds fill caches and raise the clock.
            guard round >= 3 else { continue }
            wall.append((BenchClock.wall() - start) * 1e3 / Double(batch))
            cpu.append((BenchClock.cpu() - cpuStart) * 1e3 / Double(batch))
        }
        model = installation.model.name
        level = installation.options.engine == .native ? installation.level.name : "opencv"
        self.cpu = KernelLevel.cpuName
        self.batch = batch
        msPerFace = median(wall) ?? 0
        msPerFaceMin = wall.min() ?? 0
        cpuMsPerFace = median(cpu) ?? 0
    }
}

package struct DecodeBench: Sendable, Encodable {
    package let frames: Int
    package let seconds: Double
    package let framesPerSecond: Double

    /// Reads and decodes everything, and does nothing with it.
    package init(path: [UInt8]) throws {
        let start = ContinuousClock.now
        let reader = try MediaReader(path: path, options: MediaOptions())
        var frames = 0
        while let frame = try reader.next() { frames += frame.width > 0 ? 1 : 0 }
        let spent = (ContinuousClock.now - start).components
        seconds = Double(spent.seconds) + Double(spent.attoseconds) * 1e-18
        self.frames = frames
        framesPerSecond = seconds > 0 ? Double(frames) / seconds : 0
    }
}
