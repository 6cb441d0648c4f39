/* The method of R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear
 * assignment problems", Computing 38 (1987): column reduction, reduction transfer, augmenting row reduction,
 * augmentation.
 *
 * Rectangular problems (n < m) and problems with a limit need v <= 0, and v = 0 on free columns. Column reduction would
 * break that, so they start from v = 0 with every row free; the later steps lower v on matched columns only, and a
 * matched column stays matched.
 */
#include "assignment/augmenting_paths.inc.h"

/* Scans per row that augmenting row reduction may take before the rest is left to augmentation. */
enum { SCANS_PER_ROW = 8 };

/* Column reduction: v_j = min_i c_ij, and each row takes the last of the columns whose minimum it holds. once[i]:
 * whether row i holds just one minimum. */
static void reduce_columns(assignment_t *t, char *restrict once) {
    const cost_t *c = t->cost;
    for (int64_t j = 0; j < t->m; j++) {
        t->v[j] = INFINITY;
        t->y[j] = -1;
    }
    for (int64_t i = 0; i < t->n; i++) {
        if (must_stop(t)) {
            /* Minima over some of the rows only are no feasible duals. */
            memset(t->v, 0, (size_t)t->m * sizeof *t->v);
            return;
        }
        row_lower_columns(c + i * t->m, 0.0, t->m, (int32_t)i, t->v, t->y);
        once[i] = 0;
    }
    t->counters.row_scans += t->n;
    for (int64_t j = t->m - 1; j >= 0; j--) {
        const int32_t i = t->y[j];
        if (i < 0) {
            t->v[j] = 0.0; /* forbidden to every row: augmentation will notice */
        } else if (t->x[i] < 0) {
            t->x[i] = (int32_t)j;
            once[i] = 1;
        } else {
            t->y[j] = -1;
            once[i] = 0;
        }
    }
}

/* Reduction transfer: lower the dual of a row's only column until another column is as good, so that other rows can
 * take it. */
static void transfer_reductions(assignment_t *t, const char *restrict once) {
    const cost_t *c = t->cost;
    for (int64_t i = 0; i < t->n; i++) {
        if (!once[i]) {
            continue;
        }
        if (must_stop(t)) {
            return;
        }
        const int64_t j = t->x[i];
        const row_choice_t low = row_two_minima(c + i * t->m, t->v, t->m);
        const double slack = low.j1 == j ? low.second : low.first;
        t->counters.row_scans++;
        if (slack < INFINITY) {
            t->v[j] -= slack - ((double)c[i * t->m + j] - t->v[j]);
        }
    }
}

/* Augmenting row reduction: each free row takes its cheapest column and lowers that column's dual by the lead over the
 * second cheapest; the row that loses the column goes next. Compact `free_rows` to the rows left over and return their
 * number.
 *
 * Why it ends: on near-equal costs the lead can be a rounding unit or vanish in v[j1], and the textbook loop then runs
 * practically for ever. So a row that lost its column goes next only if v[j1] did become smaller, and all scans count
 * against a budget; rows that are still free then are left to augmentation, which needs one bounded search for each. */
static int64_t reduce_rows(assignment_t *t, int32_t *free_rows, int64_t count, int64_t *budget) {
    const cost_t *c = t->cost;
    int64_t kept = 0, next = 0;
    while (next < count) {
        const int32_t i = free_rows[next++];
        if (*budget <= 0 || must_stop(t)) {
            free_rows[kept++] = i;
            continue;
        }
        --*budget;
        row_choice_t low = row_two_minima(c + i * t->m, t->v, t->m);
        t->counters.row_scans++;
        if (low.first > t->limit) {
            continue; /* left out for good: no price will rise */
        }
        if (low.second > t->limit) {
            low.second = t->limit; /* leaving it out is the second best */
            low.j2 = -1;
        }
        if (low.second == INFINITY || low.j1 < 0) {
            /* At most one column is allowed, so there is no second price; or another thread changed the costs. */
            free_rows[kept++] = i;
            continue;
        }
        int64_t j = low.j1;
        const double lowered = t->v[j] - (low.second - low.first);
        const int fell = lowered < t->v[j];
        if (fell) {
            t->v[j] = lowered;
            t->counters.reductions++;
        } else if (t->y[j] >= 0) {
            j = low.j2;
            if (j < 0) {
                free_rows[kept++] = i;
                continue;
            }
        }
        const int32_t loser = t->y[j];
        t->x[i] = (int32_t)j;
        t->y[j] = i;
        if (loser >= 0) {
            t->x[loser] = -1;
            if (fell) {
                free_rows[--next] = loser;
            } else {
                free_rows[kept++] = loser;
            }
        }
    }
    return kept;
}

assignment_solver_t NAME(jonker_volgenant), NAME(wide_pairs);

/* Column reduction and reduction transfer; if they do not apply, duals of 0 and no pairs. */
static outcome_t start(assignment_t *t) {
    for (int64_t i = 0; i < t->n; i++) {
        t->x[i] = -1;
    }
    if (t->n < t->m || t->limit < INFINITY) {
        for (int64_t j = 0; j < t->m; j++) {
            t->v[j] = 0.0;
            t->y[j] = -1;
        }
        return SOLVED;
    }
    char *once = malloc((size_t)t->n + 1);
    if (!once) {
        return OUT_OF_MEMORY;
    }
    reduce_columns(t, once);
    if (t->outcome == SOLVED) {
        transfer_reductions(t, once);
    }
    free(once);
    return t->outcome;
}

/* Augmenting row reduction of all free rows, twice. */
static outcome_t reduce_free_rows(assignment_t *t) {
    int32_t *free_rows = malloc(((size_t)t->n + 1) * sizeof *free_rows);
    if (!free_rows) {
        return OUT_OF_MEMORY;
    }
    int64_t count = 0, budget = SCANS_PER_ROW * t->n;
    for (int64_t i = 0; i < t->n; i++) {
        if (t->x[i] < 0) {
            free_rows[count++] = (int32_t)i;
        }
    }
    for (int pass = 0; pass < 2 && count > 0; pass++) {
        count = reduce_rows(t, free_rows, count, &budget);
    }
    free(free_rows);
    return t->outcome;
}

outcome_t NAME(jonker_volgenant)(assignment_t *t) {
    outcome_t outcome = SOLVED;
    if (t->stage == FROM_NOTHING && t->n < t->m && !is_limited(t) && t->given == t->n) {
        outcome = NAME(wide_pairs)(t);
        t->stage = outcome == SPENT ? FROM_PAIRS : REDUCED;
        outcome = t->outcome = outcome == SPENT ? SOLVED : outcome;
    }
    if (t->stage == FROM_NOTHING) {
        outcome = start(t);
        t->stage = FROM_PAIRS;
    }
    if (outcome == SOLVED && t->stage == FROM_PAIRS) {
        outcome = reduce_free_rows(t);
        t->stage = REDUCED;
    }
    return outcome == SOLVED ? augment_all(t) : outcome;
}
