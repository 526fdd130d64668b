/* What the tables of dispatch.c are made of: one declaration a kernel and level. Not for callers. */
#ifndef CK_LEVELS_H
#define CK_LEVELS_H

#include "ck_kernels.h"

ck_conv_packed_count_fn ck_scalar_conv_packed_count, ck_scalar_depthwise_packed_count;
ck_conv_pack_fn ck_scalar_conv_pack, ck_scalar_depthwise_pack;
ck_conv_run_fn ck_scalar_conv, ck_scalar_depthwise;
ck_pool_fn ck_scalar_max_pool, ck_scalar_average_pool;
ck_binary_fn ck_scalar_binary;
ck_scale_shift_fn ck_scalar_scale_shift;
ck_softmax_fn ck_scalar_softmax;
ck_copy_fn ck_scalar_copy;
ck_upsample_fn ck_scalar_upsample;
ck_normalize_fn ck_scalar_normalize;

/* Shared by all levels. */
ck_conv_packed_count_fn ck_winograd_packed_count, ck_winograd_scratch_count;
ck_conv_pack_fn ck_winograd_pack;
ck_winograd_run_fn ck_scalar_winograd, ck_avx2_winograd, ck_avx512_winograd;
void ck_check_winograd(const ck_conv *g);

/* Shared by the vector levels: blocks of 16 output channels. */
ck_conv_packed_count_fn ck_blocked_conv_packed_count;
ck_conv_pack_fn ck_blocked_conv_pack;

ck_conv_run_fn ck_avx2_conv, ck_avx2_depthwise;
ck_pool_fn ck_avx2_max_pool, ck_avx2_average_pool;
ck_binary_fn ck_avx2_binary;
ck_scale_shift_fn ck_avx2_scale_shift;
ck_softmax_fn ck_avx2_softmax;
ck_normalize_fn ck_avx2_normalize;

ck_conv_run_fn ck_avx512_conv, ck_avx512_depthwise;

#endif
