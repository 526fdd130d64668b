/* Grey crops to tensor values for AVX2, where the pixels of the tensor lie without gaps. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "../levels.h"
#include "../rows.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

void ck_avx2_normalize(const ck_normalize *g, const uint8_t *src, float *dst, int32_t first_row,
                       int32_t end_row) {
    if (g->copies != 1 || g->dst.pixel != 1) {
        ck_scalar_normalize(g, src, dst, first_row, end_row);
        return;
    }
    ck_check_range(g->images, g->height, first_row, end_row);
    const ck_strides bytes = {g->src_image_bytes, g->src_row_bytes, 1};
    const __m256 mean = _mm256_set1_ps(g->mean), scale = _mm256_set1_ps(g->scale);
    for (int32_t row = first_row; row < end_row; row++) {
        const uint8_t *in = src + ck_row_offset(bytes, g->height, row);
        float *out = dst + ck_row_offset(g->dst, g->height, row);
        int32_t x = 0;
        for (; x + 8 <= g->width; x += 8) {
            const __m128i pixels = _mm_loadl_epi64((const __m128i *)(in + x));
            const __m256 values = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(pixels));
            _mm256_storeu_ps(out + x, _mm256_mul_ps(_mm256_sub_ps(values, mean), scale));
        }
        for (; x < g->width; x++) out[x] = ((float)in[x] - g->mean) * g->scale;
    }
}

#pragma clang attribute pop

#endif
