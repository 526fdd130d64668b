/* Softmax for AVX2: the exponentials 8 channels at a time. */
#if defined(__x86_64__)

#include <immintrin.h>
#include <math.h>

#include "../levels.h"
#include "../rows.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#include "vector.h"

static float largest(const float *in, int32_t channels) {
    float top = in[0];
    for (int32_t c = 1; c < channels; c++) top = in[c] > top ? in[c] : top;
    return top;
}

/* Lanes are added in a fixed order, so that the result depends on the channels alone. */
static float sum_of_lanes(__m256 v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

void ck_avx2_softmax(const ck_map *g, const float *src, float *dst, int32_t first_row, int32_t end_row) {
    ck_check_range(g->images, g->height, first_row, end_row);
    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + ck_row_offset(g->src, g->height, row);
        float *out = dst + ck_row_offset(g->dst, g->height, row);
        for (int32_t x = 0; x < g->width; x++, in += g->src.pixel, out += g->dst.pixel) {
            const __m256 top = _mm256_set1_ps(largest(in, g->channels));
            __m256 sum = _mm256_setzero_ps();
            for (int32_t c = 0; c < g->channels; c += 8) {
                const __m256i mask = ck_avx2_mask(g->channels - c);
                __m256 e = ck_avx2_exp(_mm256_sub_ps(_mm256_maskload_ps(in + c, mask), top));
                e = _mm256_and_ps(e, _mm256_castsi256_ps(mask)); /* lanes past the end count nothing */
                sum = _mm256_add_ps(sum, e);
                _mm256_maskstore_ps(out + c, mask, e);
            }
            const __m256 total = _mm256_set1_ps(sum_of_lanes(sum));
            for (int32_t c = 0; c < g->channels; c += 8) {
                const __m256i mask = ck_avx2_mask(g->channels - c);
                const __m256 e = _mm256_maskload_ps(out + c, mask);
                _mm256_maskstore_ps(out + c, mask, _mm256_div_ps(e, total));
            }
        }
    }
}

#pragma clang attribute pop

#endif
