/* Dispatch: the table of all kernels of an instruction set, and the choice of the table at run time. */
#pragma once

#include "assignment/assignment.h"
#include "assignment/cost_range.h"
#include "assignment/reduced_cost_minima.h"
#include "assignment/small.h"
#include "assignment/wide.h"
#include "core/sparse_costs.h"
#include "geometry/point_minima.h"
#include "simd/isa.h"
#include "sinkhorn/matrix_marginals.h"
#include "sinkhorn/point_marginals.h"
#include "transport/grid/grid_flow.h"
#include "transport/histograms/histograms.h"
#include "transport/transport.h"

/* Kernels on a matrix of one type. */
typedef struct {
    assignment_solver_t *jonker_volgenant, *auction, *cascade;
    small_solver_t *small;
    wide_solver_t *wide;
    row_minima_t *row_minima;
    column_minima_t *column_minima;
    cost_range_pass_t *cost_range;
    two_minima_rows_t *two_minima_rows;
    matrix_marginals_t *marginals;
} dense_kernels_t;

/* Kernels on points of one dimension, for one power of the distance; the cost of a problem is a points_t. */
typedef struct {
    assignment_solver_t *cascade; /* NULL unless the distance is squared */
    transport_solver_t *transport;
    point_minima_t *minima;
    near_points_t *near;
    point_marginals_solver_t *marginals;
    tile_order_t *tile_order;
} point_kernels_t;

typedef struct kernels {
    const char *name;                    /* of the instruction set */
    int (*is_supported)(void);           /* by this processor */
    dense_kernels_t dense[2];            /* float64, float32 */
    point_kernels_t points[2][2];        /* [power - 1][dimensions - 2] */
    assignment_solver_t *cascade_sparse; /* the cost of a problem is a sparse_costs_t */
    transport_solver_t *transport_dense, *transport_sparse;
    grid_flow_solver_t *grid_flow;
    kernel_marginals_t *kernel_marginals;
    histogram_solver_t *histogram;
    histogram_scratch_t *histogram_scratch;
    is_metric_t *is_metric;
} kernels_t;

/* Return the kernels of an instruction set; NULL if the processor, which is asked, lacks it. */
const kernels_t *find_kernels(isa_t isa);

/* Return the instruction set of this name; ISA_COUNT if it is not compiled in. */
isa_t find_isa(const char *name);

/* Return the kernels of an instruction set that find_kernels has found, by name. The processor is not asked again:
 * where it is a virtual one, each answer takes ten microseconds. */
typedef const kernels_t *kernel_lookup_t(const char *isa);
kernel_lookup_t look_up_kernels;
