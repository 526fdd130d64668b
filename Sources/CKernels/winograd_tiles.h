/* The transforms of a Winograd convolution for one vector level, which says before including this what a vector is:
 * V, LANES, and the operations LOAD, STORE, ADD, SUB, FMA (a*b + c), FNMA (c - a*b), SET1, ACTIVATE. Several channels
 * go through a tile together. */

/* B' d along one axis: six inputs to the six points. */
CK_INLINE void to_points(const V d[6], V t[6]) {
    const V two = SET1(2), four = SET1(4), five = SET1(5);
    const V even = FNMA(four, d[2], d[4]), odd = FNMA(four, d[1], d[3]);
    const V far = SUB(d[4], d[2]), slope = SUB(d[3], d[1]);
    t[0] = FMA(four, d[0], FNMA(five, d[2], d[4]));
    t[1] = ADD(even, odd);
    t[2] = SUB(even, odd);
    t[3] = FMA(two, slope, far);
    t[4] = FNMA(two, slope, far);
    t[5] = FMA(four, d[1], FNMA(five, d[3], d[5]));
}

/* A' m along one axis: six points to four outputs. */
CK_INLINE void from_points(const V m[6], V y[4]) {
    const V sum1 = ADD(m[1], m[2]), difference1 = SUB(m[1], m[2]);
    const V sum2 = ADD(m[3], m[4]), difference2 = SUB(m[3], m[4]);
    y[0] = ADD(ADD(m[0], sum1), sum2);
    y[1] = FMA(SET1(2), difference2, difference1);
    y[2] = FMA(SET1(4), sum2, sum1);
    y[3] = ADD(FMA(SET1(8), difference2, difference1), m[5]);
}

/* One tile's inputs to its points, `step` floats from one point to the next. `whole` is a constant: where it is
 * false, what lies beyond the tile's last row or column is taken as zero and not read. */
CK_INLINE void transform_input(const bool whole, const ck_conv *g, const ck_winograd_tile *tile, const float *src,
                               float *points, ptrdiff_t step) {
    const int32_t rows = whole ? 6 : tile->rows + 2, columns = whole ? 6 : tile->columns + 2;
    for (int32_t c = 0; c < g->in_channels; c += LANES) {
        V half[6][6];
        for (int32_t x = 0; x < 6; x++) {
            V d[6], t[6];
            for (int32_t y = 0; y < 6; y++)
                d[y] = whole || (y < rows && x < columns)
                    ? LOAD(src + tile->src + y * g->src.row + x * g->src.pixel + c) : SET1(0);
            to_points(d, t);
            for (int32_t y = 0; y < 6; y++) half[y][x] = t[y];
        }
        for (int32_t y = 0; y < 6; y++) {
            V t[6];
            to_points(half[y], t);
            for (int32_t x = 0; x < 6; x++) STORE(points + (y * 6 + x) * step + c, t[x]);
        }
    }
}

CK_INLINE V finish(V sum, const float *residual, const bool last, ck_activation f) {
    if (!residual) return ACTIVATE(sum, f);
    return last ? ADD(ACTIVATE(sum, f), LOAD(residual)) : ACTIVATE(ADD(sum, LOAD(residual)), f);
}

/* One tile's points to its outputs. */
CK_INLINE void transform_output(const ck_conv *g, const ck_winograd_tile *tile, const float *points, ptrdiff_t step,
                                const float *bias, const float *residual, float *dst, ck_activation f) {
    for (int32_t c = 0; c < g->out_channels; c += LANES) {
        V half[4][6];
        for (int32_t x = 0; x < 6; x++) {
            V m[6], y[4];
            for (int32_t i = 0; i < 6; i++) m[i] = LOAD(points + (i * 6 + x) * step + c);
            from_points(m, y);
            for (int32_t i = 0; i < 4; i++) half[i][x] = y[i];
        }
        const V shift = LOAD(bias + c);
        for (int32_t i = 0; i < tile->rows; i++) {
            V y[4];
            from_points(half[i], y);
            for (int32_t x = 0; x < 4; x++) {
                if (x >= tile->columns) break;
                const float *add = residual
                    ? residual + tile->residual + i * g->residual.row + x * g->residual.pixel + c : NULL;
                STORE(dst + tile->dst + i * g->dst.row + x * g->dst.pixel + c,
                      finish(ADD(y[x], shift), add, g->residual_last, f));
            }
        }
    }
}

/* Any range of rows, given the level's matrix product `multiply`. */
CK_INLINE void winograd(const ck_conv *g, const float *src, const float *packed, const float *residual, float *dst,
                        float *scratch, int32_t first_row, int32_t end_row) {
    ck_winograd_tile tiles[CK_WINOGRAD_TILES];
    ck_winograd_cursor cursor = {first_row, end_row, 0};
    float *inputs = scratch, *products = scratch + ck_winograd_input_floats(g);
    const ptrdiff_t weights = (ptrdiff_t)g->in_channels * g->out_channels;
    for (int32_t count; (count = ck_winograd_next(g, &cursor, tiles)) > 0;) {
        const ptrdiff_t in_step = (ptrdiff_t)count * g->in_channels, out_step = (ptrdiff_t)count * g->out_channels;
        for (int32_t t = 0; t < count; t++) {
            if (tiles[t].rows == 4 && tiles[t].columns == 4) {
                transform_input(true, g, tiles + t, src, inputs + t * g->in_channels, in_step);
            } else {
                transform_input(false, g, tiles + t, src, inputs + t * g->in_channels, in_step);
            }
        }
        for (int32_t point = 0; point < CK_WINOGRAD_POINTS; point++)
            multiply(g, count, inputs + point * in_step, packed + g->out_channels + point * weights,
                     products + point * out_step);
        const ck_activation relu = {CK_ACTIVATION_RELU, 0, 0};
        for (int32_t t = 0; t < count; t++) {
            if (g->activation.kind == CK_ACTIVATION_RELU) {
                transform_output(g, tiles + t, products + t * g->out_channels, out_step, packed, residual, dst, relu);
            } else {
                transform_output(g, tiles + t, products + t * g->out_channels, out_step, packed, residual, dst,
                                 g->activation);
            }
        }
    }
}
