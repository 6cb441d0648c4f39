/* Cascade on a matrix.
 *
 * What decides is the prices that the exact end starts from, and which way to good prices is short depends on the
 * structure of the costs; the opening looks for it. Where rows and columns resemble each other, as for distances,
 * prices come coarse to fine. Where nothing resembles anything that would be in vain, and one auction with hardly any
 * epsilon is all it takes. Few different rows, the order of points on a line, and ties have openings of their own.
 *
 * An opening may come to nothing, at the cost of a few scans a row; none is needed for the answer to be exact.
 */
#include "duplicates.h"
#include "exceptions.h"
#include "flat.h"
#include "landmarks.h"
#include "matrix.h"
#include "monge.h"
#include "multilevel.h"
#include "schedule.h"
#include "survey.h"
#include "tied.h"

/* A single auction: epsilon in parts of the spread, with lists that are short since few bids are made. */
static const double SLIGHT = 0.01;
enum { SHORT_LIST = 8, ENOUGH_BIDS = 3, SINGLE_BIDS = 12, PROBE_BIDS = 10, FEW_ROWS = 640, TINY = 64 };

/* The part of rows that have to agree with their column, and the range of values in parts of the costs, for costs that
 * are soon reduced. */
static const double AGREED = 0.9, NEARLY_FLAT = 1e-5;

/* Costs that are this many times as far above the cheapest as the last of a row's list are no measure of anything. */
static const double WIDE_SPAN = 1000.0;

/* Rows and columns of the probe, of more than FEW_ROWS; ties of a row that count as tied. */
enum { PROBE = 512, TIED = 3 };

/* What the rows of a sample are like at present prices. */
typedef struct {
    int64_t ties; /* how many columns tie for the cheapest, the median */
    double range; /* from the smallest value of a row to its largest, the largest */
    double scale; /* by how much costs differ that matter: some times what the list of a row spans, at most the range */
    double size;  /* of the costs and prices that a row begins with, the median, and that scale */
    double agree; /* the part of the rows whose cheapest column has no row that is cheaper for it */
    double dear;  /* the part of the costs that are the largest there is */
} look_t;

static look_t look_at_rows(market_t *k, double dearest) {
    double ties[SAMPLE], spans[SAMPLE], sizes[SAMPLE];
    look_t look = {0};
    int64_t agree = 0, dear = 0;
    const int64_t count = k->n < SAMPLE ? k->n : SAMPLE;
    for (int64_t s = 0; s < count; s++) {
        const cost_t *c = row_of(k->costs, s * k->n / count);
        const double least = row_minima(c, k->price, k->m, k->costs->low);
        const double span = bound_from_lanes(k) - least;
        spans[s] = span < INFINITY ? span : 0.0;
        ties[s] = (double)collect(k, c, least);
        const offer_t *first = k->offers;
        sizes[s] = ties[s] > 0.0 ? fabs(first->cost) + fabs(k->price[first->column]) : 0.0;
        agree += least <= 0.0;
        for (int64_t j = 0; j < k->m; j++) {
            const double above = (double)c[j] + k->price[j] - least;
            look.range = above > look.range && above < INFINITY ? above : look.range;
            dear += (double)c[j] == dearest;
        }
    }
    k->counters->row_scans += count;
    qsort(ties, (size_t)count, sizeof *ties, ascending);
    qsort(spans, (size_t)count, sizeof *spans, ascending);
    qsort(sizes, (size_t)count, sizeof *sizes, ascending);
    look.ties = (int64_t)ties[count / 2];
    const double scale = WIDE_SPAN * spans[count / 2];
    look.scale = scale > 0.0 && scale < look.range ? scale : look.range;
    look.size = sizes[count / 2] + look.scale;
    look.agree = (double)agree / (double)count;
    look.dear = (double)dear / (double)(count * k->m);
    return look;
}

/* The smallest epsilon that hardly a sum of such costs and prices swallows. */
static double least_epsilon(const look_t *look) { return 8.0 * DBL_EPSILON * look->size; }

/* Begin anew, with lists of `slots` columns, no more than they were made with. */
static void forget_lists(market_t *k, int64_t slots) {
    k->costs->list = slots;
    for (int64_t i = 0; i < k->n; i++) {
        k->held[i] = -1;
        k->beyond[i] = -INFINITY;
        k->spread[i] = -1.0;
        k->begin[i + 1] = (i + 1) * slots;
    }
    for (int64_t j = 0; j < k->m; j++) {
        k->owner[j] = -1;
    }
    for (int64_t s = 0; s < k->n * slots; s++) {
        k->column[s] = (int32_t)k->m;
    }
}

