/* Exact transport without Python, for the sanitizers: matrices and points, uniform and degenerate, masses that tie and
 * masses of many sizes. Each plan is proven by its duals, and all kernels must agree to the bit. */
#include "check.h"

enum { EVEN, LATTICE, LINE, ONE_PLACE, OUTLIERS, CLOUDS };

static void draw_points(int kind, int64_t count, int dimensions, double *points) {
    for (int64_t i = 0; i < count; i++) {
        const double t = random_unit(), far = random_bits() % 16 == 0 ? 1e3 : 1.0;
        for (int axis = 0; axis < dimensions; axis++) {
            const double u = random_unit();
            points[i * dimensions + axis] = kind == LATTICE     ? (double)(random_bits() % 5)
                                            : kind == LINE      ? t * (axis + 1)
                                            : kind == ONE_PLACE ? 0.3
                                            : kind == OUTLIERS  ? far * u
                                                                : u;
        }
    }
}

typedef struct {
    transport_t task;
    outcome_t outcome;
} answer_t;

static answer_t run(transport_solver_t *solver, const void *cost, int64_t n, int64_t m, const mass_t *supply,
                    const mass_t *demand, interrupted_t interrupted, double deadline) {
    answer_t a = {.task = {.n = n,
                           .m = m,
                           .cost = cost,
                           .supply = supply,
                           .demand = demand,
                           .u = calloc((size_t)n, sizeof(double)),
                           .v = calloc((size_t)m, sizeof(double)),
                           .rows = exactly(n + m - 1, sizeof(int32_t)),
                           .columns = exactly(n + m - 1, sizeof(int32_t)),
                           .shipped = exactly(n + m - 1, sizeof(mass_t)),
                           .stop = {interrupted, deadline}}};
    a.outcome = solver(&a.task);
    return a;
}

static void discard(answer_t *a) {
    free(a->task.u);
    free(a->task.v);
    free(a->task.rows);
    free(a->task.columns);
    free(a->task.shipped);
}

static int same(const answer_t *a, const answer_t *b) {
    const transport_t *s = &a->task, *t = &b->task;
    const int64_t pairs = s->n + s->m - 1;
    return a->outcome == b->outcome && s->pivots == t->pivots && s->arcs == t->arcs && s->rounds == t->rounds &&
           same_bytes(s->shipped, t->shipped, pairs, sizeof *s->shipped) &&
           same_bytes(s->rows, t->rows, pairs, sizeof *s->rows) &&
           same_bytes(s->columns, t->columns, pairs, sizeof *s->columns) &&
           same_bytes(s->u, t->u, s->n, sizeof *s->u) && same_bytes(s->v, t->v, s->m, sizeof *s->v);
}

/* Check that all mass arrives, that nothing is shipped backwards, that no pair is cheaper than its duals, and that none
 * that ships is dearer. */
static void prove(const transport_t *t, const double *matrix, int seed) {
    mass_t *supply = exactly(t->n, sizeof *supply), *demand = exactly(t->m, sizeof *demand);
    memcpy(supply, t->supply, (size_t)t->n * sizeof *supply);
    memcpy(demand, t->demand, (size_t)t->m * sizeof *demand);
    double largest = 0.0;
    int feasible = 1, tight = 1, arrives = 1;
    for (int64_t e = 0; e < t->n * t->m; e++) {
        largest = fabs(matrix[e]) > largest ? fabs(matrix[e]) : largest;
    }
    const double tolerance = 1e-12 * largest;
    for (int64_t k = 0; k < t->n + t->m - 1; k++) {
        const int64_t i = t->rows[k], j = t->columns[k];
        supply[i] -= t->shipped[k];
        demand[j] -= t->shipped[k];
        arrives = arrives && t->shipped[k] >= 0;
        tight = tight && fabs(matrix[i * t->m + j] - t->u[i] - t->v[j]) <= tolerance;
    }
    for (int64_t i = 0; i < t->n; i++) {
        arrives = arrives && supply[i] == 0;
        for (int64_t j = 0; j < t->m; j++) {
            feasible = feasible && t->u[i] + t->v[j] <= matrix[i * t->m + j] + tolerance;
        }
    }
    for (int64_t j = 0; j < t->m; j++) {
        arrives = arrives && demand[j] == 0;
    }
    free(supply);
    free(demand);
    expect(arrives, "all mass arrives", t->n, t->m, seed);
    expect(feasible, "feasible duals", t->n, t->m, seed);
    expect(tight, "tight pairs", t->n, t->m, seed);
}

