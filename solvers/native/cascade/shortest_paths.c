/* Shortest augmenting paths on candidate lists: keep the pairs that are the cheapest of their row, match what can be
 * matched along cheapest pairs alone, then match each row that is still free by a shortest path.
 *
 * If costs are tied, one search from all free rows at once moves the duals to where many of them find a cheapest pair
 * (the Hungarian method in phases); it is repeated as long as it pays. All other rows get a search of their own.
 *
 * The search is Dijkstra's over reduced costs, on the lists. Rows are scanned beyond their list only if the search gets
 * that far: a row whose list ends at `beyond` is in the queue a second time, at the distance at which an unlisted
 * column could matter. Each search matches one more row, so there are at most n. Within one, a row's list is renewed
 * only while that moves `beyond` on; otherwise the row is scanned once as a whole.
 */
#include "cascade/shortest_paths.h"

/* A search from all free rows is worth its cost if at least so many are free. */
enum { WORTH_A_PHASE = 8 };

int path_search_init(path_search_t *s, arena_t *a, int64_t n, int64_t m) {
    *s = (path_search_t){
        .u = arena_take(a, n + 1, sizeof *s->u),
        .distance = arena_take(a, m, sizeof *s->distance),
        .from = arena_take(a, m, sizeof *s->from),
        .row_distance = arena_take(a, n + 1, sizeof *s->row_distance),
        .reached = arena_take(a, m, sizeof *s->reached),
        .rows = arena_take(a, n + 1, sizeof *s->rows),
        .scanned = arena_take(a, m, sizeof *s->scanned),
        .free_rows = arena_take(a, n, sizeof *s->free_rows),
        .stack = arena_take(a, n, sizeof *s->stack),
        .visited = arena_take(a, m, sizeof *s->visited),
        .renewed = arena_take(a, n, sizeof *s->renewed),
        .look = arena_take(a, n, sizeof *s->look),
        .next = arena_take(a, n, sizeof *s->next),
    };
    heap_make(&s->open, a, n + m);
    for (int64_t j = 0; j < m && !a->failed; j++) {
        s->distance[j] = INFINITY;
    }
    return !a->failed;
}

/* A path may end at a column that no row holds, or at one that the spare class can do without. */
static inline int is_free(const auction_t *k, const path_search_t *s, int64_t j) {
    return k->owner[j] < 0 || (k->owner[j] == k->n && s->spare_held > k->spare);
}

