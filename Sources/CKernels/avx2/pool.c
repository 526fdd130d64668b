/* Pools for AVX2: 8 channels of one output pixel at a time, in scalar's order. */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>

#include "../levels.h"
#include "../rows.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#include "vector.h"

CK_INLINE __m256 largest(const ck_pool *g, ck_window w, const float *src, bool whole, __m256i mask) {
    __m256 best = _mm256_set1_ps(-INFINITY);
    for (int32_t y = w.top; y < w.bottom; y++) {
        for (int32_t x = w.left; x < w.right; x++) {
            const float *pixel = src + y * g->src.row + x * g->src.pixel;
            /* max_ps returns its second operand where one is a NaN: a new NaN enters, an old one would
             * be lost without the blend. */
            const __m256 larger = _mm256_max_ps(best, ck_avx2_load(pixel, whole, mask));
            best = _mm256_blendv_ps(larger, best, _mm256_cmp_ps(best, best, _CMP_UNORD_Q));
        }
    }
    return best;
}

CK_INLINE __m256 mean(const ck_pool *g, ck_window w, const float *src, bool whole, __m256i mask) {
    __m256 sum = _mm256_setzero_ps();
    for (int32_t y = w.top; y < w.bottom; y++)
        for (int32_t x = w.left; x < w.right; x++)
            sum = _mm256_add_ps(sum, ck_avx2_load(src + y * g->src.row + x * g->src.pixel, whole, mask));
    return _mm256_div_ps(sum, _mm256_set1_ps(w.count));
}

/* `average` is a constant wherever this is called. */
CK_INLINE void pool(const bool average, const ck_pool *g, const float *src, float *dst, int32_t first_row,
                    int32_t end_row) {
    ck_check_range(g->images, g->out_height, first_row, end_row);
    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + row / g->out_height * g->src.image;
        float *out = dst + ck_row_offset(g->dst, g->out_height, row);
        for (int32_t x = 0; x < g->out_width; x++, out += g->dst.pixel) {
            const ck_window window = ck_pool_window(g, row % g->out_height, x);
            for (int32_t c = 0; c < g->channels; c += 8) {
                const bool whole = c + 8 <= g->channels;
                const __m256i mask = ck_avx2_mask(g->channels - c);
                const __m256 value = average ? mean(g, window, in + c, whole, mask)
                                             : largest(g, window, in + c, whole, mask);
                ck_avx2_store(out + c, value, whole, mask);
            }
        }
    }
}

void ck_avx2_max_pool(const ck_pool *g, const float *src, float *dst, int32_t first_row, int32_t end_row) {
    pool(false, g, src, dst, first_row, end_row);
}

void ck_avx2_average_pool(const ck_pool *g, const float *src, float *dst, int32_t first_row,
                          int32_t end_row) {
    pool(true, g, src, dst, first_row, end_row);
}

#pragma clang attribute pop

#endif