/* One auction with hardly any epsilon; with less, and less again, where that was too much for rows to bid at all. */
static outcome_t auction_once(market_t *k, const whole_t *whole, int64_t bids_per_row, phase_end_t *how) {
    const int64_t before = k->counters->bids;
    outcome_t outcome;
    double epsilon = SLIGHT * typical_spread(k);
    do {
        const int64_t left = bids_per_row * k->n - (k->counters->bids - before);
        epsilon = epsilon > whole->least ? epsilon : whole->least;
        outcome = bid_phase(k, epsilon, left, how);
        epsilon *= SLIGHT;
    } while (outcome == SOLVED && *how == PHASE_DONE && k->counters->bids - before < ENOUGH_BIDS * k->n &&
             epsilon > whole->least);
    return outcome;
}

/* What is left of costs that are a_i + b_j but for rounding is ties of all sizes, too many for any list. */
static int is_nearly_flat(const survey_t *survey, const look_t *look) {
    return look->range <= NEARLY_FLAT * largest_magnitude(survey);
}

outcome_t NAME(jv)(task_t *t);
outcome_t NAME(auction)(task_t *t);

/* Whatever an opening misjudges, the search on lists and the method of Jonker and Volgenant take turns, each time for
 * twice as long: so neither can cost more than some times what the other would have. An auction of whole rows takes
 * much the same whatever costs are like. It has a turn after the first of the latter, from no prices, and others later.
 */
typedef struct {
    work_t lists; /* first, for `ask` */
    int64_t rows; /* scans of rows that the method of Jonker and Volgenant may have made when its turn ends */
    task_t *task;
    const market_t *market;
    const paths_t *paths;
    outcome_t outcome; /* what it has ended with, where lists are OVERTAKEN */
    int64_t auction;   /* scans of each row that an auction may make in its next turn */
    int64_t due;       /* that is when the method of Jonker and Volgenant may have made so many scans in its own */
} turns_t;

/* Scans of each row that either may make at first. The latter is tried before lists, for longer, where rows are few;
 * and before anything else, but not for long, where they are or columns are left over: hardly a row has to be outbid
 * then. */
enum {
    LISTS_SCANS = 40,
    ROWS_SCANS = 64,
    FIRST_SCANS = 64,
    SOON_SCANS = 4,
    WIDE_SCANS = 16,
    EASIEST_SCANS = 6,
    EASY_SCANS = 20,
    AUCTION_SCANS = 200
};

/* Leave the pairs that are held, all of them the cheapest of their rows, and the prices to Jonker and Volgenant's
 * method, unless it knows more pairs already. */
static void hand_over(task_t *t, const market_t *k) {
    int64_t known = 0, held = 0;
    for (int64_t i = 0; i < t->n; i++) {
        known += t->stage != FROM_NOTHING && t->x[i] >= 0;
        held += k->held[i] >= 0;
    }
    if (known >= held) {
        return;
    }
    t->stage = FROM_PAIRS;
    memcpy(t->x, k->held, (size_t)t->n * sizeof *t->x);
    for (int64_t j = 0; j < t->m; j++) {
        t->y[j] = k->owner[j];
        t->v[j] = -k->price[j];
    }
}

/* So many scans of rows; OVERTAKEN where that is the end. */
static outcome_t turn_to_rows(turns_t *turns, int64_t scans) {
    task_t *t = turns->task;
    t->most_scans = t->counters.row_scans + scans;
    turns->outcome = NAME(jv)(t);
    t->most_scans = 0;
    t->outcome = SOLVED;
    return turns->outcome == SPENT ? SOLVED : OVERTAKEN;
}

/* Room for the answer to a task of its own. */
static void take_answer(task_t *t, arena_t *a) {
    t->x = arena_take(a, t->n, sizeof *t->x);
    t->y = arena_take(a, t->m, sizeof *t->y);
    t->u = arena_take(a, t->n, sizeof *t->u);
    t->v = arena_take(a, t->m, sizeof *t->v);
}

