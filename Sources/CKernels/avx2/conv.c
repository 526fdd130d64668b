/* Direct convolution for AVX2 and FMA. A tile of 6 output pixels by 16 output channels lives in twelve
 * registers; each input value is broadcast once and meets two vectors of weights. */
#if defined(__x86_64__)

#include <immintrin.h>

#include "../blocked.h"
#include "../levels.h"
#include "../rows.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#include "vector.h"

enum { TILE = 6 };

/* What the tiles of one block of output channels have in common. */
typedef struct {
    const float *src, *weights, *residual; /* weights: one packed block; residual may be NULL */
    float *dst;
    ck_runs runs;
    int32_t channels; /* of this block, 1...16 */
    bool residual_last;
    ck_activation activation;
} block_job;

/* The accumulators of a tile, one name each: as an array they would stay in memory. EACH_PIXEL repeats a
 * statement macro; `pixels` is a constant wherever a tile is made, so the unused part disappears. */
typedef struct {
    __m256 a0, b0, a1, b1, a2, b2, a3, b3, a4, b4, a5, b5; /* channels 0...7 and 8...15 of pixel p */
} tile_sums;

#define EACH_PIXEL(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5)

/* Adds the products of all runs to the accumulators. The pixels' pointers stay; only the common index k
 * moves, so that a tap costs no address arithmetic of its own. */
