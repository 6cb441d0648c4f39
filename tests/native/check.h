/* What native tests share: failures that are counted and told, random numbers that are the same everywhere, arrays of
 * the exact size, and what is asked to stop a solver. */
#ifndef LAPMARK_CHECK_H
#define LAPMARK_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int failures = 0;

static inline void expect(int holds, const char *what, int64_t n, int64_t m, int seed) {
    if (!holds) {
        fprintf(stderr, "FAILED %s: n = %lld, m = %lld, seed %d\n", what, (long long)n, (long long)m, seed);
        failures++;
    }
}

static uint64_t random_state;

static inline uint64_t random_bits(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 33;
}

static inline double random_unit(void) { return (double)random_bits() / 2147483648.0; }

static inline int never(void) { return 0; }
static inline int always(void) { return 1; }

/* Not cleared, and without room to spare: sanitizers see what is read before it is set, and every access past an end.
 */
static inline void *exactly(int64_t count, size_t size) {
    void *memory = malloc((size_t)count * size);
    if (memory == NULL && count > 0) {
        abort();
    }
    return memory;
}

#endif
