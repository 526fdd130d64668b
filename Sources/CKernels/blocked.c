/* Packing and walking for the vector levels' convolutions. Blocks do not cross groups. */
#include "blocked.h"

#include "levels.h"
#include "rows.h"

static int32_t blocks_per_group(const ck_conv *g) {
    return (g->out_channels / g->groups + CK_BLOCK - 1) / CK_BLOCK;
}

size_t ck_blocked_conv_packed_count(const ck_conv *g) {
    return (size_t)g->groups * (size_t)blocks_per_group(g) * (size_t)ck_block_floats(g);
}

void ck_blocked_conv_pack(const ck_conv *g, const float *weights, const float *bias, float *packed) {
    ck_check_conv(g);
    const int32_t inputs = g->in_channels / g->groups, outputs = g->out_channels / g->groups;
    const int32_t taps = g->kernel_height * g->kernel_width;
    for (int32_t group = 0; group < g->groups; group++) {
        for (int32_t block = 0; block < outputs; block += CK_BLOCK) {
            const int32_t first = group * outputs + block, count = ck_min(CK_BLOCK, outputs - block);
            for (int32_t lane = 0; lane < CK_BLOCK; lane++)
                *packed++ = bias && lane < count ? bias[first + lane] : 0;
            for (int32_t tap = 0; tap < taps; tap++)
                for (int32_t i = 0; i < inputs; i++)
                    for (int32_t lane = 0; lane < CK_BLOCK; lane++)
                        *packed++ = lane < count
                            ? weights[((ptrdiff_t)(first + lane) * inputs + i) * taps + tap] : 0;
        }
    }
}

ck_pixel_cursor ck_pixels_of_rows(const ck_conv *g, int32_t first_row, int32_t end_row) {
    ck_pixel_cursor c = {first_row / g->out_height, first_row % g->out_height, 0,
                         (int64_t)(end_row - first_row) * g->out_width};
    return c;
}

bool ck_next_span(const ck_conv *g, ck_pixel_cursor *cursor, int32_t most, ck_span *span) {
    int32_t filled = 0;
    while (filled < most && cursor->left > 0) {
        ptrdiff_t image = cursor->image, y = cursor->y, x = cursor->x;
        ptrdiff_t src = image * g->src.image + y * g->stride_y * g->src.row;
        ptrdiff_t dst = image * g->dst.image + y * g->dst.row;
        ptrdiff_t residual = image * g->residual.image + y / g->residual_repeat_y * g->residual.row
                             + x / g->residual_repeat_x * g->residual.pixel;
        int32_t phase = (int32_t)(x % g->residual_repeat_x);
        int32_t count = ck_min(most - filled, g->out_width - cursor->x);
        for (int32_t i = 0; i < count; i++, x++) {
            span->src[filled + i] = src + x * g->stride_x * g->src.pixel;
            span->dst[filled + i] = dst + x * g->dst.pixel;
            span->residual[filled + i] = residual;
            if (++phase < g->residual_repeat_x) continue;
            phase = 0;
            residual += g->residual.pixel;
        }
        filled += count;
        cursor->left -= count;
        cursor->x += count;
        if (cursor->x < g->out_width) continue;
        cursor->x = 0;
        if (++cursor->y < g->out_height) continue;
        cursor->y = 0;
        cursor->image++;
    }
    span->count = filled;
    return filled > 0;
}

int32_t ck_span_length(const ck_conv *g, int32_t tile) {
    enum { INPUT_FLOATS = 32 * 1024 };
    ptrdiff_t floats_per_pixel = (ptrdiff_t)g->stride_y * g->stride_x * g->src.pixel;
    if (floats_per_pixel < 1) floats_per_pixel = 1;
    ptrdiff_t pixels = INPUT_FLOATS / floats_per_pixel;
    if (pixels > CK_SPAN_PIXELS) pixels = CK_SPAN_PIXELS;
    pixels -= pixels % tile;
    return pixels < tile ? tile : (int32_t)pixels;
}

ck_runs ck_runs_of(const ck_conv *g) {
    ck_runs r = {g->kernel_height, g->kernel_width, g->in_channels,
                 g->src.row * g->dilation_y, g->src.pixel * g->dilation_x};
    if (r.columns == 1 || r.column_step == r.length) {
        r.length *= r.columns;
        r.columns = 1;
    }
    if (r.columns == 1 && (r.rows == 1 || r.row_step == r.length)) {
        r.length *= r.rows;
        r.rows = 1;
    }
    return r;
}