/* Returns the solver of an instruction set for the kind of costs under test. */
typedef transport_solver_t *choose_t(const kernels_t *kernels, int dimensions);

static transport_solver_t *of_matrix(const kernels_t *kernels, int dimensions) {
    (void)dimensions;
    return kernels->transport_dense;
}
static transport_solver_t *of_points(const kernels_t *kernels, int dimensions) {
    return kernels->points[1][dimensions - 2].transport;
}
static transport_solver_t *of_distances(const kernels_t *kernels, int dimensions) {
    return kernels->points[0][dimensions - 2].transport;
}

static void try_solver(choose_t choose, int dimensions, const void *cost, const double *matrix, int64_t n, int64_t m,
                       const mass_t *supply, const mass_t *demand, int seed) {
    transport_solver_t *scalar = choose(find_kernels(ISA_SCALAR), dimensions);
    answer_t a = run(scalar, cost, n, m, supply, demand, never, INFINITY);
    expect(a.outcome == SOLVED, "a problem is solved", n, m, seed);
    prove(&a.task, matrix, seed);
    for (isa_t isa = 1; isa < ISA_COUNT && find_kernels(isa); isa++) {
        answer_t b = run(choose(find_kernels(isa), dimensions), cost, n, m, supply, demand, never, INFINITY);
        expect(same(&a, &b), "kernels agree", n, m, seed);
        discard(&b);
    }
    discard(&a);
    if (n >= 200) {
        answer_t stopped = run(scalar, cost, n, m, supply, demand, always, INFINITY);
        answer_t late = run(scalar, cost, n, m, supply, demand, never, 0.0);
        expect(stopped.outcome == INTERRUPTED && late.outcome == TIMED_OUT, "stops when asked", n, m, seed);
        discard(&stopped);
        discard(&late);
    }
}

static void try_problem(int kind, int masses, int dimensions, int64_t n, int64_t m, int seed) {
    seed_random(seed);
    double *x = exactly(n * dimensions, sizeof *x), *y = exactly(m * dimensions, sizeof *y);
    double *matrix = exactly(n * m, sizeof *matrix);
    mass_t *supply = exactly(n, sizeof *supply), *demand = exactly(m, sizeof *demand);
    draw_points(kind, n, dimensions, x);
    draw_points(kind, m, dimensions, y);
    draw_masses(masses, n, m, supply, demand);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < m; j++) {
            matrix[i * m + j] = 0.0;
            for (int axis = 0; axis < dimensions; axis++) {
                const double d = x[i * dimensions + axis] - y[j * dimensions + axis];
                matrix[i * m + j] += d * d;
            }
            matrix[i * m + j] *= 2.0;
        }
    }
    const points_t points = {x, y, 2.0};
    try_solver(of_points, dimensions, &points, matrix, n, m, supply, demand, seed);
    try_solver(of_matrix, dimensions, matrix, matrix, n, m, supply, demand, seed);
    for (int64_t e = 0; e < n * m; e++) {
        matrix[e] = 2.0 * sqrt(0.5 * matrix[e]);
    }
    try_solver(of_distances, dimensions, &points, matrix, n, m, supply, demand, seed);
    for (int64_t e = 0; e < n * m; e++) {
        matrix[e] = masses == 1 ? (double)(random_bits() % 4) : random_unit() - 0.5;
    }
    try_solver(of_matrix, dimensions, matrix, matrix, n, m, supply, demand, seed);
    free(x);
    free(y);
    free(matrix);
    free(supply);
    free(demand);
}

/* Some pairs are allowed, and masses are drawn along them so that they can be shipped; or, if `stuck`, a row has more
 * than it can ship. */
