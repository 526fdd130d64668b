/* What the levels' Winograd convolutions share: F(4x4, 3x3) of Lavin and Gray 2015, with the points 0, +-1, +-2.
 * A tile of 4x4 outputs is Y = A'[(G w G') . (B' d B)]A of its 6x6 inputs d: 36 products where the plain sum has 144.
 * Over channels the products are 36 small matrix products, which is where the time goes. */
#ifndef CK_WINOGRAD_H
#define CK_WINOGRAD_H

#include "ck_kernels.h"

enum {
    CK_WINOGRAD_OUT = 4,     /* side of a tile of outputs */
    CK_WINOGRAD_IN = 6,      /* side of what it reads */
    CK_WINOGRAD_POINTS = 36, /* products of a tile */
    CK_WINOGRAD_TILES = 24,  /* most tiles that are worked on together */
};

/* Where a tile lies, and how much of it there is: at the right and lower edge some may be missing. */
typedef struct ck_winograd_tile {
    ptrdiff_t src, dst, residual;
    int32_t rows, columns; /* of outputs, 1...4 */
} ck_winograd_tile;

/* Goes through the tiles of a range of rows. */
typedef struct ck_winograd_cursor {
    int32_t row, end_row, x;
} ck_winograd_cursor;

/* The next tiles, at most CK_WINOGRAD_TILES; 0 when none is left. */
int32_t ck_winograd_next(const ck_conv *g, ck_winograd_cursor *cursor, ck_winograd_tile *tiles);

/* Floats of the transformed inputs of the most tiles; the products follow. */
static inline size_t ck_winograd_input_floats(const ck_conv *g) {
    return (size_t)CK_WINOGRAD_POINTS * CK_WINOGRAD_TILES * (size_t)g->in_channels;
}

#endif
