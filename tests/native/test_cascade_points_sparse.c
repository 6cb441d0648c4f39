/* Cascade on points and on sparse costs without Python, for the sanitizers: all kernels on the same random problems,
 * many of them degenerate. Each result is proven on all pairs, and all kernels must agree to the bit, counters
 * included. */
#include "assignment_check.h"

static answer_t run(assignment_solver_t *solver, const void *cost, int64_t n, int64_t m, interrupted_t interrupted,
                    double deadline) {
    return solve_assignment(
        solver,
        (assignment_t){.n = n, .m = m, .given = n, .cost = cost, .limit = INFINITY, .stop = {interrupted, deadline}});
}

enum { CLOUDS = 8 };

/* Uniform, on a lattice, on a line, in one place, in few places, in clusters of very different size, nearly on a line,
 * far from the origin. */
static void place(int kind, double *points, int64_t count, int dimensions) {
    for (int64_t i = 0; i < count; i++) {
        const double along = random_unit();
        const uint64_t which = random_bits() % 3;
        for (int axis = 0; axis < dimensions; axis++) {
            double *x = &points[i * dimensions + axis];
            switch (kind) {
            case 0:
                *x = random_unit();
                break;
            case 1:
                *x = (double)(random_bits() % 5);
                break;
            case 2:
                *x = along * (double)(axis + 1);
                break;
            case 3:
                *x = 0.25;
                break;
            case 4:
                *x = (double)(which * (uint64_t)(axis + 2) % 5);
                break;
            case 5:
                *x = (double)which + (which ? 1e-6 : 1e3) * random_unit();
                break;
            case 6:
                *x = along * (double)(axis + 1) + 1e-6 * random_unit();
                break;
            default:
                *x = 1e8 + random_unit();
            }
        }
    }
}

static void try_points(int dimensions, int kinds, int64_t n, int64_t m, int seed) {
    random_state = (uint64_t)seed + 77;
    double *x = zeroed(n * dimensions, sizeof *x), *y = zeroed(m * dimensions, sizeof *y);
    place(kinds % CLOUDS, x, n, dimensions);
    place(kinds / CLOUDS % CLOUDS, y, m, dimensions);
    const points_t points = {x, y, seed % 3 ? 1.0 : 1e5};
    double *cost = zeroed(n * m, sizeof *cost);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < m; j++) {
            double square = 0.0;
            for (int axis = 0; axis < dimensions; axis++) {
                const double d = x[i * dimensions + axis] - y[j * dimensions + axis];
                square += d * d;
            }
            cost[i * m + j] = points.scale * square;
        }
    }
    const point_kernels_t *scalar = &find_kernels(ISA_SCALAR)->points[1][dimensions - 2];
    answer_t plain = run(scalar->cascade, &points, n, m, never, INFINITY);
    expect(plain.outcome == SOLVED, "points are solved", n, m, seed);
    prove_matching(&plain.task, cost, seed);

    double *low = zeroed(n, sizeof *low), *weight = zeroed(m, sizeof *weight);
    for (int64_t j = 0; j < m; j++) {
        weight[j] = -plain.task.v[j] + (seed % 2 ? 0.0 : random_unit());
    }
    const stop_t stop = {never, INFINITY};
    expect(scalar->minima(&points, n, m, weight, low, &stop) == SOLVED, "minima are found", n, m, seed);
    for (int64_t i = 0; i < n; i++) {
        double least = INFINITY;
        for (int64_t j = 0; j < m; j++) {
            least = cost[i * m + j] + weight[j] < least ? cost[i * m + j] + weight[j] : least;
        }
        expect(low[i] == least, "minima are those of all pairs", n, m, seed);
    }
    for (isa_t isa = 1; isa < ISA_COUNT && find_kernels(isa); isa++) {
        answer_t other = run(find_kernels(isa)->points[1][dimensions - 2].cascade, &points, n, m, never, INFINITY);
        expect(same_answer(&plain, &other), "kernels agree on points", n, m, seed);
        discard_answer(&other);
    }
    answer_t late = run(scalar->cascade, &points, n, m, never, 0.0);
    expect(late.outcome == TIMED_OUT || same_answer(&plain, &late), "late, or done before it looked", n, m, seed);
    answer_t stopped_at_once = run(scalar->cascade, &points, n, m, always, INFINITY);
    expect(stopped_at_once.outcome == INTERRUPTED || same_answer(&plain, &stopped_at_once), "stops when asked", n, m,
           seed);
    discard_answer(&late);
    discard_answer(&stopped_at_once);
    discard_answer(&plain);
    free(low);
    free(weight);
    free(cost);
    free(x);
    free(y);
}

static void try_sparse(int64_t n, int64_t m, int seed) {
    random_state = (uint64_t)seed + 7;
    const uint64_t share = 1 + (uint64_t)seed % 9;
    double *cost = zeroed(n * m, sizeof *cost), *entries = zeroed(n * m, sizeof *entries);
    int64_t *begin = zeroed(n + 1, sizeof *begin);
    int32_t *column = zeroed(n * m, sizeof *column);
    for (int64_t i = 0; i < n; i++) {
        begin[i + 1] = begin[i];
        for (int64_t j = 0; j < m; j++) {
            const double value = seed % 2 ? random_unit() - 0.5 : (double)(random_bits() % 5);
            const int allowed = random_bits() % 9 < share;
            cost[i * m + j] = allowed ? value : INFINITY;
            if (allowed) {
                column[begin[i + 1]] = (int32_t)j;
                entries[begin[i + 1]++] = value;
            }
        }
    }
    const sparse_costs_t sparse = {begin, column, entries};
    answer_t plain = run(find_kernels(ISA_SCALAR)->cascade_sparse, &sparse, n, m, never, INFINITY);
    if (plain.outcome == INFEASIBLE) {
        prove_infeasible(&plain.task, cost, seed);
    } else {
        expect(plain.outcome == SOLVED, "sparse costs are solved", n, m, seed);
        prove_matching(&plain.task, cost, seed);
    }
    for (isa_t isa = 1; isa < ISA_COUNT && find_kernels(isa); isa++) {
        answer_t other = run(find_kernels(isa)->cascade_sparse, &sparse, n, m, never, INFINITY);
        expect(same_answer(&plain, &other), "kernels agree on sparse costs", n, m, seed);
        discard_answer(&other);
    }
    discard_answer(&plain);
    free(cost);
    free(entries);
    free(begin);
    free(column);
}

int main(void) {
    int problems = 0;
    for (int seed = 0; seed < 150; seed++) {
        const int64_t n = 1 + seed * 7 % 53, m = n + (seed % 3 ? 0 : seed % 11);
        try_points(2 + seed % 2, seed, n, m, seed);
        try_sparse(n, m, seed);
        problems += 2;
    }
    for (int kinds = 0; kinds < 49; kinds++) {
        try_points(2 + kinds % 2, kinds, 200 - kinds, 200, kinds);
        problems++;
    }
    return finish(problems);
}
