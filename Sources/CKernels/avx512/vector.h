/* AVX-512 building blocks. Include after the target attribute is pushed. */
#ifndef CK_AVX512_VECTOR_H
#define CK_AVX512_VECTOR_H

#include <immintrin.h>

#include "../include/ck_kernels.h"

#define CK_INLINE static inline __attribute__((always_inline))

/* Lane i is on where i < count; count may be outside 0...16. */
CK_INLINE __mmask16 ck_avx512_mask(int32_t count) {
    if (count >= 16) return 0xffff;
    return count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}

/* As ck_avx2_exp and with its constants: the same steps, so the same bits. */
CK_INLINE __m512 ck_avx512_exp(__m512 x) {
    const __m512 low = _mm512_set1_ps(-104.0f), high = _mm512_set1_ps(88.7f);
    x = _mm512_min_ps(high, _mm512_max_ps(low, x));
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)),
                                    _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.0f / 5040);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 720));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 120));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 24));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 6));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    __m512i exponent = _mm512_cvtps_epi32(n);
    __m512i half = _mm512_srai_epi32(exponent, 1), rest = _mm512_sub_epi32(exponent, half);
    const __m512i bias = _mm512_set1_epi32(127);
    __m512 a = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(half, bias), 23));
    __m512 b = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(rest, bias), 23));
    return _mm512_mul_ps(_mm512_mul_ps(p, a), b);
}

CK_INLINE __m512 ck_avx512_sigmoid(__m512 x) {
    const __m512 one = _mm512_set1_ps(1);
    __m512 e = ck_avx512_exp(_mm512_or_ps(x, _mm512_set1_ps(-0.0f)));
    __m512 numerator = _mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_castps_si512(x)), one, e);
    return _mm512_div_ps(numerator, _mm512_add_ps(one, e));
}

/* Operand order as at AVX2: the second operand of max and min carries a NaN on. */
CK_INLINE __m512 ck_avx512_activate(__m512 x, ck_activation f) {
    switch (f.kind) {
        case CK_ACTIVATION_NONE: return x;
        case CK_ACTIVATION_RELU: return _mm512_max_ps(_mm512_setzero_ps(), x);
        case CK_ACTIVATION_LEAKY_RELU: {
            __mmask16 positive = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
            return _mm512_mask_blend_ps(positive, _mm512_mul_ps(x, _mm512_set1_ps(f.a)), x);
        }
        case CK_ACTIVATION_CLIP:
            return _mm512_min_ps(_mm512_set1_ps(f.b), _mm512_max_ps(_mm512_set1_ps(f.a), x));
        case CK_ACTIVATION_SIGMOID: return ck_avx512_sigmoid(x);
    }
    return x;
}

#endif
