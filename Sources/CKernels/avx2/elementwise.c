/* Value by value for AVX2: 8 channels of a pixel at a time, the last ones masked. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "../levels.h"
#include "../rows.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#include "vector.h"

CK_INLINE __m256 apply(ck_binary_op op, __m256 a, __m256 b) {
    switch (op) {
        case CK_BINARY_ADD: return _mm256_add_ps(a, b);
        case CK_BINARY_SUBTRACT: return _mm256_sub_ps(a, b);
        case CK_BINARY_MULTIPLY: return _mm256_mul_ps(a, b);
        case CK_BINARY_DIVIDE: return _mm256_div_ps(a, b);
    }
    return a;
}

void ck_avx2_binary(const ck_binary *g, const float *a, const float *b, float *dst, int32_t first_row,
                    int32_t end_row) {
    ck_check_range(g->images, g->height, first_row, end_row);
    for (int32_t row = first_row; row < end_row; row++) {
        const float *left = a + ck_row_offset(g->a, g->height, row);
        const float *right = b + ck_row_offset(g->b, g->height, row);
        float *out = dst + ck_row_offset(g->dst, g->height, row);
        for (int32_t x = 0; x < g->width; x++, left += g->a.pixel, right += g->b.pixel, out += g->dst.pixel) {
            for (int32_t c = 0; c < g->channels; c += 8) {
                const bool whole = c + 8 <= g->channels;
                const __m256i mask = ck_avx2_mask(g->channels - c);
                const __m256 value = apply(g->op, ck_avx2_load(left + c, whole, mask),
                                           ck_avx2_load(right + c, whole, mask));
                ck_avx2_store(out + c, ck_avx2_activate(value, g->activation), whole, mask);
            }
        }
    }
}

/* One channel, pixels without gaps in dst: 8 of them are a vector. The lanes do what they do for 8 channels. */
static void one_channel(const float *in, ptrdiff_t step, int32_t width, const float *scale, const float *shift,
                        ck_activation activation, float *out) {
    for (int32_t x = 0; x < width; x += 8) {
        const int32_t count = ck_min(8, width - x);
        const __m256i mask = ck_avx2_mask(count);
        float lanes[8] = {0};
        for (int32_t i = 0; i < count; i++) lanes[i] = in[(x + i) * step];
        __m256 value = _mm256_loadu_ps(lanes);
        if (scale) value = _mm256_mul_ps(value, _mm256_broadcast_ss(scale));
        if (shift) value = _mm256_add_ps(value, _mm256_broadcast_ss(shift));
        ck_avx2_store(out + x, ck_avx2_activate(value, activation), count == 8, mask);
    }
}

void ck_avx2_scale_shift(const ck_map *g, const float *src, const float *scale, const float *shift,
                         ck_activation activation, float *dst, int32_t first_row, int32_t end_row) {
    ck_check_range(g->images, g->height, first_row, end_row);
    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + ck_row_offset(g->src, g->height, row);
        float *out = dst + ck_row_offset(g->dst, g->height, row);
        if (g->channels == 1 && g->dst.pixel == 1) {
            one_channel(in, g->src.pixel, g->width, scale, shift, activation, out);
            continue;
        }
        for (int32_t x = 0; x < g->width; x++, in += g->src.pixel, out += g->dst.pixel) {
            for (int32_t c = 0; c < g->channels; c += 8) {
                const bool whole = c + 8 <= g->channels;
                const __m256i mask = ck_avx2_mask(g->channels - c);
                __m256 value = ck_avx2_load(in + c, whole, mask);
                if (scale) value = _mm256_mul_ps(value, ck_avx2_load(scale + c, whole, mask));
                if (shift) value = _mm256_add_ps(value, ck_avx2_load(shift + c, whole, mask));
                ck_avx2_store(out + c, ck_avx2_activate(value, activation), whole, mask);
            }
        }
    }
}

#pragma clang attribute pop

#endif
