/* Depthwise convolution for AVX2 and FMA: 4 pixels of a row by 16 channels at a time. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "../levels.h"
#include "../rows.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#include "vector.h"

enum { TILE = 4, BLOCK = 16 };

typedef struct {
    const ck_conv *geometry;
    const float *weights; /* the block's bias; its taps follow, out_channels apart */
    int32_t channels;     /* of this block, 1...16 */
    bool whole_a, whole_b;
    __m256i mask_a, mask_b;
} block_job;

static block_job block_at(const ck_conv *g, const float *packed, int32_t first_channel) {
    const int32_t channels = ck_min(BLOCK, g->out_channels - first_channel);
    block_job job = {g, packed + first_channel, channels, channels >= 8, channels == BLOCK,
                     ck_avx2_mask(channels), ck_avx2_mask(channels - 8)};
    return job;
}

#define EACH_PIXEL(DO) DO(0) DO(1) DO(2) DO(3)

/* `pixels` and `full` are constants wherever this is called. src, residual and dst are at the tile's first
 * pixel and the block's first channel. */
CK_INLINE void tile(const int pixels, const bool full, const block_job *job, const float *src,
                    const float *residual, float *dst) {
    const ck_conv *g = job->geometry;
    const bool whole_a = full || job->whole_a, whole_b = full || job->whole_b;
    const __m256i mask_a = job->mask_a, mask_b = job->mask_b;
    const ptrdiff_t step = g->src.pixel * g->stride_x;
    const float *w = job->weights;
    const __m256 bias_a = ck_avx2_load(w, whole_a, mask_a), bias_b = ck_avx2_load(w + 8, whole_b, mask_b);
#define START(p) __m256 a##p = bias_a, b##p = bias_b;
    EACH_PIXEL(START)
#undef START
    for (int32_t ky = 0; ky < g->kernel_height; ky++) {
        const float *tap = src + ky * g->dilation_y * g->src.row;
        for (int32_t kx = 0; kx < g->kernel_width; kx++, tap += g->dilation_x * g->src.pixel) {
            w += g->out_channels;
            const __m256 wa = ck_avx2_load(w, whole_a, mask_a), wb = ck_avx2_load(w + 8, whole_b, mask_b);
#define MULTIPLY(p) \
    if (p < pixels) { \
        a##p = _mm256_fmadd_ps(ck_avx2_load(tap + p * step, whole_a, mask_a), wa, a##p); \
        b##p = _mm256_fmadd_ps(ck_avx2_load(tap + p * step + 8, whole_b, mask_b), wb, b##p); \
    }
            EACH_PIXEL(MULTIPLY)
#undef MULTIPLY
        }
    }
#define STORE(p) \
    if (p < pixels) { \
        __m256 add_a = _mm256_setzero_ps(), add_b = _mm256_setzero_ps(); \
        if (residual) { \
            const float *add = residual + p * g->residual.pixel; \
            add_a = ck_avx2_load(add, whole_a, mask_a); \
            add_b = ck_avx2_load(add + 8, whole_b, mask_b); \
        } \
        if (residual && !g->residual_last) { \
            a##p = _mm256_add_ps(a##p, add_a); \
            b##p = _mm256_add_ps(b##p, add_b); \
        } \
        a##p = ck_avx2_activate(a##p, g->activation); \
        b##p = ck_avx2_activate(b##p, g->activation); \
        if (residual && g->residual_last) { \
            a##p = _mm256_add_ps(a##p, add_a); \
            b##p = _mm256_add_ps(b##p, add_b); \
        } \
        float *out = dst + p * g->dst.pixel; \
        ck_avx2_store(out, a##p, whole_a, mask_a); \
        ck_avx2_store(out + 8, b##p, whole_b, mask_b); \
    }
    EACH_PIXEL(STORE)
#undef STORE
}

CK_INLINE void block_over_row(const bool full, const block_job *job, const float *src, const float *residual,
                              float *dst) {
    const ck_conv *g = job->geometry;
    const ptrdiff_t step = g->src.pixel * g->stride_x;
    int32_t x = 0;
#define AT(x) src + (x) * step, residual ? residual + (x) * g->residual.pixel : NULL, dst + (x) * g->dst.pixel
    for (; x + TILE <= g->out_width; x += TILE) tile(TILE, full, job, AT(x));
    switch (g->out_width - x) {
        case 3: tile(3, full, job, AT(x)); break;
        case 2: tile(2, full, job, AT(x)); break;
        case 1: tile(1, full, job, AT(x)); break;
    }
#undef AT
}

void ck_avx2_depthwise(const ck_conv *g, const float *src, const float *packed, const float *residual,
                       float *dst, int32_t first_row, int32_t end_row) {
    ck_check_depthwise(g);
    ck_check_range(g->images, g->out_height, first_row, end_row);
    const ck_strides step = {g->src.image, g->src.row * g->stride_y, g->src.pixel * g->stride_x};
    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + ck_row_offset(step, g->out_height, row);
        float *out = dst + ck_row_offset(g->dst, g->out_height, row);
        const float *add = residual ? residual + ck_residual_offset(g, row) : NULL;
        for (int32_t c = 0; c < g->out_channels; c += BLOCK) {
            const block_job job = block_at(g, packed, c);
            const float *block_add = add ? add + c : NULL;
            if (job.channels == BLOCK) {
                block_over_row(true, &job, in + c, block_add, out + c);
            } else {
                block_over_row(false, &job, in + c, block_add, out + c);
            }
        }
    }
}

#pragma clang attribute pop

#endif
