/* Every build of the kernels, and the choice between them at run time. */
#include "builds.h"

/* clang-format off */
#define DECLARE(variant) \
    outcome_t jv_##variant(task_t *); \
    outcome_t auction_##variant(task_t *); \
    outcome_t cascade_##variant(task_t *); \
    void row_minima_##variant(const void *, int64_t, int64_t, const double *, double *); \
    void column_minima_##variant(const void *, int64_t, int64_t, const double *, double *, int32_t *); \
    void two_minima_rows_##variant(const void *, int64_t, int64_t, const double *, double *, int64_t *); \
    double marginals_##variant(const void *, int64_t, int64_t, const double *, const double *, const double *, \
                               const double *, double, double *, double *);
#define BUILD(variant) \
    {jv_##variant,            auction_##variant,         cascade_##variant, row_minima_##variant, \
     column_minima_##variant, two_minima_rows_##variant, marginals_##variant}
#define DECLARE_POINTS(variant) \
    outcome_t cascade_points_##variant(task_t *); \
    point_minima_t point_minima_##variant;
#define BUILD_POINTS(variant) {cascade_points_##variant, point_minima_##variant}
/* clang-format on */

DECLARE(f32_scalar)
DECLARE(f64_scalar)
static const build_t scalar[] = {BUILD(f64_scalar), BUILD(f32_scalar)};

DECLARE_POINTS(2d_scalar)
DECLARE_POINTS(3d_scalar)
static const point_build_t scalar_points[] = {BUILD_POINTS(2d_scalar), BUILD_POINTS(3d_scalar)};

outcome_t cascade_sparse_scalar(task_t *);

#ifdef LAPMARK_HAS_AVX2
DECLARE(f32_avx2)
DECLARE(f64_avx2)
static const build_t avx2_builds[] = {BUILD(f64_avx2), BUILD(f32_avx2)};

DECLARE_POINTS(2d_avx2)
DECLARE_POINTS(3d_avx2)
static const point_build_t avx2_points[] = {BUILD_POINTS(2d_avx2), BUILD_POINTS(3d_avx2)};

outcome_t cascade_sparse_avx2(task_t *);

int processor_has_avx2(void) { return __builtin_cpu_supports("avx2") != 0; }

const build_t *find_build(int avx2, int single) {
    if (!avx2) {
        return &scalar[single != 0];
    }
    return processor_has_avx2() ? &avx2_builds[single != 0] : NULL;
}

const point_build_t *find_point_build(int avx2, int dimensions) {
    if (!avx2) {
        return &scalar_points[dimensions == 3];
    }
    return processor_has_avx2() ? &avx2_points[dimensions == 3] : NULL;
}

assign_t find_sparse_cascade(int avx2) {
    if (!avx2) {
        return cascade_sparse_scalar;
    }
    return processor_has_avx2() ? cascade_sparse_avx2 : NULL;
}
#else
int processor_has_avx2(void) { return 0; }

const build_t *find_build(int avx2, int single) { return avx2 ? NULL : &scalar[single != 0]; }

const point_build_t *find_point_build(int avx2, int dimensions) {
    return avx2 ? NULL : &scalar_points[dimensions == 3];
}

assign_t find_sparse_cascade(int avx2) { return avx2 ? NULL : cascade_sparse_scalar; }
#endif
