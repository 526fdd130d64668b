// Which set of kernels a session runs: a value that is chosen once and passed in.

import CKernels

package enum KernelLevel: Int, CaseIterable, Sendable, CustomStringConvertible {
    case scalar, avx2, avx512

    /// As `--cpu-level` spells it.
    package var name: String { String(cString: ck_level_name(raw)) }
    package var description: String { name }

    /// All that this CPU and its operating system can run, lowest first.
    package static var onThisCPU: [KernelLevel] { allCases.filter { $0.obstacle == nil } }

    /// The CPU's own name.
    package static var cpuName: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let start = buffer.baseAddress else { return "unknown CPU" }
            ck_cpu_name(start, buffer.count)
            return String(cString: start)
        }
    }

    package struct Choice: Sendable {
        package let level: KernelLevel
        /// The higher levels, and why they were not taken.
        package let passedOver: [(level: KernelLevel, reason: String)]
    }

    /// The highest level that the CPU has and that its tests have proved, not above `limit`.
    package static func best(upTo limit: KernelLevel? = nil) -> Choice {
        var passedOver: [(level: KernelLevel, reason: String)] = []
        for level in allCases.reversed() {
            if let limit, level.rawValue > limit.rawValue {
                passedOver.append((level, "above the level asked for, \(limit)"))
            } else if let reason = level.obstacle ?? level.doubt {
                passedOver.append((level, reason))
            } else {
                return Choice(level: level, passedOver: passedOver)
            }
        }
        return Choice(level: .scalar, passedOver: passedOver)
    }

    /// The level of that name, whether or not it is proved, if the CPU has it.
    package static func named(_ name: String) throws(InferenceError) -> KernelLevel {
        guard let level = allCases.first(where: { $0.name == name }) else {
            throw .unknownLevel(name: name, known: allCases.map(\.name))
        }
        if let reason = level.obstacle { throw .levelMissing(name: name, reason: reason) }
        return level
    }

    var kernels: ck_kernels { ck_kernels_at(raw).pointee }

    private var raw: ck_level {
        switch self {
        case .scalar: CK_LEVEL_SCALAR
        case .avx2: CK_LEVEL_AVX2
        case .avx512: CK_LEVEL_AVX512
        }
    }

    /// What the CPU lacks for this level; nil if nothing.
    package var obstacle: String? {
        var reason: UnsafePointer<CChar>?
        if ck_level_supported(raw, ck_detect_cpu(), &reason) { return nil }
        return reason.map { String(cString: $0) } ?? "the CPU lacks it"
    }

    /// Why the automatic choice passes over it; nil if it does not.
    private var doubt: String? {
        var reason: UnsafePointer<CChar>?
        if ck_level_verified(raw, &reason) { return nil }
        return reason.map { String(cString: $0) } ?? "its tests have not been run"
    }
}
