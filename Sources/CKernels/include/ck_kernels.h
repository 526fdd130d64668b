/* The contract of the kernels: what Inference may call, and what each call promises.
 *
 * A level (scalar, AVX2+FMA, AVX-512) is one table of function pointers, chosen once when a session is
 * made. No kernel allocates, starts a thread or keeps state; each works on a range of output rows, so
 * that callers may split one operation among threads. Preconditions are asserted; nothing is returned.
 *
 * Common to all kernels
 *   Tensors    float32, channels innermost (NHWC). A tensor is a pointer to channel 0 of a pixel and
 *              ck_strides; all strides count elements (floats), never bytes, unless a name says bytes.
 *   Channels   a kernel reads and writes exactly the channels it is told: lanes between the channel
 *              count and the pixel stride are neither read nor written. So a writer may fill a slice of
 *              a wider tensor (concatenation costs nothing). Fastest when channels are a multiple of 16
 *              and each pixel is 64-byte aligned.
 *   Alignment  4 bytes for tensors, 64 bytes for packed weights.
 *   Rows       a range [first_row, end_row) of 0 <= r < images * height of the output: image r / height,
 *              row r % height. An empty range does nothing.
 *   Reads      nothing but the elements named by the formula. Nothing past the end, no rounding up.
 *   Aliasing   no overlap of output and input except where a kernel names it.
 *   Bits       an output element depends on its inputs alone: not on the number of images, the row
 *              range, its place in a tile or the pointers' alignment. A batch of N equals N batches of
 *              one bit for bit. "Exact" below means: every level returns scalar's bits.
 *   NaN        goes through every kernel and activation: what depends on a NaN is a NaN (its sign and
 *              payload are not promised). -0.0 and 0.0 are equal; which of them a maximum returns is
 *              the rule of the activation, below.
 *   Denormals  the kernels do not care. Callers that want speed wrap a run in ck_denormals_off.
 */
#ifndef CK_KERNELS_H
#define CK_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ck_cpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Elements from one image, row, pixel to the next. Zero repeats the same one (broadcast, inputs only). */
typedef struct ck_strides {
    ptrdiff_t image, row, pixel;
} ck_strides;

/* The function applied to a finished sum x:
 *   none        x
 *   relu        0 > x ? 0 : x
 *   leaky relu  x > 0 ? x : x * a
 *   clip        y = (a > x ? a : x), then b < y ? b : y; a <= b
 *   sigmoid     1 / (1 + exp(-x)), within 8 epsilon relative of the true value for |x| <= 80, 0 or 1
 *               within FLT_MIN beyond
 * All but sigmoid are exact. */
typedef enum ck_activation_kind {
    CK_ACTIVATION_NONE = 0,
    CK_ACTIVATION_RELU,
    CK_ACTIVATION_LEAKY_RELU,
    CK_ACTIVATION_CLIP,
    CK_ACTIVATION_SIGMOID,
} ck_activation_kind;

typedef struct ck_activation {
    ck_activation_kind kind;
    float a, b;
} ck_activation;

/* Geometry of a convolution. `src` given to a kernel is the pixel under tap (0, 0) of output pixel (0, 0)
 * of image 0: with padding p that is p rows and p pixels before the picture, inside the ring of zeros that
 * the caller stored around it. There are no border branches: pixel (y * stride_y + ky * dilation_y,
 * x * stride_x + kx * dilation_x) is read for every output pixel and tap.
 *   images, out_height, out_width, in_channels, out_channels, kernels, strides, dilations, groups >= 1
 *   groups divides in_channels and out_channels
 *   dst.pixel >= out_channels; src.pixel >= in_channels
 *   residual is used only where a residual pointer is given
 *   residual_repeat_*  output rows, columns that one row, column of the residual serves, >= 1: 1 for a map of
 *                      the output's size, 2 for one of half its size that is upsampled by nearest. 1 for depthwise
 *   residual_last      whether the residual is added to the activation's result and not to its argument */
typedef struct ck_conv {
    int32_t images, out_height, out_width;
    int32_t in_channels, out_channels, groups;
    int32_t kernel_height, kernel_width;
    int32_t stride_y, stride_x;
    int32_t dilation_y, dilation_x;
    ck_strides src, residual, dst;
    int32_t residual_repeat_y, residual_repeat_x;
    bool residual_last;
    ck_activation activation;
} ck_conv;

