/* What the vector levels' convolutions share: weights in blocks of 16 output channels, and output pixels
 * gathered into spans, so that a register tile is always full whatever the width of the map. */
#ifndef CK_BLOCKED_H
#define CK_BLOCKED_H

#include "ck_kernels.h"

enum {
    CK_BLOCK = 16,       /* output channels of a block of packed weights */
    CK_SPAN_PIXELS = 384, /* most output pixels of a span; a multiple of each level's tile */
};

/* Some output pixels in order, across rows and images: where each reads and writes, in elements. */
typedef struct ck_span {
    int32_t count;
    ptrdiff_t src[CK_SPAN_PIXELS], dst[CK_SPAN_PIXELS], residual[CK_SPAN_PIXELS];
} ck_span;

/* Goes through the output pixels of a range of rows. */
typedef struct ck_pixel_cursor {
    int32_t image, y, x;
    int64_t left;
} ck_pixel_cursor;

ck_pixel_cursor ck_pixels_of_rows(const ck_conv *g, int32_t first_row, int32_t end_row);

/* Fills the span with the next pixels, at most `most`; false when none is left. */
bool ck_next_span(const ck_conv *g, ck_pixel_cursor *cursor, int32_t most, ck_span *span);

/* How many pixels to take at a time: their inputs should stay in the second-level cache while each block
 * of weights passes over them. A multiple of `tile`. */
int32_t ck_span_length(const ck_conv *g, int32_t tile);

/* The reads of one output pixel, as runs of consecutive floats: `rows` times `columns` runs of `length`.
 * Where pixels lie without gaps (a grey picture, a 1x1 map), the taps of a row are one run. */
typedef struct ck_runs {
    int32_t rows, columns, length;
    ptrdiff_t row_step, column_step;
} ck_runs;

ck_runs ck_runs_of(const ck_conv *g);

/* Floats of one block: bias[16], then [ky][kx][i][16]. */
static inline ptrdiff_t ck_block_floats(const ck_conv *g) {
    return CK_BLOCK * (1 + (ptrdiff_t)g->kernel_height * g->kernel_width * (g->in_channels / g->groups));
}

#endif
