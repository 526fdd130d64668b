/* Winograd convolution for AVX2 and FMA: eight channels a vector, matrix products in tiles of 6 by 16. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "../levels.h"
#include "../rows.h"
#include "../winograd.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#include "vector.h"

#define V __m256
enum { LANES = 8, TILE = 6 };
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define ADD _mm256_add_ps
#define SUB _mm256_sub_ps
#define FMA _mm256_fmadd_ps
#define FNMA _mm256_fnmadd_ps
#define SET1 _mm256_set1_ps
#define ACTIVATE ck_avx2_activate

#define EACH_PIXEL(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)

/* `pixels` (a constant) rows of `in` by one block of 16 columns of weights. */
CK_INLINE void multiply_tile(const int pixels, const ck_conv *g, const float *in, const float *w, float *out) {
    const ptrdiff_t inputs = g->in_channels, outputs = g->out_channels;
#define START(p) __m256 a##p = _mm256_setzero_ps(), b##p = a##p;
    EACH_PIXEL(START)
#undef START
    for (ptrdiff_t k = 0; k < inputs; k++, w += 16) {
        const __m256 wa = _mm256_loadu_ps(w), wb = _mm256_loadu_ps(w + 8);
#define MULTIPLY(p) \
    if (p < pixels) { \
        const __m256 value = _mm256_broadcast_ss(in + p * inputs + k); \
        a##p = _mm256_fmadd_ps(value, wa, a##p); \
        b##p = _mm256_fmadd_ps(value, wb, b##p); \
    }
        EACH_PIXEL(MULTIPLY)
#undef MULTIPLY
    }
#define KEEP(p) \
    if (p < pixels) { \
        _mm256_storeu_ps(out + p * outputs, a##p); \
        _mm256_storeu_ps(out + p * outputs + 8, b##p); \
    }
    EACH_PIXEL(KEEP)
#undef KEEP
}

/* out[t][o] = sum over i of in[t][i] * w[o/16][i][o%16]. Tiles as even as they can be: 20 rows are four fives. */
static void multiply(const ck_conv *g, int32_t count, const float *in, const float *w, float *out) {
    const int32_t parts = (count + TILE - 1) / TILE;
    for (int32_t o = 0; o < g->out_channels; o += 16, w += (ptrdiff_t)16 * g->in_channels) {
        for (int32_t part = 0, t = 0; part < parts; part++) {
            const int32_t size = (count - t) / (parts - part);
            const float *rows = in + (ptrdiff_t)t * g->in_channels;
            float *sums = out + (ptrdiff_t)t * g->out_channels + o;
            switch (size) {
                case 6: multiply_tile(6, g, rows, w, sums); break;
                case 5: multiply_tile(5, g, rows, w, sums); break;
                case 4: multiply_tile(4, g, rows, w, sums); break;
                case 3: multiply_tile(3, g, rows, w, sums); break;
                case 2: multiply_tile(2, g, rows, w, sums); break;
                case 1: multiply_tile(1, g, rows, w, sums); break;
            }
            t += size;
        }
    }
}

#include "../winograd_tiles.h"

void ck_avx2_winograd(const ck_conv *g, const float *src, const float *packed, const float *residual, float *dst,
                      float *scratch, int32_t first_row, int32_t end_row) {
    ck_check_winograd(g);
    ck_check_range(g->images, g->out_height, first_row, end_row);
    winograd(g, src, packed, residual, dst, scratch, first_row, end_row);
}

#pragma clang attribute pop

#endif
