/* AVX2 building blocks: the activations, masks for channel tails. Include after the target attribute is
 * pushed, so that the functions may be inlined. */
#ifndef CK_AVX2_VECTOR_H
#define CK_AVX2_VECTOR_H

#include <immintrin.h>

#include "../include/ck_kernels.h"

#define CK_INLINE static inline __attribute__((always_inline))

/* Lane i is on where i < count; count may be outside 0...8. */
CK_INLINE __m256i ck_avx2_mask(int32_t count) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lanes);
}

/* Up to 8 floats. `whole` is a constant or a loop invariant; a masked-out lane is not touched. */
CK_INLINE __m256 ck_avx2_load(const float *p, bool whole, __m256i mask) {
    return whole ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, mask);
}

CK_INLINE void ck_avx2_store(float *p, __m256 value, bool whole, __m256i mask) {
    if (whole) {
        _mm256_storeu_ps(p, value);
    } else {
        _mm256_maskstore_ps(p, mask, value);
    }
}

/* exp(x) for x <= 0 and a little above, NaN for NaN: x = n ln 2 + r, |r| <= ln 2 / 2, and the Taylor
 * polynomial of degree 7, whose first omitted term is below 2^-26 there. ln 2 in two parts (Cody and
 * Waite 1980) keeps r exact. */
CK_INLINE __m256 ck_avx2_exp(__m256 x) {
    const __m256 low = _mm256_set1_ps(-104.0f), high = _mm256_set1_ps(88.7f);
    x = _mm256_min_ps(high, _mm256_max_ps(low, x)); /* operand order lets a NaN through */
    __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)),
                               _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
    __m256 p = _mm256_set1_ps(1.0f / 5040);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 720));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 120));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 24));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 6));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
    /* 2^n in two factors, each of which has a normal exponent down to n = -151. */
    __m256i exponent = _mm256_cvtps_epi32(n);
    __m256i half = _mm256_srai_epi32(exponent, 1), rest = _mm256_sub_epi32(exponent, half);
    const __m256i bias = _mm256_set1_epi32(127);
    __m256 a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
    __m256 b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
    return _mm256_mul_ps(_mm256_mul_ps(p, a), b);
}

/* Through exp of -|x|, which cannot overflow: 1 / (1 + e) above zero, e / (1 + e) below. */
CK_INLINE __m256 ck_avx2_sigmoid(__m256 x) {
    const __m256 one = _mm256_set1_ps(1);
    __m256 e = ck_avx2_exp(_mm256_or_ps(x, _mm256_set1_ps(-0.0f)));
    __m256 numerator = _mm256_blendv_ps(one, e, x);
    return _mm256_div_ps(numerator, _mm256_add_ps(one, e));
}

/* The operand order of max and min is the contract's: the second one is returned where either is a NaN or
 * both are zero. */
CK_INLINE __m256 ck_avx2_activate(__m256 x, ck_activation f) {
    switch (f.kind) {
        case CK_ACTIVATION_NONE: return x;
        case CK_ACTIVATION_RELU: return _mm256_max_ps(_mm256_setzero_ps(), x);
        case CK_ACTIVATION_LEAKY_RELU: {
            __m256 positive = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ);
            return _mm256_blendv_ps(_mm256_mul_ps(x, _mm256_set1_ps(f.a)), x, positive);
        }
        case CK_ACTIVATION_CLIP:
            return _mm256_min_ps(_mm256_set1_ps(f.b), _mm256_max_ps(_mm256_set1_ps(f.a), x));
        case CK_ACTIVATION_SIGMOID: return ck_avx2_sigmoid(x);
    }
    return x;
}

#endif
