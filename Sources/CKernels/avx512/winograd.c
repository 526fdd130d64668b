/* Winograd convolution for AVX-512: sixteen channels a vector, matrix products in tiles of 12 by 16. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "../levels.h"
#include "../rows.h"
#include "../winograd.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))), \
                             apply_to = function)

#include "vector.h"

#define V __m512
enum { LANES = 16, TILE = 12 };
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define ADD _mm512_add_ps
#define SUB _mm512_sub_ps
#define FMA _mm512_fmadd_ps
#define FNMA _mm512_fnmadd_ps
#define SET1 _mm512_set1_ps
#define ACTIVATE ck_avx512_activate

#define EACH_PIXEL(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

/* `pixels` (a constant) rows of `in` by one block of 16 columns of weights. */
CK_INLINE void multiply_tile(const int pixels, const ck_conv *g, const float *in, const float *w, float *out) {
    const ptrdiff_t inputs = g->in_channels, outputs = g->out_channels;
#define START(p) __m512 sum##p = _mm512_setzero_ps();
    EACH_PIXEL(START)
#undef START
    for (ptrdiff_t k = 0; k < inputs; k++, w += 16) {
        const __m512 weights = _mm512_loadu_ps(w);
#define MULTIPLY(p) if (p < pixels) sum##p = _mm512_fmadd_ps(_mm512_set1_ps(in[p * inputs + k]), weights, sum##p);
        EACH_PIXEL(MULTIPLY)
#undef MULTIPLY
    }
#define KEEP(p) if (p < pixels) _mm512_storeu_ps(out + p * outputs, sum##p);
    EACH_PIXEL(KEEP)
#undef KEEP
}

/* out[t][o] = sum over i of in[t][i] * w[o/16][i][o%16] */
static void multiply(const ck_conv *g, int32_t count, const float *in, const float *w, float *out) {
    for (int32_t o = 0; o < g->out_channels; o += 16, w += (ptrdiff_t)16 * g->in_channels) {
        int32_t t = 0;
#define AT(t) g, in + (ptrdiff_t)(t) * g->in_channels, w, out + (ptrdiff_t)(t) * g->out_channels + o
        for (; t + TILE <= count; t += TILE) multiply_tile(TILE, AT(t));
        for (; t + 4 <= count; t += 4) multiply_tile(4, AT(t));
        for (; t < count; t++) multiply_tile(1, AT(t));
#undef AT
    }
}

#include "../winograd_tiles.h"

void ck_avx512_winograd(const ck_conv *g, const float *src, const float *packed, const float *residual, float *dst,
                        float *scratch, int32_t first_row, int32_t end_row) {
    ck_check_winograd(g);
    ck_check_range(g->images, g->out_height, first_row, end_row);
    winograd(g, src, packed, residual, dst, scratch, first_row, end_row);
}

#pragma clang attribute pop

#endif
