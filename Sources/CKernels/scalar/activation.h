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

#endif
