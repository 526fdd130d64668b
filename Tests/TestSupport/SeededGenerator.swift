// Randomness that can be repeated: every test draws from a seed that it prints when it fails.

import Foundation

/// SplitMix64 (Steele, Lea and Flood 2014): small, fast, and the same everywhere.
package struct SeededGenerator: RandomNumberGenerator {
    /// What the generator was made from; name it in a failure message.
    package let seed: UInt64
    private var state: UInt64

    package init(_ seed: UInt64) {
        self.seed = seed
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The seed of this run: `EMOTIOND_TEST_SEED` where it is set, else the same for everybody.
package enum TestSeed {
    package static var current: UInt64 {
        ProcessInfo.processInfo.environment["EMOTIOND_TEST_SEED"].flatMap { UInt64($0) } ?? 20_261_125
    }
}
