/* Native code on costs that another thread changes: before the solver starts, whenever it checks whether to stop, and
 * all the time. It may return a wrong answer or none. But it ends, accesses no memory out of bounds, and the rows and
 * columns that it returns exist and are distinct.
 *
 * The other thread writes without a lock. This data race is deliberate: costs are read in the caller's memory, and
 * nothing keeps the caller from writing to it. The test is for ASan and UBSan; ThreadSanitizer would be right to
 * complain.
 */
#include "check.h"
#include "core/portability.h"

#include <stdatomic.h>

typedef struct {
    void *entries;
    int64_t n, m;
    int single;
} costs_t;

enum { UNIFORM, FEW_VALUES, PRODUCT, EQUAL_ROWS, EQUAL_COLUMNS, SUMS, TWO_ZEROS, KINDS };
enum { BEFORE, WHEN_ASKED, ALL_THE_TIME, OWNERS };

static costs_t changing;

/* The writing thread has random numbers of its own, which need not be reproducible. */
static uint64_t owner_state;

static uint64_t owner_bits(void) {
    owner_state = owner_state * 6364136223846793005u + 1442695040888963407u;
    return owner_state >> 33;
}

static void write_cost(int64_t at, double value) {
    if (changing.single) {
        ((volatile float *)changing.entries)[at] = (float)value;
    } else {
        ((volatile double *)changing.entries)[at] = value;
    }
}

/* Change an entry, and now and then a whole row or column. */
static void change(void) {
    static const double strange[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, 3e38, -3e38, 0.0};
    const uint64_t choice = owner_bits() % 16;
    const double value = choice < 8    ? strange[choice]
                         : choice < 10 ? (double)(choice % 2)
                                       : (double)owner_bits() / 2147483648.0;
    const int64_t at = (int64_t)(owner_bits() % (uint64_t)(changing.n * changing.m));
    write_cost(at, value);
    const uint64_t more = owner_bits() % 256;
    for (int64_t j = 0; j < changing.m && more == 0; j++) {
        write_cost(at / changing.m * changing.m + j, value);
    }
    for (int64_t i = 0; i < changing.n && more == 1; i++) {
        write_cost(i * changing.m + at % changing.m, value);
    }
}

static int change_some(void) {
    for (int k = 0; k < 3; k++) {
        change();
    }
    return 0;
}

static atomic_int has_begun, is_over;

static void keep_changing(void *pause) {
    const int64_t turns = (int64_t)(intptr_t)pause;
    while (!atomic_load(&is_over)) {
        change();
        atomic_store(&has_begun, 1);
        for (volatile int64_t turn = 0; turn < turns; turn++) {
        }
    }
}

/* Draw all entries. The costs are written through the same function as changes are. */
static void draw(int kind) {
    const int64_t n = changing.n, m = changing.m;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < m; j++) {
            const double c = random_unit();
            write_cost(i * m + j, kind == FEW_VALUES      ? (double)(random_bits() % 3)
                                  : kind == PRODUCT       ? (double)((i + 1) * (j + 1))
                                  : kind == EQUAL_ROWS    ? fabs((double)(i % 3 - j % 7))
                                  : kind == EQUAL_COLUMNS ? fabs((double)(j % 3 - i % 7))
                                  : kind == SUMS          ? (double)(i + j)
                                  : kind == TWO_ZEROS     ? (double)(j != (i * 7) % m && j != (i * 5) % m)
                                                          : c);
        }
    }
}

typedef void run_t(const kernels_t *kernels, interrupted_t interrupted, int seed);

static int are_distinct(const int32_t *items, int64_t count, int64_t size) {
    char *seen = calloc((size_t)size + 1, 1);
    int distinct = seen != NULL;
    for (int64_t k = 0; k < count && distinct; k++) {
        distinct = items[k] >= 0 && items[k] < size && !seen[items[k]];
        if (distinct) {
            seen[items[k]] = 1;
        }
    }
    free(seen);
    return distinct;
}

static void check_task(const assignment_t *t, outcome_t outcome, int seed) {
    if (outcome == SOLVED) {
        int32_t *taken = exactly(t->given, sizeof *taken);
        int64_t count = 0;
        for (int64_t i = 0; i < t->given; i++) {
            if (t->x[i] != -1 || !is_limited(t)) {
                taken[count++] = t->x[i];
            }
        }
        expect(are_distinct(taken, count, t->m), "distinct columns", t->given, t->m, seed);
        free(taken);
    } else if (outcome == INFEASIBLE) {
        expect(t->blocked >= 1 && t->blocked <= t->given && t->blocked <= t->m + 1 &&
                   are_distinct(t->x, t->blocked, t->given) && are_distinct(t->y, t->blocked - 1, t->m),
               "distinct rows and columns that are blocked", t->given, t->m, seed);
    } else {
        expect(outcome == CHANGED, "an outcome", t->given, t->m, seed);
    }
}