/* dst[n,y,x,o] = act(bias[o] + sum over ky, kx, i of src[n, y*sy + ky*dy, x*sx + kx*dx, i] * w[o,ky,kx,i]
 *                    + residual[n, y/ry, x/rx, o])
 * and with residual_last = act(bias[o] + sum) + residual[n, y/ry, x/rx, o].
 * Summed in that order: bias first, then ky, kx, i ascending in one chain, then the residual. With groups,
 * i runs over the group of o. Scalar rounds product and sum apart, the other levels fuse them (FMA): all
 * are within (k + 3) * epsilon * (|bias| + sum |src| |w| + |residual|) of the true sum, k = ky * kx * i.
 *   packed    what pack of the same level made; 64-byte aligned
 *   residual  may be NULL; may be dst itself with the same strides (in place) where nothing is repeated. Must
 *             not overlap otherwise
 * A fully connected layer is a convolution on 1x1 maps: see ck_fully_connected. */
typedef void ck_conv_run_fn(const ck_conv *geometry, const float *src, const float *packed,
                            const float *residual, float *dst, int32_t first_row, int32_t end_row);

/* How many floats pack writes. Depends on channels, groups and kernel size only. */
typedef size_t ck_conv_packed_count_fn(const ck_conv *geometry);

/* Brings weights into the level's own order, once, at load.
 *   weights  [out_channels][in_channels / groups][kernel_height][kernel_width] without gaps (ONNX)
 *   bias     out_channels floats, or NULL for zeros
 *   packed   packed_count floats, 64-byte aligned; every one is written */
typedef void ck_conv_pack_fn(const ck_conv *geometry, const float *weights, const float *bias, float *packed);

typedef struct ck_conv_kernel {
    ck_conv_packed_count_fn *packed_count;
    ck_conv_pack_fn *pack;
    ck_conv_run_fn *run;
} ck_conv_kernel;

/* The same for 3x3 kernels of stride 1, dilation 1 and one group, channels multiples of 16 and a residual that is not
 * repeated, with a quarter of the products: F(4x4, 3x3) of Winograd and of Lavin and Gray 2015.
 *   rows      first_row is a multiple of 4 within its image, end_row too, or the end of the image
 *   scratch   scratch_count floats that only this call uses; 64-byte aligned
 *   Exactness sums are not in one chain: they go through sums and differences of a whole 6x6 window. Within
 *             (in_channels + 40) * epsilon * A'[(|G| |w| |G|') . (|B'| |src| |B|)]A, all in absolute values, of the true
 *             sum; on ordinary data some four times as far from it as the plain sum.
 *   NaN       and infinity reach all outputs of the 4x4 tile whose window holds them. */
typedef void ck_winograd_run_fn(const ck_conv *geometry, const float *src, const float *packed,
                                const float *residual, float *dst, float *scratch, int32_t first_row,
                                int32_t end_row);

typedef struct ck_winograd_kernel {
    ck_conv_packed_count_fn *packed_count;
    ck_conv_packed_count_fn *scratch_count;
    ck_conv_pack_fn *pack;
    ck_winograd_run_fn *run;
} ck_winograd_kernel;

/* Geometry of a pool. Here `src` is the first pixel of the picture itself, without its ring: windows are
 * cut at the picture's edge.
 *   in_height, in_width        the picture
 *   pad_*                      0 <= pad < kernel; no window lies outside the picture altogether
 *   count_include_pad          average only: divide by the part of the window inside picture and padding,
 *                              else by the part inside the picture */
typedef struct ck_pool {
    int32_t images, out_height, out_width, channels;
    int32_t in_height, in_width;
    int32_t kernel_height, kernel_width;
    int32_t stride_y, stride_x;
    int32_t pad_top, pad_left, pad_bottom, pad_right;
    bool count_include_pad;
    ck_strides src, dst;
} ck_pool;

/* max_pool: the largest value of the window. average_pool: the sum in the order ky, kx from +0.0, divided
 * by the count (one division). Both exact. A global average pool is an average pool whose kernel is the
 * picture, with an output of 1x1: see ck_global_average. */
typedef void ck_pool_fn(const ck_pool *geometry, const float *src, float *dst,
                        int32_t first_row, int32_t end_row);

typedef enum ck_binary_op {
    CK_BINARY_ADD = 0,
    CK_BINARY_SUBTRACT,
    CK_BINARY_MULTIPLY,
    CK_BINARY_DIVIDE,
} ck_binary_op;

typedef struct ck_binary {
    int32_t images, height, width, channels;
    ck_binary_op op;
    ck_strides a, b, dst;
    ck_activation activation;
} ck_binary;

/* dst[n,y,x,c] = act(a[n,y,x,c] op b[n,y,x,c]). A stride of zero repeats an operand: b = {0, 0, 0} is a
 * vector of channels, b = {s, 0, 0} one vector an image. dst may be a or b with the same strides. Exact,
 * sigmoid excepted. */
typedef void ck_binary_fn(const ck_binary *geometry, const float *a, const float *b, float *dst,
                          int32_t first_row, int32_t end_row);

/* Geometry of the kernels that take one tensor to another of the same shape. */
typedef struct ck_map {
    int32_t images, height, width, channels;
    ck_strides src, dst;
} ck_map;