static void try_some_pairs(int stuck, int64_t n, int64_t m, int seed) {
    seed_random(seed);
    int64_t *begin = exactly(n + 1, sizeof *begin), count = 0;
    mass_t *supply = calloc((size_t)n, sizeof *supply), *demand = calloc((size_t)m, sizeof *demand);
    int32_t *column = exactly(n * m, sizeof *column);
    double *cost = exactly(n * m, sizeof *cost);
    begin[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < m; j++) {
            /* At least one in each row and column. */
            if (j == i % m || i == j % n || random_bits() % 4 == 0) {
                const int64_t mass =
                    j == i % m || i == j % n ? 1 + (int64_t)(random_bits() % 9) : (int64_t)(random_bits() % 3);
                supply[i] += mass;
                demand[j] += mass;
                column[count] = (int32_t)j;
                cost[count++] = seed % 2 ? random_unit() - 0.5 : (double)(random_bits() % 4);
            }
        }
        begin[i + 1] = count;
    }
    if (stuck) {
        mass_t room = 0;
        for (int64_t k = begin[n - 1]; k < begin[n]; k++) {
            room += demand[column[k]];
        }
        /* Take so much that the other rows keep something. */
        const mass_t wanted = room + 1 - supply[n - 1];
        supply[n - 1] += wanted;
        demand[0] += wanted;
        for (int64_t k = begin[n - 1]; k < begin[n]; k++) {
            stuck = stuck && column[k] != 0;
        }
    }
    int32_t *exact_column = exactly(count, sizeof *exact_column);
    double *exact_cost = exactly(count, sizeof *exact_cost);
    memcpy(exact_column, column, (size_t)count * sizeof *column);
    memcpy(exact_cost, cost, (size_t)count * sizeof *cost);
    const sparse_costs_t pairs = {begin, exact_column, exact_cost};
    answer_t a = run(find_kernels(ISA_SCALAR)->transport_sparse, &pairs, n, m, supply, demand, never, INFINITY);
    const transport_t *t = &a.task;
    double bound = 0.0, shipped = 0.0, highest = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        bound += t->u[i] * (double)supply[i];
        for (int64_t k = begin[i]; k < begin[i + 1]; k++) {
            const double over = t->u[i] + t->v[exact_column[k]] - (a.outcome == INFEASIBLE ? 0.0 : exact_cost[k]);
            highest = over > highest ? over : highest;
        }
    }
    for (int64_t j = 0; j < m; j++) {
        bound += t->v[j] * (double)demand[j];
    }
    expect(highest <= 1e-10, "duals fit every pair", n, m, seed);
    if (a.outcome == INFEASIBLE) {
        expect(bound > 0.5, "duals prove that there is no plan", n, m, seed);
    } else {
        expect(a.outcome == SOLVED, "a problem is solved", n, m, seed);
        for (int64_t e = 0; e < n + m - 1; e++) {
            int known = t->shipped[e] == 0;
            for (int64_t k = begin[t->rows[e]]; k < begin[t->rows[e] + 1]; k++) {
                if (exact_column[k] == t->columns[e]) {
                    shipped += exact_cost[k] * (double)t->shipped[e];
                    known = 1;
                }
            }
            expect(known, "nothing is shipped along other pairs", n, m, seed);
        }
        expect(fabs(shipped - bound) <= 1e-7 * (1.0 + fabs(bound)), "duals prove the cost", n, m, seed);
    }
    expect(a.outcome == (stuck ? INFEASIBLE : SOLVED), "feasible or not", n, m, seed);
    for (isa_t isa = 1; isa < ISA_COUNT && find_kernels(isa); isa++) {
        answer_t b = run(find_kernels(isa)->transport_sparse, &pairs, n, m, supply, demand, never, INFINITY);
        expect(a.outcome == INFEASIBLE ? b.outcome == INFEASIBLE : same(&a, &b), "kernels agree", n, m, seed);
        discard(&b);
    }
    discard(&a);
    free(begin);
    free(supply);
    free(demand);
    free(column);
    free(cost);
    free(exact_column);
    free(exact_cost);
}

int main(void) {
    static const int64_t sizes[][2] = {{1, 1},   {1, 7},    {9, 1},    {5, 4},     {64, 64},
                                       {65, 63}, {130, 20}, {20, 130}, {200, 190}, {390, 210}};
    int seed = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int kind = 0; kind < CLOUDS; kind++) {
            for (int masses = 0; masses < 3; masses++, seed++) {
                try_problem(kind, masses, 2 + seed % 2, sizes[s][0], sizes[s][1], seed);
            }
        }
    }
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int kind = 0; kind < 8; kind++, seed++) {
            try_some_pairs(kind / 4, sizes[s][0], sizes[s][1], seed);
        }
    }
    return finish(seed);
}
