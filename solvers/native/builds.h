/* Every build of the kernels, and the choice between them. */
#ifndef LAPMARK_BUILDS_H
#define LAPMARK_BUILDS_H

#include "entropic.h"
#include "lapmark.h"
#include "point_minima.h"
#include "reduce.h"
#include "softmin.h"
#include "transport.h"

#include <stddef.h>

typedef outcome_t (*assign_t)(task_t *t);
typedef struct {
    assign_t jv;
    assign_t auction;
    assign_t cascade;
    row_minima_t *row_minima;
    column_minima_t *column_minima;
    two_minima_rows_t *two_minima_rows;
    marginals_t *marginals;
} build_t;

/* The kernels on points of 2 or of 3 dimensions, at squared distance or at distance; the cost of a task is a points_t.
 */
typedef struct {
    assign_t cascade; /* NULL at distance */
    ship_t transport;
    point_minima_t *minima;
    near_points_t *near;
} point_build_t;

/* And fused multiply-adds, as nearly every processor with AVX2. */
int processor_has_avx2(void);

/* NULL where the processor, or this compilation, lacks AVX2. */
const build_t *find_build(int avx2, int single);
const point_build_t *find_point_build(int avx2, int dimensions, int power);

/* Those that take costs in float64 only, of sparse ones the task has a sparse_t, and what Sinkhorn's algorithm takes
 * from a kernel. */
typedef struct {
    assign_t cascade_sparse;
    ship_t transport;
    ship_t transport_sparse;
    scaled_t *scaled;
} plain_build_t;

const plain_build_t *find_plain_build(int avx2);

/* Passes of Sinkhorn's algorithm over points. */
typedef struct {
    pass_t *sweep;
    neighbours_t *neighbours;
} entropic_build_t;

/* NULL where the processor, or this compilation, lacks AVX2. */
const entropic_build_t *find_entropic_build(int avx2, int dimensions, int power);

#endif
