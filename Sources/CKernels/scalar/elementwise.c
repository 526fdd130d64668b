/* Kernels that go through a tensor value by value. */
#include <string.h>

#include "../levels.h"
#include "../rows.h"
#include "activation.h"

static float apply(ck_binary_op op, float a, float b) {
    switch (op) {
        case CK_BINARY_ADD: return a + b;
        case CK_BINARY_SUBTRACT: return a - b;
        case CK_BINARY_MULTIPLY: return a * b;
        case CK_BINARY_DIVIDE: return a / b;
    }
    return a;
}

void ck_scalar_binary(const ck_binary *g, const float *a, const float *b, float *dst, int32_t first_row,
                      int32_t end_row) {
    ck_check_range(g->images, g->height, first_row, end_row);
    for (int32_t row = first_row; row < end_row; row++) {
        const float *left = a + ck_row_offset(g->a, g->height, row);
        const float *right = b + ck_row_offset(g->b, g->height, row);
        float *out = dst + ck_row_offset(g->dst, g->height, row);
        for (int32_t x = 0; x < g->width; x++, left += g->a.pixel, right += g->b.pixel, out += g->dst.pixel)
            for (int32_t c = 0; c < g->channels; c++)
                out[c] = ck_activate(apply(g->op, left[c], right[c]), g->activation);
    }
}

void ck_scalar_scale_shift(const ck_map *g, const float *src, const float *scale, const float *shift,
                           ck_activation activation, float *dst, int32_t first_row, int32_t end_row) {
    ck_check_range(g->images, g->height, first_row, end_row);
    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + ck_row_offset(g->src, g->height, row);
        float *out = dst + ck_row_offset(g->dst, g->height, row);
        for (int32_t x = 0; x < g->width; x++, in += g->src.pixel, out += g->dst.pixel) {
            for (int32_t c = 0; c < g->channels; c++) {
                float value = in[c];
                if (scale) value *= scale[c];
                if (shift) value += shift[c];
                out[c] = ck_activate(value, activation);
            }
        }
    }
}

void ck_scalar_copy(const ck_map *g, const float *src, float *dst, int32_t first_row, int32_t end_row) {
    ck_check_range(g->images, g->height, first_row, end_row);
    const size_t channels = (size_t)g->channels;
    const bool dense = g->src.pixel == g->channels && g->dst.pixel == g->channels;
    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + ck_row_offset(g->src, g->height, row);
        float *out = dst + ck_row_offset(g->dst, g->height, row);
        if (dense) {
            memcpy(out, in, channels * (size_t)g->width * sizeof *out);
            continue;
        }
        for (int32_t x = 0; x < g->width; x++, in += g->src.pixel, out += g->dst.pixel)
            memcpy(out, in, channels * sizeof *out);
    }
}

void ck_scalar_upsample(const ck_map *g, int32_t repeat_y, int32_t repeat_x, const float *src, float *dst,
                        int32_t first_row, int32_t end_row) {
    ck_check_range(g->images, g->height, first_row, end_row);
    assert(repeat_y >= 1 && repeat_x >= 1);
    const size_t bytes = (size_t)g->channels * sizeof *dst;
    for (int32_t row = first_row; row < end_row; row++) {
        const int32_t image = row / g->height, y = row % g->height / repeat_y;
        const float *in = src + (ptrdiff_t)image * g->src.image + (ptrdiff_t)y * g->src.row;
        float *out = dst + ck_row_offset(g->dst, g->height, row);
        for (int32_t x = 0; x < g->width; x++, out += g->dst.pixel)
            memcpy(out, in + x / repeat_x * g->src.pixel, bytes);
    }
}
