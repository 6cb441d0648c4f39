/* Every build of the kernels, and the choice between them at run time. */
#include "builds.h"

/* clang-format off */
#define DECLARE(variant) \
    outcome_t jv_##variant(task_t *); \
    outcome_t auction_##variant(task_t *); \
    outcome_t cascade_##variant(task_t *); \
    row_minima_t row_minima_##variant; \
    column_minima_t column_minima_##variant; \
    two_minima_rows_t two_minima_rows_##variant; \
    marginals_t marginals_##variant;
#define BUILD(variant) \
    {jv_##variant,            auction_##variant,         cascade_##variant, row_minima_##variant, \
     column_minima_##variant, two_minima_rows_##variant, marginals_##variant}
#define DECLARE_POINTS(variant) \
    outcome_t cascade_points_##variant(task_t *); \
    outcome_t transport_points_##variant(transport_t *); \
    point_minima_t point_minima_##variant; \
    near_points_t near_points_##variant;
#define BUILD_POINTS(variant) \
    {cascade_points_##variant, transport_points_##variant, point_minima_##variant, near_points_##variant}
#define DECLARE_DISTANCES(variant) \
    outcome_t transport_points_##variant(transport_t *); \
    point_minima_t point_minima_##variant; \
    near_points_t near_points_##variant;
#define BUILD_DISTANCES(variant) \
    {NULL, transport_points_##variant, point_minima_##variant, near_points_##variant}
#define DECLARE_PLAIN(variant) \
    outcome_t cascade_sparse_##variant(task_t *); \
    outcome_t transport_##variant(transport_t *); \
    outcome_t transport_sparse_##variant(transport_t *); \
    scaled_t scaled_##variant;
#define BUILD_PLAIN(variant) \
    {cascade_sparse_##variant, transport_##variant, transport_sparse_##variant, scaled_##variant}
#define DECLARE_ENTROPIC(variant) \
    pass_t entropic_pass_##variant; \
    neighbours_t neighbours_##variant;
#define BUILD_ENTROPIC(variant) {entropic_pass_##variant, neighbours_##variant}
#define DECLARE_ALL_ENTROPIC(isa) \
    DECLARE_ENTROPIC(2d_p1_##isa) DECLARE_ENTROPIC(3d_p1_##isa) DECLARE_ENTROPIC(2d_p2_##isa) DECLARE_ENTROPIC(3d_p2_##isa)
#define BUILD_ALL_ENTROPIC(isa) \
    {{BUILD_ENTROPIC(2d_p1_##isa), BUILD_ENTROPIC(3d_p1_##isa)}, {BUILD_ENTROPIC(2d_p2_##isa), BUILD_ENTROPIC(3d_p2_##isa)}}
/* clang-format on */

DECLARE(f32_scalar)
DECLARE(f64_scalar)
static const build_t scalar[] = {BUILD(f64_scalar), BUILD(f32_scalar)};

DECLARE_POINTS(2d_scalar)
DECLARE_POINTS(3d_scalar)
DECLARE_DISTANCES(2d_p1_scalar)
DECLARE_DISTANCES(3d_p1_scalar)
static const point_build_t scalar_points[2][2] = {{BUILD_DISTANCES(2d_p1_scalar), BUILD_DISTANCES(3d_p1_scalar)},
                                                  {BUILD_POINTS(2d_scalar), BUILD_POINTS(3d_scalar)}};

DECLARE_PLAIN(scalar)
static const plain_build_t scalar_plain = BUILD_PLAIN(scalar);

DECLARE_ALL_ENTROPIC(scalar)
static const entropic_build_t scalar_entropic[2][2] = BUILD_ALL_ENTROPIC(scalar);

#ifdef LAPMARK_HAS_AVX2
int processor_has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

DECLARE(f32_avx2)
DECLARE(f64_avx2)
static const build_t avx2_builds[] = {BUILD(f64_avx2), BUILD(f32_avx2)};

DECLARE_POINTS(2d_avx2)
DECLARE_POINTS(3d_avx2)
DECLARE_DISTANCES(2d_p1_avx2)
DECLARE_DISTANCES(3d_p1_avx2)
static const point_build_t avx2_points[2][2] = {{BUILD_DISTANCES(2d_p1_avx2), BUILD_DISTANCES(3d_p1_avx2)},
                                                {BUILD_POINTS(2d_avx2), BUILD_POINTS(3d_avx2)}};

DECLARE_PLAIN(avx2)
static const plain_build_t avx2_plain = BUILD_PLAIN(avx2);

DECLARE_ALL_ENTROPIC(avx2)
static const entropic_build_t avx2_entropic[2][2] = BUILD_ALL_ENTROPIC(avx2);

const entropic_build_t *find_entropic_build(int avx2, int dimensions, int power) {
    if (!avx2) {
        return &scalar_entropic[power == 2][dimensions == 3];
    }
    return processor_has_avx2() ? &avx2_entropic[power == 2][dimensions == 3] : NULL;
}

const build_t *find_build(int avx2, int single) {
    if (!avx2) {
        return &scalar[single != 0];
    }
    return processor_has_avx2() ? &avx2_builds[single != 0] : NULL;
}

const point_build_t *find_point_build(int avx2, int dimensions, int power) {
    if (!avx2) {
        return &scalar_points[power == 2][dimensions == 3];
    }
    return processor_has_avx2() ? &avx2_points[power == 2][dimensions == 3] : NULL;
}

const plain_build_t *find_plain_build(int avx2) {
    if (!avx2) {
        return &scalar_plain;
    }
    return processor_has_avx2() ? &avx2_plain : NULL;
}
#else
int processor_has_avx2(void) { return 0; }

const build_t *find_build(int avx2, int single) { return avx2 ? NULL : &scalar[single != 0]; }

const point_build_t *find_point_build(int avx2, int dimensions, int power) {
    return avx2 ? NULL : &scalar_points[power == 2][dimensions == 3];
}

const plain_build_t *find_plain_build(int avx2) { return avx2 ? NULL : &scalar_plain; }

const entropic_build_t *find_entropic_build(int avx2, int dimensions, int power) {
    return avx2 ? NULL : &scalar_entropic[power == 2][dimensions == 3];
}
#endif