/* Solve a problem whose first `given` of n rows are a matrix. */
static void run_task(assignment_solver_t *solver, const void *cost, int64_t given, int64_t n, int64_t m, double limit,
                     int64_t threads, interrupted_t interrupted, int seed) {
    assignment_t t = {.n = n,
                      .m = m,
                      .given = given,
                      .cost = cost,
                      .zeros = calloc((size_t)m, sizeof(double)),
                      .x = exactly(n, sizeof *t.x),
                      .y = exactly(m, sizeof *t.y),
                      .u = exactly(n, sizeof *t.u),
                      .v = exactly(m, sizeof *t.v),
                      .limit = limit,
                      .stop = {interrupted, INFINITY},
                      .threads = threads};
    memset(t.x, 0xff, (size_t)n * sizeof *t.x);
    memset(t.y, 0xff, (size_t)m * sizeof *t.y);
    check_task(&t, solver(&t), seed);
    free((void *)t.zeros);
    free(t.x);
    free(t.y);
    free(t.u);
    free(t.v);
}

static void run_jv(const kernels_t *kernels, interrupted_t interrupted, int seed) {
    if (changing.n <= changing.m) {
        assignment_solver_t *jv = kernels->dense[changing.single].jonker_volgenant;
        run_task(jv, changing.entries, changing.n, changing.n, changing.m, seed % 3 ? INFINITY : 0.25, 1, interrupted,
                 seed);
    }
}

static void run_auction(const kernels_t *kernels, interrupted_t interrupted, int seed) {
    if (changing.n <= changing.m) {
        assignment_solver_t *auction = kernels->dense[changing.single].auction;
        run_task(auction, changing.entries, changing.n, changing.m, changing.m, INFINITY, 1, interrupted, seed);
    }
}

static void run_cascade(const kernels_t *kernels, interrupted_t interrupted, int seed) {
    if (changing.n <= changing.m) {
        assignment_solver_t *cascade = kernels->dense[changing.single].cascade;
        const double limit = seed % 5 == 0 ? 0.01 : seed % 5 == 1 ? 0.5 : INFINITY;
        run_task(cascade, changing.entries, changing.n, changing.n, changing.m, limit, 1 + seed % 2, interrupted, seed);
    }
}

static void check_small(const small_t *p, int seed) {
    int32_t *taken = exactly(p->n, sizeof *taken);
    int64_t count = 0;
    for (int64_t i = 0; i < p->n && p->solved; i++) {
        if (p->row_to_col[i] != -1) {
            taken[count++] = (int32_t)p->row_to_col[i];
        }
    }
    expect(are_distinct(taken, count, p->m), "distinct columns of a small problem", p->n, p->m, seed);
    free(taken);
}

static void run_small(const kernels_t *kernels, interrupted_t interrupted, int seed) {
    small_t p = {.cost = changing.entries,
                 .n = changing.n,
                 .m = changing.m,
                 .single = changing.single,
                 .maximize = seed % 4 == 0,
                 .largest = 1e300,
                 .row_to_col = exactly(changing.n, sizeof *p.row_to_col)};
    double *scratch = aligned_memory(64, (size_t)small_scratch(&p) * sizeof *scratch);
    kernels->dense[changing.single].small(&p, scratch);
    check_small(&p, seed);
    if (p.n != p.m) {
        const stop_t stop = {interrupted, INFINITY};
        kernels->dense[changing.single].wide(&p, &stop);
        check_small(&p, seed);
    }
    aligned_memory_free(scratch);
    free(p.row_to_col);
}

