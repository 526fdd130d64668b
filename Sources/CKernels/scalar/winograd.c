/* Winograd convolution one value at a time: the reference of the vector levels, which take the same steps. */
#include "../levels.h"
#include "../rows.h"
#include "../winograd.h"
#include "activation.h"

#define CK_INLINE static inline
#define V float
enum { LANES = 1 };
#define LOAD(p) (*(p))
#define STORE(p, value) (*(p) = (value))
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define FMA(a, b, c) ((a) * (b) + (c))
#define FNMA(a, b, c) ((c) - (a) * (b))
#define SET1(value) ((float)(value))
#define ACTIVATE ck_activate

/* out[t][o] = sum over i of in[t][i] * w[o/16][i][o%16] */
static void multiply(const ck_conv *g, int32_t count, const float *in, const float *w, float *out) {
    for (int32_t t = 0; t < count; t++, in += g->in_channels, out += g->out_channels) {
        for (int32_t o = 0; o < g->out_channels; o++) {
            const float *column = w + (ptrdiff_t)(o / 16) * g->in_channels * 16 + o % 16;
            float sum = 0;
            for (int32_t i = 0; i < g->in_channels; i++) sum += in[i] * column[i * 16];
            out[o] = sum;
        }
    }
}

#include "../winograd_tiles.h"

void ck_scalar_winograd(const ck_conv *g, const float *src, const float *packed, const float *residual, float *dst,
                        float *scratch, int32_t first_row, int32_t end_row) {
    ck_check_winograd(g);
    ck_check_range(g->images, g->out_height, first_row, end_row);
    winograd(g, src, packed, residual, dst, scratch, first_row, end_row);
}
