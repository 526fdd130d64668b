/* The activations of ck_kernels.h, one value at a time. */
#ifndef CK_SCALAR_ACTIVATION_H
#define CK_SCALAR_ACTIVATION_H

#include <math.h>

#include "../include/ck_kernels.h"

/* The comparisons are written so that a NaN comes through, as the contract asks. */
static inline float ck_activate(float x, ck_activation f) {
    switch (f.kind) {
        case CK_ACTIVATION_NONE: return x;
        case CK_ACTIVATION_RELU: return 0 > x ? 0 : x;
        case CK_ACTIVATION_LEAKY_RELU: return x > 0 ? x : x * f.a;
        case CK_ACTIVATION_CLIP: {
            float y = f.a > x ? f.a : x;
            return f.b < y ? f.b : y;
        }
        case CK_ACTIVATION_SIGMOID: return 1 / (1 + expf(-x));
    }
    return x;
}

/* A convolution's sum with its residual, if there is one, and its activation. */
static inline float ck_finish(float sum, bool has_residual, float residual, const ck_conv *g) {
    if (!has_residual) return ck_activate(sum, g->activation);
    if (g->residual_last) return ck_activate(sum, g->activation) + residual;
    return ck_activate(sum + residual, g->activation);
}

#endif
