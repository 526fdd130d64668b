/* Small helpers that every level uses to find its way through a tensor. Not for callers. */
#ifndef CK_ROWS_H
#define CK_ROWS_H

#include <assert.h>

#include "ck_kernels.h"

/* Where row r of images * height begins. */
static inline ptrdiff_t ck_row_offset(ck_strides strides, int32_t height, int32_t row) {
    return (ptrdiff_t)(row / height) * strides.image + (ptrdiff_t)(row % height) * strides.row;
}

static inline int32_t ck_min(int32_t a, int32_t b) { return a < b ? a : b; }
static inline int32_t ck_max(int32_t a, int32_t b) { return a > b ? a : b; }

static inline void ck_check_range(int32_t images, int32_t height, int32_t first_row, int32_t end_row) {
    assert(0 <= first_row && end_row <= images * height);
    (void)images, (void)height, (void)first_row, (void)end_row;
}

static inline void ck_check_conv(const ck_conv *g) {
    assert(g->images >= 1 && g->out_height >= 1 && g->out_width >= 1);
    assert(g->in_channels >= 1 && g->out_channels >= 1 && g->groups >= 1);
    assert(g->in_channels % g->groups == 0 && g->out_channels % g->groups == 0);
    assert(g->kernel_height >= 1 && g->kernel_width >= 1);
    assert(g->stride_y >= 1 && g->stride_x >= 1 && g->dilation_y >= 1 && g->dilation_x >= 1);
    assert(g->residual_repeat_y >= 1 && g->residual_repeat_x >= 1);
    (void)g;
}

/* Where the residual of output row r begins. */
static inline ptrdiff_t ck_residual_offset(const ck_conv *g, int32_t row) {
    return (ptrdiff_t)(row / g->out_height) * g->residual.image
           + (ptrdiff_t)(row % g->out_height / g->residual_repeat_y) * g->residual.row;
}

static inline void ck_check_depthwise(const ck_conv *g) {
    ck_check_conv(g);
    assert(g->groups == g->in_channels && g->groups == g->out_channels);
    assert(g->residual_repeat_y == 1 && g->residual_repeat_x == 1);
}

/* The part of a pool's window that lies inside the picture, and what an average divides by. */
typedef struct ck_window {
    int32_t top, left, bottom, right; /* half-open, in pixels of the picture */
    float count;
} ck_window;

static inline ck_window ck_pool_window(const ck_pool *g, int32_t y, int32_t x) {
    int32_t top = y * g->stride_y - g->pad_top, left = x * g->stride_x - g->pad_left;
    int32_t bottom = top + g->kernel_height, right = left + g->kernel_width;
    ck_window w = {ck_max(top, 0), ck_max(left, 0), ck_min(bottom, g->in_height),
                   ck_min(right, g->in_width), 0};
    assert(w.top < w.bottom && w.left < w.right);
    int32_t rows = w.bottom - w.top, columns = w.right - w.left;
    if (g->count_include_pad) {
        rows = ck_min(bottom, g->in_height + g->pad_bottom) - top;
        columns = ck_min(right, g->in_width + g->pad_right) - left;
    }
    w.count = (float)rows * (float)columns;
    return w;
}

#endif
