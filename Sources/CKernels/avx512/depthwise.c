/* Depthwise convolution for AVX-512: 8 pixels of a row by 16 channels at a time, always masked (a full
 * mask costs nothing). */
#if defined(__x86_64__)

#include <immintrin.h>

#include "../levels.h"
#include "../rows.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))), \
                             apply_to = function)

#include "vector.h"

enum { TILE = 8, BLOCK = 16 };

#define EACH_PIXEL(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

/* `pixels` is a constant wherever this is called. w: the block's bias, its taps follow, out_channels
 * apart. src, residual and dst are at the tile's first pixel and the block's first channel. */
CK_INLINE void tile(const int pixels, const ck_conv *g, __mmask16 mask, const float *w, const float *src,
                    const float *residual, float *dst) {
    const ptrdiff_t step = g->src.pixel * g->stride_x;
    const __m512 bias = _mm512_maskz_loadu_ps(mask, w);
#define START(p) __m512 sum##p = bias;
    EACH_PIXEL(START)
#undef START
    for (int32_t ky = 0; ky < g->kernel_height; ky++) {
        const float *tap = src + ky * g->dilation_y * g->src.row;
        for (int32_t kx = 0; kx < g->kernel_width; kx++, tap += g->dilation_x * g->src.pixel) {
            w += g->out_channels;
            const __m512 weight = _mm512_maskz_loadu_ps(mask, w);
#define MULTIPLY(p) \
    if (p < pixels) sum##p = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, tap + p * step), weight, sum##p);
            EACH_PIXEL(MULTIPLY)
#undef MULTIPLY
        }
    }
#define STORE(p) \
    if (p < pixels) { \
        __m512 add = _mm512_setzero_ps(); \
        if (residual) add = _mm512_maskz_loadu_ps(mask, residual + p * g->residual.pixel); \
        if (residual && !g->residual_last) sum##p = _mm512_add_ps(sum##p, add); \
        sum##p = ck_avx512_activate(sum##p, g->activation); \
        if (residual && g->residual_last) sum##p = _mm512_add_ps(sum##p, add); \
        _mm512_mask_storeu_ps(dst + p * g->dst.pixel, mask, sum##p); \
    }
    EACH_PIXEL(STORE)
#undef STORE
}

static void block_over_row(const ck_conv *g, __mmask16 mask, const float *w, const float *src,
                           const float *residual, float *dst) {
    const ptrdiff_t step = g->src.pixel * g->stride_x;
    int32_t x = 0;
#define AT(x) src + (x) * step, residual ? residual + (x) * g->residual.pixel : NULL, dst + (x) * g->dst.pixel
    for (; x + TILE <= g->out_width; x += TILE) tile(TILE, g, mask, w, AT(x));
    for (; x + 2 <= g->out_width; x += 2) tile(2, g, mask, w, AT(x));
    for (; x < g->out_width; x++) tile(1, g, mask, w, AT(x));
#undef AT
}

void ck_avx512_depthwise(const ck_conv *g, const float *src, const float *packed, const float *residual,
                         float *dst, int32_t first_row, int32_t end_row) {
    ck_check_depthwise(g);
    ck_check_range(g->images, g->out_height, first_row, end_row);
    const ck_strides step = {g->src.image, g->src.row * g->stride_y, g->src.pixel * g->stride_x};
    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + ck_row_offset(step, g->out_height, row);
        float *out = dst + ck_row_offset(g->dst, g->out_height, row);
        const float *add = residual ? residual + ck_residual_offset(g, row) : NULL;
        for (int32_t c = 0; c < g->out_channels; c += BLOCK) {
            const __mmask16 mask = ck_avx512_mask(g->out_channels - c);
            block_over_row(g, mask, packed + c, in + c, add ? add + c : NULL, out + c);
        }
    }
}

#pragma clang attribute pop

#endif