static void run_minima(const kernels_t *kernels, interrupted_t interrupted, int seed) {
    (void)interrupted, (void)seed;
    const int64_t n = changing.n, m = changing.m, most = n > m ? n : m;
    const dense_kernels_t *dense = &kernels->dense[changing.single];
    double *duals = calloc((size_t)most, sizeof *duals), *low = exactly(2 * most, sizeof *low);
    double *rest = exactly(most, sizeof *rest), *sums = calloc((size_t)most, sizeof *sums);
    int32_t *row = exactly(m, sizeof *row);
    int64_t *at = exactly(2 * n, sizeof *at);
    dense->row_minima(changing.entries, n, m, duals, seed % 2 ? duals : NULL, low, rest);
    dense->column_minima(changing.entries, n, m, duals, seed % 2 ? duals : NULL, low, rest, row);
    cost_range_t range = {INFINITY, -INFINITY, 0};
    dense->cost_range(changing.entries, n, m, low, &range);
    dense->two_minima_rows(changing.entries, n, m, duals, low, at);
    dense->marginals(changing.entries, n, m, duals, duals, duals, duals, 0.1, low, sums, NULL);
    free(duals);
    free(low);
    free(rest);
    free(sums);
    free(row);
    free(at);
}

/* All mass arrives, whatever it costs. */
static void check_plan(const transport_t *t, int seed) {
    mass_t *supply = exactly(t->n, sizeof *supply), *demand = exactly(t->m, sizeof *demand);
    memcpy(supply, t->supply, (size_t)t->n * sizeof *supply);
    memcpy(demand, t->demand, (size_t)t->m * sizeof *demand);
    int arrives = 1;
    for (int64_t k = 0; k < t->n + t->m - 1; k++) {
        supply[t->rows[k]] -= t->shipped[k];
        demand[t->columns[k]] -= t->shipped[k];
        arrives = arrives && t->shipped[k] >= 0;
    }
    for (int64_t k = 0; k < t->n + t->m; k++) {
        arrives = arrives && (k < t->n ? supply[k] : demand[k - t->n]) == 0;
    }
    expect(arrives, "all mass arrives", t->n, t->m, seed);
    free(supply);
    free(demand);
}

static void run_ship(transport_solver_t *solver, const void *cost, interrupted_t interrupted, int seed) {
    const int64_t n = changing.n, m = changing.m, pairs = n + m - 1;
    mass_t *supply = zeroed(n, sizeof *supply), *demand = zeroed(m, sizeof *demand);
    draw_masses(1, n, m, supply, demand);
    transport_t t = {.n = n,
                     .m = m,
                     .cost = cost,
                     .supply = supply,
                     .demand = demand,
                     .u = exactly(n, sizeof *t.u),
                     .v = exactly(m, sizeof *t.v),
                     .rows = exactly(pairs, sizeof *t.rows),
                     .columns = exactly(pairs, sizeof *t.columns),
                     .shipped = exactly(pairs, sizeof *t.shipped),
                     .stop = {interrupted, INFINITY}};
    const outcome_t outcome = solver(&t);
    expect(outcome == SOLVED || outcome == INFEASIBLE || outcome == CHANGED, "an outcome of transport", n, m, seed);
    if (outcome == SOLVED) {
        check_plan(&t, seed);
    }
    free(supply);
    free(demand);
    free(t.u);
    free(t.v);
    free(t.rows);
    free(t.columns);
    free(t.shipped);
}

static void run_transport(const kernels_t *kernels, interrupted_t interrupted, int seed) {
    if (!changing.single) {
        run_ship(kernels->transport_dense, changing.entries, interrupted, seed);
    }
}

/* Every third pair and some more as a list, for assignment and for transport. */
static void run_sparse(const kernels_t *kernels, interrupted_t interrupted, int seed) {
    const int64_t n = changing.n, m = changing.m;
    if (changing.single) {
        return;
    }
    int64_t *begin = exactly(n + 1, sizeof *begin), count = 0;
    int32_t *column = exactly(n * m, sizeof *column);
    for (int64_t i = 0; i < n; i++) {
        begin[i] = count;
        for (int64_t j = 0; j < m; j++) {
            if ((i + j) % 3 == 0 || j == i % m || i == j % n) {
                column[count++] = (int32_t)j;
            }
        }
    }
    begin[n] = count;
    const sparse_costs_t pairs = {begin, column, changing.entries};
    run_ship(kernels->transport_sparse, &pairs, interrupted, seed);
    if (n <= m) {
        run_task(kernels->cascade_sparse, &pairs, n, n, m, seed % 3 ? INFINITY : 0.25, 1, interrupted, seed);
    }
    free(begin);
    free(column);
}

