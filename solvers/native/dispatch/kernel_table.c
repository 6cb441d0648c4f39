/* The table of all kernels of one instruction set; compiled once for each (ISA). */
#include "core/variant_names.h"
#include "dispatch/kernels.h"
#include "simd/simd.h"

#define VARIANT_NAME(name, variant) ISA_NAME(LAPMARK_NAME(name, variant))
#define QUOTED(name) #name
#define NAME_OF(name) QUOTED(name)

#define DECLARE_DENSE(type)                                                                                            \
    assignment_solver_t VARIANT_NAME(jonker_volgenant, type), VARIANT_NAME(auction, type),                             \
        VARIANT_NAME(cascade_dense, type);                                                                             \
    small_solver_t VARIANT_NAME(small, type);                                                                          \
    wide_solver_t VARIANT_NAME(wide, type);                                                                            \
    row_minima_t VARIANT_NAME(row_minima, type);                                                                       \
    column_minima_t VARIANT_NAME(column_minima, type);                                                                 \
    cost_range_pass_t VARIANT_NAME(cost_range, type);                                                                  \
    two_minima_rows_t VARIANT_NAME(two_minima_rows, type);                                                             \
    matrix_marginals_t VARIANT_NAME(matrix_marginals, type);
#define DENSE(type)                                                                                                    \
    {.jonker_volgenant = VARIANT_NAME(jonker_volgenant, type),                                                         \
     .auction = VARIANT_NAME(auction, type),                                                                           \
     .cascade = VARIANT_NAME(cascade_dense, type),                                                                     \
     .small = VARIANT_NAME(small, type),                                                                               \
     .wide = VARIANT_NAME(wide, type),                                                                                 \
     .row_minima = VARIANT_NAME(row_minima, type),                                                                     \
     .column_minima = VARIANT_NAME(column_minima, type),                                                               \
     .cost_range = VARIANT_NAME(cost_range, type),                                                                     \
     .two_minima_rows = VARIANT_NAME(two_minima_rows, type),                                                           \
     .marginals = VARIANT_NAME(matrix_marginals, type)}

#define DECLARE_POINTS(points)                                                                                         \
    transport_solver_t VARIANT_NAME(transport_points, points);                                                         \
    point_minima_t VARIANT_NAME(point_minima, points);                                                                 \
    near_points_t VARIANT_NAME(near_points, points);                                                                   \
    point_marginals_solver_t VARIANT_NAME(point_marginals, points);                                                    \
    tile_order_t VARIANT_NAME(tile_order, points);
#define POINTS(points, cascade_or_null)                                                                                \
    {.cascade = cascade_or_null,                                                                                       \
     .transport = VARIANT_NAME(transport_points, points),                                                              \
     .minima = VARIANT_NAME(point_minima, points),                                                                     \
     .near = VARIANT_NAME(near_points, points),                                                                        \
     .marginals = VARIANT_NAME(point_marginals, points),                                                               \
     .tile_order = VARIANT_NAME(tile_order, points)}

DECLARE_DENSE(f64)
DECLARE_DENSE(f32)
DECLARE_POINTS(2d_p1)
DECLARE_POINTS(3d_p1)
DECLARE_POINTS(2d_p2)
DECLARE_POINTS(3d_p2)
assignment_solver_t VARIANT_NAME(cascade_points, 2d_p2), VARIANT_NAME(cascade_points, 3d_p2), ISA_NAME(cascade_sparse);
transport_solver_t ISA_NAME(transport_dense), ISA_NAME(transport_sparse);
grid_flow_solver_t ISA_NAME(grid_flow);
kernel_marginals_t ISA_NAME(kernel_marginals);
histogram_solver_t ISA_NAME(histogram);
histogram_scratch_t ISA_NAME(histogram_scratch);
is_metric_t ISA_NAME(is_metric);

extern const kernels_t ISA_NAME(kernels);

const kernels_t ISA_NAME(kernels) = {
    .name = NAME_OF(ISA),
    .is_supported = simd_is_supported,
    .dense = {DENSE(f64), DENSE(f32)},
    .points = {{POINTS(2d_p1, NULL), POINTS(3d_p1, NULL)},
               {POINTS(2d_p2, VARIANT_NAME(cascade_points, 2d_p2)),
                POINTS(3d_p2, VARIANT_NAME(cascade_points, 3d_p2))}},
    .cascade_sparse = ISA_NAME(cascade_sparse),
    .transport_dense = ISA_NAME(transport_dense),
    .transport_sparse = ISA_NAME(transport_sparse),
    .grid_flow = ISA_NAME(grid_flow),
    .kernel_marginals = ISA_NAME(kernel_marginals),
    .histogram = ISA_NAME(histogram),
    .histogram_scratch = ISA_NAME(histogram_scratch),
    .is_metric = ISA_NAME(is_metric),
};
