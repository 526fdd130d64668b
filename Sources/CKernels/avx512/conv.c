/* Direct convolution for AVX-512. A tile of 8 output pixels by 32 output channels (two packed blocks)
 * lives in sixteen registers; an odd last block is done 8 by 16. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "../blocked.h"
#include "../levels.h"
#include "../rows.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))), \
                             apply_to = function)

#include "vector.h"

enum { TILE = 8 };

/* What the tiles of one block, or of a pair of blocks, have in common. */
typedef struct {
    const float *src, *weights, *residual; /* weights: the first packed block; residual may be NULL */
    float *dst;
    ptrdiff_t block_floats; /* from the first block to the second */
    ck_runs runs;
    __mmask16 first, second; /* channels of either block that exist */
    bool residual_last;
    ck_activation activation;
} block_job;

/* The accumulators of a tile by name; `pixels` and `pair` are constants wherever a tile is made, so the
 * unused part disappears. */
typedef struct {
    __m512 a0, b0, a1, b1, a2, b2, a3, b3, a4, b4, a5, b5, a6, b6, a7, b7;
} tile_sums;

#define EACH_PIXEL(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

CK_INLINE tile_sums accumulate(const int pixels, const bool pair, const block_job *job,
                               const ptrdiff_t *src) {
    const float *w = job->weights;
    const ptrdiff_t second = pair ? job->block_floats : 0;
    const __m512 bias_a = _mm512_load_ps(w), bias_b = _mm512_load_ps(w + second);
#define START(p) \
    const float *const pixel##p = p < pixels ? job->src + src[p] : NULL; \
    __m512 a##p = bias_a, b##p = bias_b;
    EACH_PIXEL(START)
#undef START
    w += CK_BLOCK;
    const ck_runs runs = job->runs;
    for (int32_t row = 0; row < runs.rows; row++) {
        for (int32_t column = 0; column < runs.columns; column++) {
            const ptrdiff_t start = row * runs.row_step + column * runs.column_step;
            const ptrdiff_t end = start + runs.length;
            for (ptrdiff_t k = start; k < end; k++, w += CK_BLOCK) {
                const __m512 wa = _mm512_load_ps(w), wb = pair ? _mm512_load_ps(w + second) : wa;
#define MULTIPLY(p) \
    if (p < pixels) { \
        const __m512 value = _mm512_set1_ps(pixel##p[k]); \
        a##p = _mm512_fmadd_ps(value, wa, a##p); \
        if (pair) b##p = _mm512_fmadd_ps(value, wb, b##p); \
    }
                EACH_PIXEL(MULTIPLY)
#undef MULTIPLY
            }
        }
    }
    return (tile_sums){a0, b0, a1, b1, a2, b2, a3, b3, a4, b4, a5, b5, a6, b6, a7, b7};
}

CK_INLINE void store(const block_job *job, __m512 sum, __mmask16 mask, ptrdiff_t dst, ptrdiff_t residual) {
    __m512 add = _mm512_setzero_ps();
    if (job->residual) add = _mm512_maskz_loadu_ps(mask, job->residual + residual);
    if (job->residual && !job->residual_last) sum = _mm512_add_ps(sum, add);
    sum = ck_avx512_activate(sum, job->activation);
    if (job->residual && job->residual_last) sum = _mm512_add_ps(sum, add);
    _mm512_mask_storeu_ps(job->dst + dst, mask, sum);
}

CK_INLINE void tile(const int pixels, const bool pair, const block_job *job, const ptrdiff_t *src,
                    const ptrdiff_t *dst, const ptrdiff_t *residual) {
    const tile_sums s = accumulate(pixels, pair, job, src);
#define STORE(p) \
    if (p < pixels) { \
        store(job, s.a##p, job->first, dst[p], residual[p]); \
        if (pair) store(job, s.b##p, job->second, dst[p] + CK_BLOCK, residual[p] + CK_BLOCK); \
    }
    EACH_PIXEL(STORE)
#undef STORE
}

CK_INLINE void block_over_span(const bool pair, const block_job *job, const ck_span *span) {
    int32_t i = 0;
    for (; i + TILE <= span->count; i += TILE)
        tile(TILE, pair, job, span->src + i, span->dst + i, span->residual + i);
    const ptrdiff_t *src = span->src + i, *dst = span->dst + i, *residual = span->residual + i;
    switch (span->count - i) {
        case 7: tile(7, pair, job, src, dst, residual); break;
        case 6: tile(6, pair, job, src, dst, residual); break;
        case 5: tile(5, pair, job, src, dst, residual); break;
        case 4: tile(4, pair, job, src, dst, residual); break;
        case 3: tile(3, pair, job, src, dst, residual); break;
        case 2: tile(2, pair, job, src, dst, residual); break;
        case 1: tile(1, pair, job, src, dst, residual); break;
    }
}

static void conv_of_group(const ck_conv *g, const float *src, const float *packed, const float *residual,
                          float *dst, int32_t first_row, int32_t end_row) {
    ck_pixel_cursor cursor = ck_pixels_of_rows(g, first_row, end_row);
    const int32_t length = ck_span_length(g, TILE);
    block_job job = {.src = src, .block_floats = ck_block_floats(g), .runs = ck_runs_of(g),
                     .residual_last = g->residual_last, .activation = g->activation};
    ck_span span;
    while (ck_next_span(g, &cursor, length, &span)) {
        for (int32_t o = 0; o < g->out_channels; o += 2 * CK_BLOCK) {
            job.weights = packed + o / CK_BLOCK * job.block_floats;
            job.residual = residual ? residual + o : NULL;
            job.dst = dst + o;
            job.first = ck_avx512_mask(g->out_channels - o);
            job.second = ck_avx512_mask(g->out_channels - o - CK_BLOCK);
            if (job.second) {
                block_over_span(true, &job, &span);
            } else {
                block_over_span(false, &job, &span);
            }
        }
    }
}

void ck_avx512_conv(const ck_conv *g, const float *src, const float *packed, const float *residual,
                    float *dst, int32_t first_row, int32_t end_row) {
    ck_check_conv(g);
    ck_check_range(g->images, g->out_height, first_row, end_row);
    assert((uintptr_t)packed % 64 == 0);
    ck_conv group = *g;
    group.in_channels /= g->groups;
    group.out_channels /= g->groups;
    group.groups = 1;
    const ptrdiff_t weights = (ptrdiff_t)ck_blocked_conv_packed_count(&group);
    for (int32_t i = 0; i < g->groups; i++) {
        conv_of_group(&group, src + i * group.in_channels, packed + i * weights,
                      residual ? residual + i * group.out_channels : NULL, dst + i * group.out_channels,
                      first_row, end_row);
    }
}

#pragma clang attribute pop

#endif
