// Which level a CPU gets, and why it does not get a better one.

import CKernels
import Testing

@Suite struct LevelTests {
    private func reason(_ ask: (UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Bool) -> (Bool, String?) {
        var text: UnsafePointer<CChar>?
        let yes = ask(&text)
        return (yes, text.map { String(cString: $0) })
    }

    @Test(
        .enabled(
            if: KernelLevel(level: CK_LEVEL_AVX2).isOnThisCPU, "this CPU has no AVX2: its kernels were not run"))
    func `AVX2 is among the levels that these tests run`() {
        #expect(KernelLevel.onThisCPU.contains { $0.level == CK_LEVEL_AVX2 })
    }

    @Test(
        .enabled(
            if: KernelLevel(level: CK_LEVEL_AVX512).isOnThisCPU, "this CPU has no AVX-512: its kernels were not run"))
    func `AVX-512 is among the levels that these tests run`() {
        #expect(KernelLevel.onThisCPU.contains { $0.level == CK_LEVEL_AVX512 })
    }

    @Test func `a CPU without extensions gets scalar, and each level says what is missing`() {
        let bare = ck_cpu_features()
        #expect(ck_best_level(bare) == CK_LEVEL_SCALAR)
        #expect(reason { ck_level_supported(CK_LEVEL_SCALAR, bare, $0) } == (true, nil))
        for level in [CK_LEVEL_AVX2, CK_LEVEL_AVX512] {
            let (yes, text) = reason { ck_level_supported(level, bare, $0) }
            #expect(!yes && text?.contains("lacks AVX") == true)
        }
    }

    @Test func `the choice passes over a level whose tests have not run`() {
        var features = ck_cpu_features()
        features.avx2_fma = true
        #expect(ck_best_level(features) == CK_LEVEL_AVX2)
        features.avx512 = true
        let (verified, text) = reason { ck_level_verified(CK_LEVEL_AVX512, $0) }
        #expect(ck_best_level(features) == (verified ? CK_LEVEL_AVX512 : CK_LEVEL_AVX2))
        #expect(verified == (text == nil))
    }

    @Test(arguments: KernelLevel.all)
    func `every level has a whole table and a name`(level: KernelLevel) {
        let k = level.kernels
        #expect(k.conv.run != nil && k.conv.pack != nil && k.conv.packed_count != nil)
        #expect(k.depthwise.run != nil && k.depthwise.pack != nil && k.depthwise.packed_count != nil)
        #expect(k.max_pool != nil && k.average_pool != nil && k.binary != nil && k.scale_shift != nil)
        #expect(k.softmax != nil && k.copy != nil && k.normalize != nil)
        #expect(k.level == level.level && ["scalar", "avx2", "avx512"].contains(level.description))
    }

    @Test func `the CPU's name fits any buffer and ends`() {
        for size in [1, 4, 64] {
            var name = [CChar](repeating: 0x7F, count: size)
            ck_cpu_name(&name, size)
            let end = name.firstIndex(of: 0)
            #expect(end != nil && (size < 64 || end != 0))
        }
    }

    @Test(.enabled(if: ck_detect_cpu().avx2_fma, "only x86-64 has the mode"))
    func `denormals vanish while they are off and come back`() {
        func half() -> Float {
            // Through a kernel, so that no compiler folds it.
            let one = ck_strides(image: 1, row: 1, pixel: 1)
            var g = ck_map(images: 1, height: 1, width: 1, channels: 1, src: one, dst: one)
            var x = Float.leastNormalMagnitude, scale: Float = 0.5, out: Float = 1
            KernelLevel.scalar.kernels.scale_shift(&g, &x, &scale, nil, .none, &out, 0, 1)
            return out
        }
        let previous = ck_denormals_off()
        let without = half().bitPattern
        ck_denormals_restore(previous)
        #expect(without == 0 && half().bitPattern == 0x0040_0000)
    }
}
