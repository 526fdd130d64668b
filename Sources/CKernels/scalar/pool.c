/* Pools: windows cut at the picture's edge. */
#include <math.h>

#include "../levels.h"
#include "../rows.h"

static float largest(const ck_pool *g, ck_window w, const float *src) {
    float best = -INFINITY;
    for (int32_t y = w.top; y < w.bottom; y++) {
        for (int32_t x = w.left; x < w.right; x++) {
            float value = src[y * g->src.row + x * g->src.pixel];
            if (isnan(best)) continue; /* once a NaN, always a NaN */
            best = best > value ? best : value;
        }
    }
    return best;
}

static float mean(const ck_pool *g, ck_window w, const float *src) {
    float sum = 0;
    for (int32_t y = w.top; y < w.bottom; y++)
        for (int32_t x = w.left; x < w.right; x++) sum += src[y * g->src.row + x * g->src.pixel];
    return sum / w.count;
}

typedef float reduce_fn(const ck_pool *g, ck_window w, const float *src);

static void pool(reduce_fn *reduce, const ck_pool *g, const float *src, float *dst, int32_t first_row,
                 int32_t end_row) {
    ck_check_range(g->images, g->out_height, first_row, end_row);
    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + row / g->out_height * g->src.image;
        float *out = dst + ck_row_offset(g->dst, g->out_height, row);
        for (int32_t x = 0; x < g->out_width; x++) {
            ck_window window = ck_pool_window(g, row % g->out_height, x);
            for (int32_t c = 0; c < g->channels; c++)
                out[x * g->dst.pixel + c] = reduce(g, window, in + c);
        }
    }
}

void ck_scalar_max_pool(const ck_pool *g, const float *src, float *dst, int32_t first_row, int32_t end_row) {
    pool(largest, g, src, dst, first_row, end_row);
}

void ck_scalar_average_pool(const ck_pool *g, const float *src, float *dst, int32_t first_row,
                            int32_t end_row) {
    pool(mean, g, src, dst, first_row, end_row);
}
