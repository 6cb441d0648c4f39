/* Candidate lists of cascade's auction: memory, threads, and which columns a row lists. */
#include "cascade/auction_state.h"

/* Work below which threads do not share the scans of rows. */
enum { WORTH_SHARING = 512 };

int auction_init(auction_t *k, arena_t *a, int64_t slots) {
    const int64_t n = k->n, m = k->m;
    k->spare = m - n;
    k->latest = -1;
    k->price = arena_take(a, m + WIDTH, sizeof *k->price);
    k->owner = arena_take(a, m, sizeof *k->owner);
    k->held = arena_take(a, n, sizeof *k->held);
    k->held_cost = arena_take(a, n, sizeof *k->held_cost);
    k->begin = arena_take(a, n + 1, sizeof *k->begin);
    k->beyond = arena_take(a, n, sizeof *k->beyond);
    k->spread = arena_take(a, n, sizeof *k->spread);
    k->candidates = arena_take(a, m, sizeof *k->candidates);
    k->queue = arena_take(a, n, sizeof *k->queue);
    if (slots > 0) {
        k->column = arena_take(a, n * slots, sizeof *k->column);
        k->cost = arena_take(a, n * slots, sizeof *k->cost);
    }
    if (k->spare > 0) {
        heap_make(&k->rising, a, m);
    }
    if (a->failed) {
        return 0;
    }
    k->until_check = WORK_PER_CHECK;
    for (int64_t j = 0; j < m; j++) {
        k->owner[j] = -1;
    }
    for (int64_t j = m; j < m + WIDTH; j++) {
        k->price[j] = INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        k->held[i] = -1;
        k->beyond[i] = -INFINITY;
        k->spread[i] = -1.0;
        k->begin[i + 1] = (i + 1) * slots;
    }
    for (int64_t s = 0; s < n * slots; s++) {
        k->column[s] = (int32_t)m;
    }
    return 1;
}

int auction_start_threads(auction_t *k, arena_t *a, int64_t threads, int64_t candidates, int64_t lanes) {
    threads = threads < 1 ? 1 : (threads < MOST_THREADS ? threads : MOST_THREADS);
    k->workers = arena_take(a, threads, sizeof *k->workers);
    for (int64_t part = 1; part < threads && !a->failed; part++) {
        k->workers[part].candidates = arena_take(a, candidates, sizeof(candidate_t));
        k->workers[part].lane_low = arena_take(a, lanes, sizeof(double));
    }
    k->pool = a->failed ? NULL : thread_pool_start(a, threads);
    return k->pool != NULL;
}

/* If more columns tie for the cheapest than a list holds, list free ones first, and start at another place in each row:
 * rows that all list the same few columns would compete for them one bid at a time. */
static void pick_among_ties(auction_t *k, int64_t i, int64_t ties, int64_t room) {
    candidate_t *candidates = k->candidates;
    int64_t unowned = 0;
    for (int64_t s = 0; s < ties; s++) {
        if (k->owner[candidates[s].column] < 0) {
            candidates_swap(candidates + s, candidates + unowned++);
        }
    }
    const int64_t from = unowned >= room ? 0 : unowned, to = unowned >= room ? unowned : ties;
    const int64_t turn = (int64_t)((uint64_t)i * 2654435761u % (uint64_t)(to - from));
    /* Rotate in place by `turn`, as three reversals. */
    candidates_reverse(candidates + from, turn);
    candidates_reverse(candidates + from + turn, to - from - turn);
    candidates_reverse(candidates + from, to - from);
}

void auction_list_row(auction_t *k, int64_t i) {
    const int64_t begin = k->begin[i], room = k->begin[i + 1] - begin;
    double beyond = INFINITY;
    int64_t count = k->access->nearest(k, i, k->spread[i], &beyond);
    double low = INFINITY;
    for (int64_t s = 0; s < count; s++) {
        low = k->candidates[s].value < low ? k->candidates[s].value : low;
    }
    const int full = count > room;
    if (full) {
        candidates_select(k->candidates, count, room);
        beyond = k->candidates[room].value;
        if (beyond <= auction_rounded_up(k, low)) {
            pick_among_ties(k, i, candidates_gather_ties(k->candidates, count, auction_rounded_up(k, low)), room);
            beyond = low;
        }
        count = room;
    }
    for (int64_t s = 0; s < room; s++) {
        const int used = s < count;
        k->column[begin + s] = used ? k->candidates[s].column : (int32_t)k->m;
        k->cost[begin + s] = used ? k->candidates[s].cost : 0.0;
    }
    k->beyond[i] = beyond;
    if (beyond < INFINITY) {
        /* Ask for a little less than what filled the list, or a little more than what left it half empty. */
        if (full) {
            k->spread[i] = 0.95 * (beyond - low);
        } else if (5 * count < 3 * room) {
            const double reached = beyond - low, least = 1e-12 * k->largest;
            k->spread[i] = 1.15 * (reached > least ? reached : least);
        }
    }
    k->counters->row_scans++;
}

/* Rows to list, for the threads of the pool. */
typedef struct {
    const auction_t *auction;
    const int32_t *rows;
    int64_t count;
} row_batch_t;

static void list_part(void *context, int64_t part, int64_t parts) {
    const row_batch_t *batch = context;
    auction_t own = *batch->auction;
    if (part > 0) {
        worker_t *worker = &own.workers[part];
        own.candidates = worker->candidates;
        own.counters = &worker->counters;
        own.lane_low = worker->lane_low;
    }
    for (int64_t s = batch->count * part / parts; s < batch->count * (part + 1) / parts; s++) {
        auction_list_row(&own, batch->rows[s]);
    }
}

void auction_list_rows(auction_t *k, const int32_t *rows, int64_t count) {
    if (count * k->scan_work < WORTH_SHARING) {
        for (int64_t s = 0; s < count; s++) {
            auction_list_row(k, rows[s]);
        }
        return;
    }
    row_batch_t batch = {k, rows, count};
    thread_pool_run(k->pool, list_part, &batch);
    for (int64_t part = 1; part < k->pool->parts; part++) {
        k->counters->row_scans += k->workers[part].counters.row_scans;
        k->workers[part].counters.row_scans = 0;
    }
}
