/* Packing and walking for the Winograd convolutions. Weights are transformed in double and rounded once. */
#include "winograd.h"

#include "levels.h"
#include "rows.h"

/* G of Lavin and Gray: three taps at the points 0, 1, -1, 2, -2 and infinity. */
static const double at_points[CK_WINOGRAD_IN][3] = {
    {1.0 / 4, 0, 0},
    {-1.0 / 6, -1.0 / 6, -1.0 / 6},
    {-1.0 / 6, 1.0 / 6, -1.0 / 6},
    {1.0 / 24, 1.0 / 12, 1.0 / 6},
    {1.0 / 24, -1.0 / 12, 1.0 / 6},
    {0, 0, 1},
};

void ck_check_winograd(const ck_conv *g) {
    ck_check_conv(g);
    assert(g->groups == 1 && g->kernel_height == 3 && g->kernel_width == 3);
    assert(g->stride_y == 1 && g->stride_x == 1 && g->dilation_y == 1 && g->dilation_x == 1);
    assert(g->in_channels % 16 == 0 && g->out_channels % 16 == 0);
    (void)g;
}

size_t ck_winograd_packed_count(const ck_conv *g) {
    return (size_t)g->out_channels * (1 + (size_t)CK_WINOGRAD_POINTS * (size_t)g->in_channels);
}

size_t ck_winograd_scratch_count(const ck_conv *g) {
    return ck_winograd_input_floats(g) + (size_t)CK_WINOGRAD_POINTS * CK_WINOGRAD_TILES * (size_t)g->out_channels;
}

/* bias[o], then [point][block of 16 outputs][i][16]. */
void ck_winograd_pack(const ck_conv *g, const float *weights, const float *bias, float *packed) {
    ck_check_winograd(g);
    for (int32_t o = 0; o < g->out_channels; o++) *packed++ = bias ? bias[o] : 0;
    for (int32_t point = 0; point < CK_WINOGRAD_POINTS; point++) {
        const double *vertical = at_points[point / CK_WINOGRAD_IN], *horizontal = at_points[point % CK_WINOGRAD_IN];
        for (int32_t block = 0; block < g->out_channels; block += 16) {
            for (int32_t i = 0; i < g->in_channels; i++) {
                for (int32_t lane = 0; lane < 16; lane++) {
                    const float *taps = weights + ((ptrdiff_t)(block + lane) * g->in_channels + i) * 9;
                    double sum = 0;
                    for (int32_t y = 0; y < 3; y++)
                        for (int32_t x = 0; x < 3; x++) sum += vertical[y] * horizontal[x] * taps[3 * y + x];
                    *packed++ = (float)sum;
                }
            }
        }
    }
}

int32_t ck_winograd_next(const ck_conv *g, ck_winograd_cursor *cursor, ck_winograd_tile *tiles) {
    int32_t count = 0;
    while (count < CK_WINOGRAD_TILES && cursor->row < cursor->end_row) {
        const int32_t y = cursor->row % g->out_height;
        assert(y % CK_WINOGRAD_OUT == 0);
        const int32_t rows = ck_min(CK_WINOGRAD_OUT, g->out_height - y);
        tiles[count++] = (ck_winograd_tile){
            ck_row_offset(g->src, g->out_height, cursor->row) + cursor->x * g->src.pixel,
            ck_row_offset(g->dst, g->out_height, cursor->row) + cursor->x * g->dst.pixel,
            ck_row_offset(g->residual, g->out_height, cursor->row) + cursor->x * g->residual.pixel,
            rows, ck_min(CK_WINOGRAD_OUT, g->out_width - cursor->x)};
        cursor->x += CK_WINOGRAD_OUT;
        if (cursor->x < g->out_width) continue;
        cursor->x = 0;
        cursor->row += rows;
    }
    return count;
}
