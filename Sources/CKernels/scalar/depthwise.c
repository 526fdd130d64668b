/* Depthwise convolution: each channel has its own kernel. Packed as bias[c], then [ky][kx][c], so that a
 * vector of channels is a load; the vector levels use the same order. */
#include "../levels.h"
#include "../rows.h"
#include "activation.h"

size_t ck_scalar_depthwise_packed_count(const ck_conv *g) {
    return (size_t)g->out_channels * (1 + (size_t)g->kernel_height * (size_t)g->kernel_width);
}

void ck_scalar_depthwise_pack(const ck_conv *g, const float *weights, const float *bias, float *packed) {
    ck_check_depthwise(g);
    const int32_t channels = g->out_channels, taps = g->kernel_height * g->kernel_width;
    for (int32_t c = 0; c < channels; c++) *packed++ = bias ? bias[c] : 0;
    for (int32_t tap = 0; tap < taps; tap++)
        for (int32_t c = 0; c < channels; c++) *packed++ = weights[(ptrdiff_t)c * taps + tap];
}

void ck_scalar_depthwise(const ck_conv *g, const float *src, const float *packed, const float *residual,
                         float *dst, int32_t first_row, int32_t end_row) {
    ck_check_depthwise(g);
    ck_check_range(g->images, g->out_height, first_row, end_row);
    const int32_t channels = g->out_channels;
    const ck_strides step = {g->src.image, g->src.row * g->stride_y, g->src.pixel * g->stride_x};

    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + ck_row_offset(step, g->out_height, row);
        float *out = dst + ck_row_offset(g->dst, g->out_height, row);
        const float *add = residual ? residual + ck_residual_offset(g, row) : NULL;
        for (int32_t x = 0; x < g->out_width; x++) {
            for (int32_t c = 0; c < channels; c++) {
                const float *pixel = in + x * step.pixel + c, *weight = packed + channels + c;
                float sum = packed[c];
                for (int32_t ky = 0; ky < g->kernel_height; ky++)
                    for (int32_t kx = 0; kx < g->kernel_width; kx++, weight += channels)
                        sum += pixel[ky * g->dilation_y * g->src.row + kx * g->dilation_x * g->src.pixel]
                               * *weight;
                const float extra = add ? add[x * g->residual.pixel + c] : 0;
                out[x * g->dst.pixel + c] = ck_finish(sum, add != NULL, extra, g);
            }
        }
    }
}