CK_INLINE tile_sums accumulate(const int pixels, const block_job *job, const ptrdiff_t *src) {
    const float *w = job->weights;
    const __m256 bias_a = _mm256_load_ps(w), bias_b = _mm256_load_ps(w + 8);
#define START(p) \
    const float *const pixel##p = p < pixels ? job->src + src[p] : NULL; \
    __m256 a##p = bias_a, b##p = bias_b;
    EACH_PIXEL(START)
#undef START
    w += CK_BLOCK;
    const ck_runs runs = job->runs;
    for (int32_t row = 0; row < runs.rows; row++) {
        for (int32_t column = 0; column < runs.columns; column++) {
            const ptrdiff_t start = row * runs.row_step + column * runs.column_step;
            const ptrdiff_t end = start + runs.length;
            for (ptrdiff_t k = start; k < end; k++, w += CK_BLOCK) {
                const __m256 wa = _mm256_load_ps(w), wb = _mm256_load_ps(w + 8);
#define MULTIPLY(p) \
    if (p < pixels) { \
        const __m256 value = _mm256_broadcast_ss(pixel##p + k); \
        a##p = _mm256_fmadd_ps(value, wa, a##p); \
        b##p = _mm256_fmadd_ps(value, wb, b##p); \
    }
                EACH_PIXEL(MULTIPLY)
#undef MULTIPLY
            }
        }
    }
    return (tile_sums){a0, b0, a1, b1, a2, b2, a3, b3, a4, b4, a5, b5};
}

CK_INLINE void store_whole(const block_job *job, __m256 a, __m256 b, ptrdiff_t dst, ptrdiff_t residual,
                           ck_activation f) {
    if (job->residual && job->residual_last) {
        a = _mm256_add_ps(ck_avx2_activate(a, f), _mm256_loadu_ps(job->residual + residual));
        b = _mm256_add_ps(ck_avx2_activate(b, f), _mm256_loadu_ps(job->residual + residual + 8));
    } else {
        if (job->residual) {
            a = _mm256_add_ps(a, _mm256_loadu_ps(job->residual + residual));
            b = _mm256_add_ps(b, _mm256_loadu_ps(job->residual + residual + 8));
        }
        a = ck_avx2_activate(a, f);
        b = ck_avx2_activate(b, f);
    }
    _mm256_storeu_ps(job->dst + dst, a);
    _mm256_storeu_ps(job->dst + dst + 8, b);
}

/* The last block of channels where it has fewer than 16. */
CK_INLINE void store_part(const block_job *job, __m256 a, __m256 b, ptrdiff_t dst, ptrdiff_t residual) {
    const __m256i mask_a = ck_avx2_mask(job->channels), mask_b = ck_avx2_mask(job->channels - 8);
    __m256 add_a = _mm256_setzero_ps(), add_b = _mm256_setzero_ps();
    if (job->residual) {
        add_a = _mm256_maskload_ps(job->residual + residual, mask_a);
        add_b = _mm256_maskload_ps(job->residual + residual + 8, mask_b);
    }
    if (job->residual && !job->residual_last) {
        a = _mm256_add_ps(a, add_a);
        b = _mm256_add_ps(b, add_b);
    }
    a = ck_avx2_activate(a, job->activation);
    b = ck_avx2_activate(b, job->activation);
    if (job->residual && job->residual_last) {
        a = _mm256_add_ps(a, add_a);
        b = _mm256_add_ps(b, add_b);
    }
    _mm256_maskstore_ps(job->dst + dst, mask_a, a);
    _mm256_maskstore_ps(job->dst + dst + 8, mask_b, b);
}

CK_INLINE void tile(const int pixels, const block_job *job, const ptrdiff_t *src, const ptrdiff_t *dst,
                    const ptrdiff_t *residual) {
    const tile_sums s = accumulate(pixels, job, src);
#define STORE_PART(p) if (p < pixels) store_part(job, s.a##p, s.b##p, dst[p], residual[p]);
#define STORE(p) if (p < pixels) store_whole(job, s.a##p, s.b##p, dst[p], residual[p], activation);
    if (job->channels < CK_BLOCK) {
        EACH_PIXEL(STORE_PART)
    } else if (job->activation.kind == CK_ACTIVATION_RELU) {
        const ck_activation activation = {CK_ACTIVATION_RELU, 0, 0};
        EACH_PIXEL(STORE)
    } else if (job->activation.kind == CK_ACTIVATION_NONE) {
        const ck_activation activation = {CK_ACTIVATION_NONE, 0, 0};
        EACH_PIXEL(STORE)
    } else {
        const ck_activation activation = job->activation;
        EACH_PIXEL(STORE)
    }
#undef STORE
#undef STORE_PART
}

static void block_over_span(const block_job *job, const ck_span *span) {
    int32_t i = 0;
    for (; i + TILE <= span->count; i += TILE)
        tile(TILE, job, span->src + i, span->dst + i, span->residual + i);
    const ptrdiff_t *src = span->src + i, *dst = span->dst + i, *residual = span->residual + i;
    switch (span->count - i) {
        case 5: tile(5, job, src, dst, residual); break;
        case 4: tile(4, job, src, dst, residual); break;
        case 3: tile(3, job, src, dst, residual); break;
        case 2: tile(2, job, src, dst, residual); break;
        case 1: tile(1, job, src, dst, residual); break;
    }
}

static void conv_of_group(const ck_conv *g, const float *src, const float *packed, const float *residual,
                          float *dst, int32_t first_row, int32_t end_row) {
    ck_pixel_cursor cursor = ck_pixels_of_rows(g, first_row, end_row);
    const int32_t length = ck_span_length(g, TILE);
    block_job job = {.src = src, .runs = ck_runs_of(g), .residual_last = g->residual_last,
                     .activation = g->activation};
    ck_span span;
    while (ck_next_span(g, &cursor, length, &span)) {
        const float *weights = packed;
        for (int32_t o = 0; o < g->out_channels; o += CK_BLOCK, weights += ck_block_floats(g)) {
            job.weights = weights;
            job.residual = residual ? residual + o : NULL;
            job.dst = dst + o;
            job.channels = ck_min(CK_BLOCK, g->out_channels - o);
            block_over_span(&job, &span);
        }
    }
}

void ck_avx2_conv(const ck_conv *g, const float *src, const float *packed, const float *residual, float *dst,
                  int32_t first_row, int32_t end_row) {
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
