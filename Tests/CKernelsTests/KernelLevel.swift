// The levels under test.

import CKernels

struct KernelLevel: Sendable, CustomStringConvertible {
    let level: ck_level

    static let scalar = KernelLevel(level: CK_LEVEL_SCALAR)
    static let all = [CK_LEVEL_SCALAR, CK_LEVEL_AVX2, CK_LEVEL_AVX512].map(KernelLevel.init)
    static let onThisCPU = all.filter(\.isOnThisCPU)

    var isOnThisCPU: Bool { ck_level_supported(level, ck_detect_cpu(), nil) }
    var kernels: ck_kernels { ck_kernels_at(level).pointee }
    var description: String { String(cString: ck_level_name(level)) }
}
