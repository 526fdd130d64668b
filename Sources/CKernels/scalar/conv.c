/* Convolution in the plainest loops: the reference of the fast levels. Weights stay in ONNX order, with
 * the bias in front. */
#include <string.h>

#include "../levels.h"
#include "../rows.h"
#include "activation.h"

static size_t taps(const ck_conv *g) { return (size_t)g->kernel_height * (size_t)g->kernel_width; }

size_t ck_scalar_conv_packed_count(const ck_conv *g) {
    return (size_t)g->out_channels * (1 + taps(g) * (size_t)(g->in_channels / g->groups));
}

void ck_scalar_conv_pack(const ck_conv *g, const float *weights, const float *bias, float *packed) {
    ck_check_conv(g);
    for (int32_t o = 0; o < g->out_channels; o++) packed[o] = bias ? bias[o] : 0;
    size_t count = ck_scalar_conv_packed_count(g) - (size_t)g->out_channels;
    memcpy(packed + g->out_channels, weights, count * sizeof *weights);
}

/* The sum of one output element. `w` points to the weights of its channel, `src` to channel 0 of its
 * group under tap (0, 0). */
static float sum(const ck_conv *g, float bias, const float *src, const float *w) {
    const int32_t channels = g->in_channels / g->groups;
    const ptrdiff_t area = (ptrdiff_t)taps(g);
    float sum = bias;
    for (int32_t ky = 0; ky < g->kernel_height; ky++) {
        for (int32_t kx = 0; kx < g->kernel_width; kx++) {
            const float *pixel = src + ky * g->dilation_y * g->src.row + kx * g->dilation_x * g->src.pixel;
            const float *weight = w + ky * g->kernel_width + kx;
            for (int32_t i = 0; i < channels; i++) sum += pixel[i] * weight[i * area];
        }
    }
    return sum;
}

void ck_scalar_conv(const ck_conv *g, const float *src, const float *packed, const float *residual,
                    float *dst, int32_t first_row, int32_t end_row) {
    ck_check_conv(g);
    ck_check_range(g->images, g->out_height, first_row, end_row);
    const int32_t inputs = g->in_channels / g->groups, outputs = g->out_channels / g->groups;
    const ptrdiff_t weights_per_channel = (ptrdiff_t)taps(g) * inputs;
    const float *weights = packed + g->out_channels;
    const ck_strides step = {g->src.image, g->src.row * g->stride_y, g->src.pixel * g->stride_x};

    for (int32_t row = first_row; row < end_row; row++) {
        const float *in = src + ck_row_offset(step, g->out_height, row);
        float *out = dst + ck_row_offset(g->dst, g->out_height, row);
        const float *add = residual ? residual + ck_residual_offset(g, row) : NULL;
        for (int32_t x = 0; x < g->out_width; x++) {
            for (int32_t o = 0; o < g->out_channels; o++) {
                float value = sum(g, packed[o], in + x * step.pixel + o / outputs * inputs,
                                  weights + o * weights_per_channel);
                const float extra = add ? add[x / g->residual_repeat_x * g->residual.pixel + o] : 0;
                out[x * g->dst.pixel + o] = ck_finish(value, add != NULL, extra, g);
            }
        }
    }
}