static void run_histograms(const kernels_t *kernels, interrupted_t interrupted, int seed) {
    const int64_t n = changing.n, m = changing.m, room = n + m - 1;
    static const int64_t zero[] = {0};
    if (changing.single) {
        return;
    }
    const stop_t stop = {interrupted, INFINITY};
    double *a = exactly(n, sizeof *a), *b = exactly(m, sizeof *b), total;
    int64_t pivots;
    for (int64_t k = 0; k < n + m; k++) {
        *(k < n ? a + k : b + (k - n)) = k == 0 || k == n || random_bits() % 3 ? random_unit() + 0.01 : 0.0;
    }
    histograms_t h = {.n = n,
                      .m = m,
                      .cost = changing.entries,
                      .a = a,
                      .b = b,
                      .metric = n == m && (seed % 2 || kernels->is_metric(changing.entries, n)),
                      .partial = 1,
                      .rounding = 1e-6,
                      .pairs = 1,
                      .of_a = zero,
                      .of_b = zero,
                      .total = &total,
                      .pivots = &pivots,
                      .f = exactly(n, sizeof *h.f),
                      .g = exactly(m, sizeof *h.g),
                      .rows = exactly(room, sizeof *h.rows),
                      .columns = exactly(room, sizeof *h.columns),
                      .moved = exactly(room, sizeof *h.moved)};
    expect(histograms_solve(&h, kernels, 1, &stop) == SOLVED, "histograms", n, m, seed);
    int inside = 1;
    for (int64_t k = 0; k < room; k++) {
        inside =
            inside && h.rows[k] >= 0 && h.rows[k] < n && h.columns[k] >= 0 && h.columns[k] < m && h.moved[k] >= 0.0;
    }
    expect(inside, "bins that there are", n, m, seed);
    free(a);
    free(b);
    free(h.f);
    free(h.g);
    free(h.rows);
    free(h.columns);
    free(h.moved);
}

/* Costs per case: small problems are repeated, since each takes so little time. */
enum { COSTS_PER_OWNER = 4000 };

static void try_run(run_t *run, int owner, int64_t pause, const kernels_t *kernels, int seed) {
    atomic_store(&is_over, 0);
    atomic_store(&has_begun, 0);
    thread_t *thread = owner == ALL_THE_TIME ? thread_start(keep_changing, (void *)(intptr_t)pause) : NULL;
    while (thread && !atomic_load(&has_begun)) {
        thread_yield();
    }
    for (int64_t costs = 0; costs < COSTS_PER_OWNER; costs += 32 + changing.n * changing.m) {
        const int64_t changes = owner == BEFORE ? 1 + (int64_t)(owner_bits() % (uint64_t)(changing.n * changing.m)) : 0;
        for (int64_t k = 0; k < changes; k++) {
            change();
        }
        run(kernels, owner == WHEN_ASKED ? change_some : never, seed);
        draw(seed % KINDS);
    }
    atomic_store(&is_over, 1);
    if (thread) {
        thread_join(thread);
    }
}

static run_t *const runs[] = {run_jv,     run_auction,   run_cascade, run_small,
                              run_minima, run_transport, run_sparse,  run_histograms};

/* All kernels on small problems; one of them, in turn, on others. */
static void try_problem(run_t *run, int64_t n, int64_t m, int seed) {
    seed_random(seed);
    owner_state = random_state ^ 0x5555;
    for (int build = 0; build < 2 * ISA_COUNT; build++) {
        const int single = build % 2;
        const kernels_t *kernels = find_kernels((isa_t)(build / 2));
        if ((n * m > COSTS_PER_OWNER && build != seed % (2 * ISA_COUNT)) || kernels == NULL) {
            continue;
        }
        changing = (costs_t){exactly(n * m, single ? sizeof(float) : sizeof(double)), n, m, single};
        for (int owner = 0; owner < OWNERS; owner++) {
            draw(seed % KINDS);
            try_run(run, owner, (int64_t)1 << random_bits() % 12, kernels, seed);
        }
        free(changing.entries);
    }
}

/* The argument is the number of rounds, 1 by default. */
int main(int count, char **arguments) {
    static const int64_t sizes[][2] = {{1, 1},   {1, 9},   {2, 2},    {5, 3},     {7, 7},     {9, 24},    {30, 30},
                                       {64, 65}, {70, 20}, {100, 40}, {128, 128}, {241, 241}, {250, 290}, {300, 300}};
    const int turns = count > 1 ? atoi(arguments[1]) : 1;
    int seed = 0;
    for (int turn = 0; turn < turns; turn++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (size_t r = 0; r < sizeof runs / sizeof *runs; r++, seed++) {
                try_problem(runs[r], sizes[s][0], sizes[s][1], seed);
            }
        }
    }
    return finish(seed);
}
