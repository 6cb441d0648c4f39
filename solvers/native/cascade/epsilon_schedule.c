/* Epsilon schedule of cascade's auction. */
#include "cascade/epsilon_schedule.h"

/* Bids per row that a phase may take. If the first phase takes more, it started from prices further off than expected,
 * and epsilon rises. Among many rows free columns are further away: a phase may take longer, and epsilon rises less. */
enum { BIDS_RISING = 16, BIDS_RISING_MANY = 32, MANY_ROWS = 1 << 14, BIDS_EASY = 4, BIDS_FALLING = 60 };

static const double SCALING = 5.0, RISE = 5.0, RISE_MANY = 2.5;

double auction_typical_spread(auction_t *k) {
    double sample[SAMPLE];
    const int64_t count = k->n < SAMPLE ? k->n : SAMPLE;
    for (int64_t s = 0; s < count; s++) {
        const int64_t i = s * k->n / count;
        const double low = auction_best_of_row(k, i).first;
        sample[s] = k->beyond[i] < INFINITY ? k->beyond[i] - low : k->largest;
    }
    qsort(sample, (size_t)count, sizeof *sample, compare_ascending);
    const double spread = sample[count / 2];
    for (int64_t i = 0; i < k->n; i++) {
        k->spread[i] = k->spread[i] < 0.0 ? spread : k->spread[i];
    }
    return spread;
}

/* Tell the next level how far off its prices may be: as far as on this one, or a little less if few bids were needed.
 */
static void note_headroom(auction_t *k, double growth, int64_t bids) {
    const double eased = bids > BIDS_EASY * k->n ? k->headroom : k->headroom / SCALING;
    const double found = growth > 1.0 ? k->headroom * growth : eased;
    k->headroom = found > 1.0 ? found : 1.0;
}

outcome_t auction_scale_epsilon(auction_t *k, double start, double end_part, double least) {
    const int many = k->n >= MANY_ROWS;
    int falling = 0;
    const double first = start > least ? start : least;
    for (double epsilon = first;;) {
        phase_end_t how;
        const int64_t before = k->counters->bids;
        const int64_t most = falling ? BIDS_FALLING : (many ? BIDS_RISING_MANY : BIDS_RISING);
        const outcome_t outcome = auction_run_phase(k, epsilon, most * k->n, &how);
        if (outcome != SOLVED || how == PHASE_GAVE_UP || (how != PHASE_DONE && falling)) {
            return outcome;
        }
        if (how == PHASE_TOO_LONG && epsilon < k->largest) {
            epsilon *= many ? RISE_MANY : RISE;
            continue;
        }
        if (!falling) {
            note_headroom(k, epsilon / first, k->counters->bids - before);
        }
        falling = 1;
        double end = end_part * auction_typical_spread(k);
        end = end > least ? end : least;
        if (epsilon <= 1.5 * end) {
            return SOLVED; /* or values have overflowed, and epsilon would not fall any more */
        }
        epsilon = epsilon / SCALING > end ? epsilon / SCALING : end;
    }
}