static outcome_t turn_to_auction(turns_t *turns) {
    task_t *t = turns->task;
    const int64_t n = t->n, m = t->m;
    arena_t arena = {0};
    task_t part = {.n = m, .m = m, .given = n, .cost = t->cost, .limit = INFINITY, .stop = t->stop};
    part.zeros = arena_take(&arena, m + WIDTH, sizeof(cost_t));
    take_answer(&part, &arena);
    part.look_every = t->look_every;
    part.counters = t->counters;
    part.most_scans = t->counters.row_scans + turns->auction * m;
    turns->auction *= 4;
    turns->due = 4 * turns->rows;
    turns->outcome = OUT_OF_MEMORY;
    if (!arena.failed) {
        turns->outcome = NAME(auction)(&part);
        t->counters = part.counters;
    }
    /* What it says of costs that allow no matching is said in rows that it has added. */
    const int goes_on = turns->outcome == SPENT || turns->outcome == INFEASIBLE || turns->outcome == CHANGED;
    if (!goes_on && turns->outcome != OUT_OF_MEMORY) {
        memcpy(t->x, part.x, (size_t)n * sizeof *t->x);
        memcpy(t->u, part.u, (size_t)n * sizeof *t->u);
        memcpy(t->v, part.v, (size_t)m * sizeof *t->v);
    }
    arena_free(&arena);
    return goes_on ? SOLVED : OVERTAKEN;
}

/* Whether Jonker and Volgenant's method is over on a part after so many scans of each row. */
static outcome_t rows_are_easy(const part_t *part, const market_t *whole, int64_t scans, int *easy) {
    const int64_t n = part->market.n;
    arena_t arena = {0};
    task_t task = {.n = n, .m = n, .given = n, .cost = part->costs.entries, .limit = INFINITY, .stop = *whole->stop};
    take_answer(&task, &arena);
    task.look_every = LOOK_EVERY;
    task.most_scans = scans * n;
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : NAME(jv)(&task);
    whole->counters->row_scans += task.counters.row_scans;
    *easy = outcome == SOLVED;
    arena_free(&arena);
    return outcome == SPENT || outcome == INFEASIBLE || outcome == CHANGED ? SOLVED : outcome;
}

/* What some rows and columns chosen at random are like, and so, more or less, all. */
typedef struct {
    int unstructured; /* the single auction is over soon: it takes 4 to 9 bids a row there, and 46 and more elsewhere */
    int easy; /* else, whether Jonker and Volgenant's method is; or it is over at once, which is looked at first */
} probe_t;

static outcome_t probe_part(const whole_t *whole, int tied, probe_t *probe) {
    const market_t *w = whole->market;
    int32_t rows[PROBE], columns[PROBE];
    for (int64_t s = 0; s < PROBE; s++) {
        const uint64_t height = (uint64_t)(w->n / PROBE), width = (uint64_t)(w->m / PROBE);
        rows[s] = (int32_t)(s * (int64_t)height + (int64_t)(scrambled((uint64_t)s) % height));
        columns[s] = (int32_t)(s * (int64_t)width + (int64_t)(scrambled(~(uint64_t)s) % width));
    }
    part_t part;
    phase_end_t how = PHASE_GAVE_UP;
    outcome_t outcome = part_make(&part, whole, rows, PROBE, columns, PROBE, SHORT_LIST);
    if (outcome == SOLVED) {
        outcome = rows_are_easy(&part, w, EASIEST_SCANS, &probe->easy);
    }
    if (outcome == SOLVED && !probe->easy && !tied) {
        outcome = auction_once(&part.market, whole, PROBE_BIDS, &how);
        probe->unstructured = how == PHASE_DONE;
    }
    if (outcome == SOLVED && !probe->easy && !probe->unstructured) {
        outcome = rows_are_easy(&part, w, EASY_SCANS, &probe->easy);
    }
    arena_free(&part.arena);
    return outcome;
}

/* An auction of either kind always leads to prices. */
static outcome_t open_by_auction(market_t *k, whole_t *whole, int tied, arena_t *a) {
    probe_t probe = {.unstructured = k->n <= FEW_ROWS};
    outcome_t outcome = SOLVED;
    if (!probe.unstructured) {
        outcome = probe_part(whole, tied, &probe);
    }
    if (outcome == SOLVED && probe.easy) {
        outcome = turn_to_rows((turns_t *)k->work, 2 * EASY_SCANS * k->n);
    }
    if (outcome == SOLVED && probe.unstructured) {
        phase_end_t how;
        forget_lists(k, SHORT_LIST);
        outcome = auction_once(k, whole, SINGLE_BIDS, &how);
        if (outcome != SOLVED || is_nearly_done(how)) {
            return outcome;
        }
        forget_lists(k, LIST);
    }
    return outcome == SOLVED ? open_by_levels(k, whole, a) : outcome;
}