/* Compute every row's smallest value; dissolve the pairs that exceed it. */
static outcome_t keep_cheapest_pairs(auction_t *k, path_search_t *s) {
    for (int64_t i = 0; i < k->n; i++) {
        const int64_t scans = k->counters->row_scans;
        const bid_choice_t c = auction_best_of_row(k, i);
        s->u[i] = c.first;
        const int32_t j = k->held[i];
        if (j >= 0 && !(k->held_cost[i] + k->price[j] <= auction_rounded_up(k, c.first))) {
            k->owner[j] = -1;
            k->held[i] = -1;
        }
        const outcome_t outcome = auction_count_work(k, 1, k->counters->row_scans - scans);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* The spare class holds free columns at the lowest price; these it can take without a path. */
static void hold_spare(auction_t *k, path_search_t *s) {
    if (k->spare == 0) {
        return;
    }
    double low = INFINITY;
    s->spare_held = 0;
    for (int64_t j = 0; j < k->m; j++) {
        low = k->price[j] < low ? k->price[j] : low;
        k->owner[j] = k->owner[j] == k->n ? -1 : k->owner[j];
    }
    for (int64_t j = 0; j < k->m; j++) {
        if (k->owner[j] < 0 && k->price[j] <= auction_rounded_up(k, low)) {
            k->owner[j] = (int32_t)k->n;
            s->spare_held++;
        }
    }
    s->u[k->n] = low;
}

static inline int is_cheapest(const auction_t *k, const path_search_t *s, int64_t i, int64_t slot) {
    return k->cost[slot] + k->price[k->column[slot]] <= auction_rounded_up(k, s->u[i]);
}

void path_search_shift(auction_t *k, path_search_t *s, int64_t depth, int64_t j) {
    s->spare_held -= k->owner[j] == k->n;
    for (int64_t d = depth - 1; d >= 0; d--) {
        const int64_t row = s->stack[d], old = k->held[row];
        k->owner[j] = (int32_t)row;
        k->held[row] = (int32_t)j;
        j = old;
    }
}

/* Look for a free column from one row along cheapest pairs. Return it, or -1; the rows on the way are in s->stack. */
static int64_t descend(auction_t *k, path_search_t *s, int64_t start, int64_t *depth) {
    *depth = 0;
    s->stack[(*depth)++] = (int32_t)start;
    s->next[start] = k->begin[start];
    while (*depth > 0) {
        const int64_t i = s->stack[*depth - 1], end = k->begin[i + 1];
        /* A column once held stays held, so the search for a free one never starts again. */
        for (; s->look[i] < end; s->look[i]++) {
            const int32_t j = k->column[s->look[i]];
            if (j < k->m && is_free(k, s, j) && is_cheapest(k, s, i, s->look[i])) {
                return j;
            }
        }
        int64_t slot = s->next[i];
        while (slot < end &&
               (k->column[slot] == k->m || s->visited[k->column[slot]] == s->pass || !is_cheapest(k, s, i, slot))) {
            slot++;
        }
        if (slot == end && k->beyond[i] <= auction_rounded_up(k, s->u[i]) && s->renewed[i] != s->pass) {
            /* More columns tie for the cheapest than the list holds: list others, free ones first. */
            s->renewed[i] = s->pass;
            auction_list_row(k, i);
            s->look[i] = s->next[i] = k->begin[i];
            continue;
        }
        if (slot == end) {
            --*depth;
            continue;
        }
        s->next[i] = slot + 1;
        s->visited[k->column[slot]] = s->pass;
        const int32_t owner = k->owner[k->column[slot]];
        if (owner >= 0 && owner != i && owner != k->n) {
            s->stack[(*depth)++] = owner;
            s->next[owner] = k->begin[owner];
        }
    }
    return -1;
}

/* Match free rows along pairs that are the cheapest of their row, by depth-first search in passes that visit no column
 * twice (A. Pothen, C.-J. Fan, ACM Trans. Math. Softw. 16 (1990)). A pass without a match is the last. */
static outcome_t match_cheapest_pairs(auction_t *k, path_search_t *s) {
    s->free_count = 0;
    for (int64_t i = 0; i < k->n; i++) {
        s->look[i] = k->begin[i];
        if (k->held[i] < 0) {
            s->free_rows[s->free_count++] = (int32_t)i;
        }
    }
    for (int64_t before = s->free_count + 1; s->free_count > 0 && s->free_count < before;) {
        before = s->free_count;
        s->free_count = 0;
        s->pass++;
        for (int64_t f = 0; f < before; f++) {
            const int32_t i = s->free_rows[f];
            const int64_t scans = k->counters->row_scans;
            int64_t depth;
            const int64_t sink = descend(k, s, i, &depth);
            if (sink >= 0) {
                path_search_shift(k, s, depth, sink);
            } else {
                s->free_rows[s->free_count++] = i;
            }
            const outcome_t outcome = auction_count_work(k, 1 + depth, k->counters->row_scans - scans);
            if (outcome != SOLVED) {
                return outcome;
            }
        }
    }
    return SOLVED;
}

/* Relax column j by a path of this length through row i. False without memory. */
static inline int reach_column(auction_t *k, path_search_t *s, int64_t i, int64_t j, double length) {
    /* The path to a column is final once its row is scanned; else paths could run in circles if costs change. */
    if (!(length < s->bound && length < s->distance[j]) || s->scanned[j]) {
        return 1;
    }
    if (s->distance[j] == INFINITY) {
        s->reached[s->reached_count++] = (int32_t)j;
    }
    s->distance[j] = length;
    s->from[j] = (int32_t)i;
    if (is_free(k, s, j)) {
        s->bound = length;
        s->sink = j;
        return 1;
    }
    return heap_push(&s->open, length, j);
}

/* Length of an edge. Rounding may put a value slightly below or above the row's smallest: it counts as equal. An edge
 * that is used keeps that error, as the duals at both its ends move alike. */
static inline double step(const auction_t *k, double value, double u) {
    return value > auction_rounded_up(k, u) ? value - u : 0.0;
}

static int reach_from_list(auction_t *k, path_search_t *s, int64_t i) {
    const double at = s->row_distance[i];
    s->edges += k->begin[i + 1] - k->begin[i];
    int kept = 1;
    for (int64_t slot = k->begin[i]; slot < k->begin[i + 1]; slot++) {
        const int32_t j = k->column[slot];
        if (j < k->m) {
            kept &= reach_column(k, s, i, j, at + step(k, k->cost[slot] + k->price[j], s->u[i]));
        }
    }
    if (k->beyond[i] == INFINITY) {
        return kept;
    }
    const double unlisted = at + step(k, k->beyond[i], s->u[i]);
    return kept && (unlisted >= s->bound || heap_push(&s->open, unlisted, -1 - i));
}

static int scan_row(auction_t *k, path_search_t *s, int64_t i, double at) {
    s->rows[s->row_count++] = (int32_t)i;
    s->row_distance[i] = at;
    k->counters->path_rows++;
    return reach_from_list(k, s, i);
}

/* The spare class reaches every column, at its price above the level. */
static int scan_spare(auction_t *k, path_search_t *s, double at) {
    s->row_distance[k->n] = at;
    s->rows[s->row_count++] = (int32_t)k->n;
    s->edges += k->m;
    int kept = 1;
    for (int64_t j = 0; j < k->m; j++) {
        if (k->owner[j] != k->n) {
            kept &= reach_column(k, s, k->n, j, at + step(k, k->price[j], s->u[k->n]));
        }
    }
    return kept;
}

/* Row i has to look beyond its list: renew the list or, if that gets no further, scan all that could matter. */
static int renew_list(auction_t *k, path_search_t *s, int64_t i) {
    const double before = k->beyond[i];
    auction_list_row(k, i);
    if (k->beyond[i] > auction_rounded_up(k, before) + 1e-9 * k->largest) {
        return reach_from_list(k, s, i);
    }
    /* Above the needed distance by more than rounding; what is too far is not reached in any case. */
    const double slack = 1e-12 * k->largest + k->rounding * fabs(s->u[i]);
    const int64_t count = k->access->within(k, i, s->bound - s->row_distance[i] + s->u[i] + slack);
    k->counters->row_scans++;
    s->edges += count;
    int kept = 1;
    for (int64_t o = 0; o < count; o++) {
        const candidate_t candidate = k->candidates[o];
        kept &= reach_column(k, s, i, candidate.column, s->row_distance[i] + step(k, candidate.value, s->u[i]));
    }
    return kept;
}

static void forget_search(path_search_t *s) {
    for (int64_t r = 0; r < s->reached_count; r++) {
        const int64_t j = s->reached[r];
        s->scanned[j] = 0;
        s->distance[j] = INFINITY;
    }
}

/* List renewals in a search for each row scanned. A list that is renewed without result reaches further by a seventh
 * each time, from 1e-12 of what it can reach: at most 200 times, unless costs change. */
enum { MOST_RENEWALS = 1000 };

/* Grow shortest paths from some rows, or from the spare class, until the nearest free column is known. */
static outcome_t search(auction_t *k, path_search_t *s, const int32_t *starts, int64_t count) {
    s->open.count = s->reached_count = s->row_count = 0;
    s->bound = INFINITY;
    s->sink = s->spare_entry = -1;
    int64_t renewals = 0;
    int spare_seen = 0, kept = 1;
    for (int64_t start = 0; start < count; start++) {
        if (starts[start] == k->n) {
            spare_seen = 1;
            kept = scan_spare(k, s, 0.0);
        } else {
            kept &= scan_row(k, s, starts[start], 0.0);
        }
    }
    while (kept && s->open.count > 0 && s->open.entries[0].key < s->bound) {
        const heap_entry_t nearest = heap_pop(&s->open);
        const int64_t scans = k->counters->row_scans, edges = s->edges;
        if (nearest.item < 0) {
            if (++renewals > MOST_RENEWALS * s->row_count) {
                return CHANGED;
            }
            kept = renew_list(k, s, -1 - nearest.item);
        } else if (nearest.key <= s->distance[nearest.item] && !s->scanned[nearest.item]) {
            const int64_t j = nearest.item, row = k->owner[j];
            if (row < k->n) {
                s->scanned[j] = 1;
                kept = scan_row(k, s, row, nearest.key);
            } else if (!spare_seen) {
                /* The class holds all its columns at one price: the first one reached stands for all. */
                s->scanned[j] = 1;
                spare_seen = 1;
                s->spare_entry = j;
                kept = scan_spare(k, s, nearest.key);
            }
        }
        const int64_t bids = 1 + (s->edges - edges) / EDGES_PER_BID;
        const outcome_t outcome = auction_count_work(k, bids, k->counters->row_scans - scans);
        if (outcome != SOLVED) {
            forget_search(s);
            return outcome;
        }
    }
    return kept ? SOLVED : OUT_OF_MEMORY;
}

/* Move the duals by the remaining distance to the free column; then clear the search. */
static void move_duals(auction_t *k, path_search_t *s) {
    const int64_t spare = k->n;
    double rise = 0.0;
    for (int64_t r = 0; r < s->row_count; r++) {
        const int64_t row = s->rows[r];
        s->u[row] += s->bound - s->row_distance[row];
        rise = row == spare ? s->bound - s->row_distance[row] : rise;
    }
    for (int64_t r = 0; r < s->reached_count; r++) {
        const int64_t j = s->reached[r];
        if (s->scanned[j]) {
            k->price[j] += s->bound - s->distance[j];
        }
    }
    forget_search(s);
    if (rise > 0.0) {
        for (int64_t j = 0; j < k->m; j++) {
            k->price[j] = k->owner[j] == spare ? s->u[spare] : k->price[j];
        }
    }
}

/* Shift columns along the path to the sink. */
static void augment(auction_t *k, path_search_t *s, int64_t start) {
    const int64_t spare = k->n;
    int64_t j = s->sink;
    s->spare_held -= k->owner[j] == spare;
    for (;;) {
        const int64_t row = s->from[j];
        k->owner[j] = (int32_t)row;
        if (row == spare) {
            k->price[j] = s->u[spare];
            s->spare_held++;
            if (start == spare) {
                return;
            }
            s->spare_held--;
            j = s->spare_entry;
            continue;
        }
        const int64_t given_up = k->held[row];
        k->held[row] = (int32_t)j;
        if (row == start) {
            return;
        }
        j = given_up;
    }
}

/* A search that reached no free column scanned the rows that it began with and those that hold the columns it reached,
 * which are all that these rows allow. Under a limit a row may stay out, and the spare class allows every column. */
outcome_t path_search_name_hall_set(assignment_t *t, const path_search_t *s) {
    const int64_t first = s->row_count - (s->reached_count + 1);
    if (is_limited(t) || first < 0) {
        return CHANGED;
    }
    return assignment_name_hall_set(t, s->rows + first, s->reached, s->reached_count);
}

void auction_write_column_duals(const auction_t *k, const int32_t *order, double *v) {
    double level = k->spare > 0 ? INFINITY : 0.0;
    for (int64_t j = 0; j < k->m && k->spare > 0; j++) {
        const int spare = k->owner[j] < 0 || k->owner[j] == k->n;
        level = spare && k->price[j] < level ? k->price[j] : level;
    }
    for (int64_t j = 0; j < k->m; j++) {
        const double above = k->price[j] - level;
        const int spare = k->spare > 0 && (above < 0.0 || k->owner[j] < 0 || k->owner[j] == k->n);
        v[order ? order[j] : j] = spare ? 0.0 : -above;
    }
}

/* Match one more row, or hold one more column for the spare class, by a shortest path. */
static outcome_t match_by_path(auction_t *k, path_search_t *s, int32_t start) {
    const outcome_t outcome = search(k, s, &start, 1);
    if (outcome != SOLVED) {
        return outcome;
    }
    if (s->sink < 0) {
        return INFEASIBLE;
    }
    move_duals(k, s);
    augment(k, s, start);
    k->counters->augmentations++;
    return SOLVED;
}

outcome_t path_search_match_exactly(auction_t *k, path_search_t *s) {
    outcome_t outcome = keep_cheapest_pairs(k, s);
    s->settled = outcome == SOLVED;
    if (outcome == SOLVED) {
        hold_spare(k, s);
        outcome = match_cheapest_pairs(k, s);
    }
    for (int paying = 1; outcome == SOLVED && paying && s->free_count >= WORTH_A_PHASE;) {
        const int64_t before = s->free_count;
        outcome = search(k, s, s->free_rows, before);
        if (outcome == SOLVED && s->sink < 0) {
            outcome = INFEASIBLE;
        }
        if (outcome == SOLVED) {
            move_duals(k, s);
            outcome = match_cheapest_pairs(k, s);
            k->counters->phases++;
            paying = (before - s->free_count) * LEAST_SHARE >= before;
        }
    }
    for (int64_t f = 0; f < s->free_count && outcome == SOLVED; f++) {
        outcome = match_by_path(k, s, s->free_rows[f]);
    }
    while (outcome == SOLVED && s->spare_held < k->spare) {
        outcome = match_by_path(k, s, (int32_t)k->n);
    }
    return outcome;
}
