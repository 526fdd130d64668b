/* Grey crops become the first tensor of a net. */
#include "../levels.h"
#include "../rows.h"

void ck_scalar_normalize(const ck_normalize *g, const uint8_t *src, float *dst, int32_t first_row,
                         int32_t end_row) {
    ck_check_range(g->images, g->height, first_row, end_row);
    const ck_strides bytes = {g->src_image_bytes, g->src_row_bytes, 1};
    for (int32_t row = first_row; row < end_row; row++) {
        const uint8_t *in = src + ck_row_offset(bytes, g->height, row);
        float *out = dst + ck_row_offset(g->dst, g->height, row);
        for (int32_t x = 0; x < g->width; x++, out += g->dst.pixel)
            for (int32_t c = 0; c < g->copies; c++) out[c] = ((float)in[x] - g->mean) * g->scale;
    }
}