/* Where the costs look as if that were the shorter way, and where rows are few by an auction after it. */
static outcome_t first_by_rows(const market_t *k) {
    turns_t *turns = (turns_t *)k->work;
    const outcome_t outcome = turn_to_rows(turns, FIRST_SCANS * k->n);
    return outcome == SOLVED && k->n <= FEW_ROWS ? turn_to_auction(turns) : outcome;
}

/* Lists have done what they may. */
static outcome_t end_of_turn(work_t *work) {
    turns_t *turns = (turns_t *)work;
    if (turns->paths->settled && turns->market->spare == 0) {
        hand_over(turns->task, turns->market);
    }
    outcome_t outcome = turn_to_rows(turns, turns->rows);
    if (outcome == SOLVED && turns->rows >= turns->due) {
        outcome = turn_to_auction(turns);
    }
    turns->rows *= 2;
    work->most *= 2;
    return outcome;
}

static outcome_t open_square(market_t *k, paths_t *s, whole_t *whole, arena_t *a, const look_t *look,
                             opening_t *opening) {
    outcome_t outcome = SOLVED;
    if (!whole->survey.forbids) {
        outcome = open_flat(k, opening);
        if (outcome == SOLVED && *opening == NOTHING && is_nearly_flat(&whole->survey, look)) {
            outcome = first_by_rows(k);
        }
        for (int columns = 0; columns < 2 && outcome == SOLVED && *opening == NOTHING; columns++) {
            outcome = open_duplicates(k, s, columns, whole->survey.high - whole->survey.low, opening);
        }
        if (outcome == SOLVED && *opening == NOTHING) {
            outcome = open_monge(k, s, whole, opening);
        }
    }
    /* Few rows are searched for one by one sooner than bid for. So are the few that are left where nearly every row has
     * a column that no other row is cheaper for. */
    if (outcome == SOLVED && *opening == NOTHING && (k->n <= FEW_ROWS || look->agree >= AGREED)) {
        outcome = first_by_rows(k);
    }
    if (outcome == SOLVED && *opening == NOTHING && look->ties >= TIED) {
        outcome = open_tied(k, s, opening);
        if (*opening == NOTHING) {
            forget_lists(k, LIST);
        }
    }
    return outcome == SOLVED && *opening == NOTHING ? open_by_auction(k, whole, look->ties >= TIED, a) : outcome;
}

static int64_t count_free(const market_t *k) {
    int64_t count = 0;
    for (int64_t i = 0; i < k->n; i++) {
        count += k->held[i] < 0;
    }
    return count;
}

/* More columns than rows: hardly any has to be outbid. */
static outcome_t open_wide(market_t *k, paths_t *s, whole_t *whole, arena_t *a, const look_t *look,
                           opening_t *opening) {
    if (!whole->survey.forbids) {
        outcome_t outcome = open_flat_wide(k, s, whole->column_low, opening);
        if (outcome == SOLVED && *opening == NOTHING) {
            price_by_column(k, whole->column_low);
            outcome = open_duplicates(k, s, 0, whole->survey.high - whole->survey.low, opening);
        }
        if (outcome == SOLVED && *opening == NOTHING) {
            outcome = open_monge(k, s, whole, opening);
        }
        if (outcome != SOLVED || *opening != NOTHING) {
            return outcome;
        }
    }
    const outcome_t tried = k->n <= FEW_ROWS ? first_by_rows(k) : turn_to_rows((turns_t *)k->work, WIDE_SCANS * k->n);
    if (tried != SOLVED) {
        return tried;
    }
    if (look->ties >= TIED) {
        typical_spread(k);
        return SOLVED;
    }
    phase_end_t how;
    forget_lists(k, SHORT_LIST);
    typical_spread(k);
    const outcome_t outcome = reduce_rows(k, SINGLE_BIDS * k->n, &how);
    if (outcome != SOLVED || (is_nearly_done(how) && count_free(k) <= k->n / 4)) {
        return outcome;
    }
    forget_lists(k, LIST);
    return open_by_levels(k, whole, a);
}

