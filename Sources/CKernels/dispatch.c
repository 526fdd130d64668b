/* Levels: their names, who can run them, and their tables. */
#include "ck_kernels.h"
#include "levels.h"

const char *ck_level_name(ck_level level) {
    switch (level) {
        case CK_LEVEL_SCALAR: return "scalar";
        case CK_LEVEL_AVX2: return "avx2";
        case CK_LEVEL_AVX512: return "avx512";
    }
    return "unknown";
}

static bool answer(bool yes, const char *why_not, const char **reason) {
    if (reason) *reason = yes ? NULL : why_not;
    return yes;
}

bool ck_level_supported(ck_level level, ck_cpu_features features, const char **reason) {
    switch (level) {
        case CK_LEVEL_SCALAR:
            return answer(true, NULL, reason);
        case CK_LEVEL_AVX2:
            return answer(features.avx2_fma, "the CPU or the system lacks AVX2 or FMA", reason);
        case CK_LEVEL_AVX512:
            return answer(features.avx512, "the CPU or the system lacks AVX-512 F, BW, VL or DQ", reason);
    }
    return answer(false, "there is no such level", reason);
}

bool ck_level_verified(ck_level level, const char **reason) {
    switch (level) {
        case CK_LEVEL_SCALAR:
        case CK_LEVEL_AVX2:
            return answer(true, NULL, reason);
        case CK_LEVEL_AVX512:
            return answer(false, "compiled, its tests have not yet run on a host that has it", reason);
    }
    return answer(false, "there is no such level", reason);
}

ck_level ck_best_level(ck_cpu_features features) {
    for (int level = CK_LEVEL_COUNT - 1; level > CK_LEVEL_SCALAR; level--) {
        if (ck_level_supported((ck_level)level, features, NULL) && ck_level_verified((ck_level)level, NULL))
            return (ck_level)level;
    }
    return CK_LEVEL_SCALAR;
}

static const ck_kernels scalar = {
    .level = CK_LEVEL_SCALAR,
    .conv = {ck_scalar_conv_packed_count, ck_scalar_conv_pack, ck_scalar_conv},
    .winograd = {ck_winograd_packed_count, ck_winograd_scratch_count, ck_winograd_pack, ck_scalar_winograd},
    .depthwise = {ck_scalar_depthwise_packed_count, ck_scalar_depthwise_pack, ck_scalar_depthwise},
    .max_pool = ck_scalar_max_pool,
    .average_pool = ck_scalar_average_pool,
    .binary = ck_scalar_binary,
    .scale_shift = ck_scalar_scale_shift,
    .softmax = ck_scalar_softmax,
    .copy = ck_scalar_copy,
    .upsample = ck_scalar_upsample,
    .normalize = ck_scalar_normalize,
};

#if defined(__x86_64__)
static const ck_kernels avx2 = {
    .level = CK_LEVEL_AVX2,
    .conv = {ck_blocked_conv_packed_count, ck_blocked_conv_pack, ck_avx2_conv},
    .winograd = {ck_winograd_packed_count, ck_winograd_scratch_count, ck_winograd_pack, ck_avx2_winograd},
    .depthwise = {ck_scalar_depthwise_packed_count, ck_scalar_depthwise_pack, ck_avx2_depthwise},
    .max_pool = ck_avx2_max_pool,
    .average_pool = ck_avx2_average_pool,
    .binary = ck_avx2_binary,
    .scale_shift = ck_avx2_scale_shift,
    .softmax = ck_avx2_softmax,
    .copy = ck_scalar_copy,
    .upsample = ck_scalar_upsample,
    .normalize = ck_avx2_normalize,
};

static const ck_kernels avx512 = {
    .level = CK_LEVEL_AVX512,
    .conv = {ck_blocked_conv_packed_count, ck_blocked_conv_pack, ck_avx512_conv},
    .winograd = {ck_winograd_packed_count, ck_winograd_scratch_count, ck_winograd_pack, ck_avx512_winograd},
    .depthwise = {ck_scalar_depthwise_packed_count, ck_scalar_depthwise_pack, ck_avx512_depthwise},
    .max_pool = ck_avx2_max_pool,
    .average_pool = ck_avx2_average_pool,
    .binary = ck_avx2_binary,
    .scale_shift = ck_avx2_scale_shift,
    .softmax = ck_avx2_softmax,
    .copy = ck_scalar_copy,
    .upsample = ck_scalar_upsample,
    .normalize = ck_avx2_normalize,
};
#endif

const ck_kernels *ck_kernels_at(ck_level level) {
#if defined(__x86_64__)
    if (level == CK_LEVEL_AVX2) return &avx2;
    if (level == CK_LEVEL_AVX512) return &avx512;
#endif
    (void)level;
    return &scalar;
}
