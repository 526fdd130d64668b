/* Softmax over the channels of each pixel. */
#include <math.h>

#include "../levels.h"
#include "../rows.h"

void ck_scalar_softmax(const ck_map *g, const float *src, float *dst, int32_t first_row, int32_t end_row) {
    ck_check_range(g->images, g->height, first_row, end_row);
    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + ck_row_offset(g->src, g->height, row);
        float *out = dst + ck_row_offset(g->dst, g->height, row);
        for (int32_t x = 0; x < g->width; x++, in += g->src.pixel, out += g->dst.pixel) {
            float top = in[0], sum = 0;
            for (int32_t c = 1; c < g->channels; c++) top = in[c] > top ? in[c] : top;
            for (int32_t c = 0; c < g->channels; c++) sum += out[c] = expf(in[c] - top);
            for (int32_t c = 0; c < g->channels; c++) out[c] /= sum;
        }
    }
}