static outcome_t open_market(task_t *t, market_t *k, paths_t *s, arena_t *a, opening_t *opening) {
    whole_t whole = {.market = k};
    whole.column_low = arena_take(a, k->m, sizeof *whole.column_low);
    outcome_t outcome = whole.column_low ? survey_all(k, whole.column_low, &whole.survey) : OUT_OF_MEMORY;
    if (outcome == SOLVED) {
        const double range = whole.survey.high - whole.survey.low;
        t->largest = range;
        const double most = sizeof(cost_t) == sizeof(float) ? FLT_MAX : DBL_MAX;
        whole.dear = whole.survey.high < most - range ? whole.survey.high + range : most;
        price_by_column(k, whole.column_low);
        const look_t look = look_at_rows(k, whole.survey.high);
        k->largest = look.scale;
        whole.least = least_epsilon(&look);
        int few = 0;
        if (!whole.survey.forbids && look.range > 0.0 && look.dear >= 1.0 - FEW) {
            outcome = solve_exceptions(t, whole.survey.high, a, &few);
        }
        if (few || outcome != SOLVED) {
            *opening = ANSWERED;
            return outcome;
        }
        outcome = (k->spare > 0 ? open_wide : open_square)(k, s, &whole, a, &look, opening);
    }
    return outcome;
}

/* Duals of the columns: a spare class costs nothing, so its level is where they are counted from. */
static void set_column_duals(task_t *t, const market_t *k, double level) {
    for (int64_t j = 0; j < t->m; j++) {
        const double above = k->price[j] - level;
        t->v[j] = k->spare > 0 && above < 0.0 ? 0.0 : -above;
    }
}

/* n <= m; t->cost is a row-major matrix. */
outcome_t NAME(cascade)(task_t *t) {
    if (is_limited(t)) {
        return solve_limited(t);
    }
    if (t->n <= TINY) {
        return NAME(jv)(t); /* over before anything could be known about the costs */
    }
    arena_t arena = {0};
    costs_t costs = {0};
    paths_t s = {0};
    market_t k = {.costs = &costs,
                  .n = t->n,
                  .m = t->m,
                  .without = t->without,
                  .counters = &t->counters,
                  .stop = &t->stop,
                  .scan_work = scan_work(t->m)};
    turns_t turns = {.lists = {.most = LISTS_SCANS * t->n * pass_work(t->m), .ask = end_of_turn},
                     .rows = ROWS_SCANS * t->n,
                     .auction = AUCTION_SCANS,
                     .task = t,
                     .market = &k,
                     .paths = &s};
    k.work = &turns.lists;
    opening_t opening = NOTHING;
    outcome_t outcome = t->outcome = stopped(&t->stop);
    if (outcome != SOLVED) {
        return stop_without_prices(t);
    }
    if (t->n < t->m || t->n <= FEW_ROWS) {
        outcome = turn_to_rows(&turns, (t->n <= FEW_ROWS ? 2 * SOON_SCANS : SOON_SCANS) * t->n);
    }
    if (outcome == SOLVED && !(costs_make(&costs, &arena, t->cost, t->m, LIST) &&
                               market_hire(&k, &arena, t->threads, t->m, blocks_of(t->m) * WIDTH) &&
                               market_make(&k, &arena, LIST) && paths_make(&s, &arena, t->n, t->m))) {
        outcome = OUT_OF_MEMORY;
    }
    if (outcome == SOLVED) {
        outcome = open_market(t, &k, &s, &arena, &opening);
    }
    if (outcome == SOLVED && (opening == NOTHING || opening == PRICES)) {
        outcome = solve_exactly(&k, &s);
    }
    if (outcome == OVERTAKEN) {
        outcome = turns.outcome;
        t->largest = 0.0; /* what it goes through is its duals and what pairs cost that it takes */
    } else if (opening == ANSWERED) {
        /* nothing is left to say */
    } else if (outcome == INFEASIBLE) {
        outcome = name_hall_set(t, &s);
    } else if (outcome == SOLVED) {
        set_column_duals(t, &k, k.spare > 0 ? s.u[k.n] : 0.0);
        for (int64_t i = 0; i < t->n; i++) {
            t->x[i] = k.held[i];
            t->u[i] = (double)row_of(&costs, i)[t->x[i]] - t->v[t->x[i]];
        }
    } else if (outcome != OUT_OF_MEMORY) {
        double low = INFINITY;
        for (int64_t j = 0; j < t->m; j++) {
            low = k.price[j] < low ? k.price[j] : low;
        }
        set_column_duals(t, &k, k.spare > 0 ? low : 0.0);
    }
    if (k.crew) {
        crew_dismiss(k.crew);
    }
    arena_free(&arena);
    return outcome;
}