/* dst[n,y,x,c] = act(src[n,y,x,c] * scale[c] + shift[c]): one multiply, one add, no FMA. scale or shift
 * may be NULL, which leaves that step out; both NULL is the bare activation. dst may be src with the same
 * strides. Exact, sigmoid excepted. */
typedef void ck_scale_shift_fn(const ck_map *geometry, const float *src, const float *scale,
                               const float *shift, ck_activation activation, float *dst,
                               int32_t first_row, int32_t end_row);

/* dst[n,y,x,c] = exp(src[n,y,x,c] - m) / sum over the channels of the same, m their maximum. Float
 * throughout: within (channels + 16) * epsilon relative of the true value where that is above FLT_MIN.
 * dst may be src with the same strides. */
typedef void ck_softmax_fn(const ck_map *geometry, const float *src, float *dst,
                           int32_t first_row, int32_t end_row);

/* dst[n,y,x,c] = src[n,y,x,c]. Exact. For concatenation and slices. */
typedef void ck_copy_fn(const ck_map *geometry, const float *src, float *dst,
                        int32_t first_row, int32_t end_row);

/* dst[n,y,x,c] = src[n, y/repeat_y, x/repeat_x, c]: upsampling by nearest, whole factors >= 1. height and width
 * are those of dst. Exact. */
typedef void ck_upsample_fn(const ck_map *geometry, int32_t repeat_y, int32_t repeat_x, const float *src,
                            float *dst, int32_t first_row, int32_t end_row);

/* 8-bit single-channel pictures to tensor values.
 *   src_*_bytes  from one picture, one row to the next; a picture's pixels lie without gaps in its row
 *   copies       how many channels get the value, 1 <= copies <= dst.pixel (3 for nets that want colour) */
typedef struct ck_normalize {
    int32_t images, height, width;
    ptrdiff_t src_image_bytes, src_row_bytes;
    float mean, scale;
    int32_t copies;
    ck_strides dst;
} ck_normalize;

/* dst[n,y,x,c] = (src[n,y,x] - mean) * scale for c < copies: one subtract, one multiply, no FMA. Exact. */
typedef void ck_normalize_fn(const ck_normalize *geometry, const uint8_t *src, float *dst,
                             int32_t first_row, int32_t end_row);

/* One level. A level without a fast version of an entry holds that of the level below; packed weights
 * belong to the table that packed them. */
typedef struct ck_kernels {
    ck_level level;
    ck_conv_kernel conv;      /* any kernel, stride, dilation, groups */
    ck_winograd_kernel winograd;
    ck_conv_kernel depthwise; /* groups == in_channels == out_channels; conv takes these too, slowly */
    ck_pool_fn *max_pool;
    ck_pool_fn *average_pool;
    ck_binary_fn *binary;
    ck_scale_shift_fn *scale_shift;
    ck_softmax_fn *softmax;
    ck_copy_fn *copy;
    ck_upsample_fn *upsample;
    ck_normalize_fn *normalize;
} ck_kernels;

/* The table of a level; never NULL. Only ck_level_supported tells whether this CPU can run it. On a CPU
 * that is not x86-64 every level is the scalar table. */
const ck_kernels *ck_kernels_at(ck_level level);

/* The geometry of dst[n,o] = act(bias[o] + sum over i of src[n,i] * w[o,i]): run and pack it with conv.
 * The rows are the images. */
static inline ck_conv ck_fully_connected(int32_t images, int32_t in_channels, int32_t out_channels,
                                         ptrdiff_t src_image_stride, ptrdiff_t dst_image_stride,
                                         ck_activation activation) {
    ck_conv g = {.images = images, .out_height = 1, .out_width = 1,
                 .in_channels = in_channels, .out_channels = out_channels, .groups = 1,
                 .kernel_height = 1, .kernel_width = 1, .stride_y = 1, .stride_x = 1,
                 .dilation_y = 1, .dilation_x = 1,
                 .src = {src_image_stride, in_channels, in_channels},
                 .residual = {0, 0, 0},
                 .residual_repeat_y = 1, .residual_repeat_x = 1, .residual_last = false,
                 .dst = {dst_image_stride, out_channels, out_channels},
                 .activation = activation};
    return g;
}

/* The geometry of a global average: one output pixel an image. Run it with average_pool. */
static inline ck_pool ck_global_average(int32_t images, int32_t height, int32_t width, int32_t channels,
                                        ck_strides src, ptrdiff_t dst_image_stride) {
    ck_pool g = {.images = images, .out_height = 1, .out_width = 1, .channels = channels,
                 .in_height = height, .in_width = width,
                 .kernel_height = height, .kernel_width = width, .stride_y = 1, .stride_x = 1,
                 .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
                 .count_include_pad = false,
                 .src = src, .dst = {dst_image_stride, channels, channels}};
    return g;
}

#ifdef __cplusplus
}
#endif
#endif
