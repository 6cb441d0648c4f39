/* Shared by all native tests: counted failures, random numbers that are the same everywhere, arrays of exact size, a
 * stop that never or always fires, and the instruction sets to test. */
#pragma once

#include "dispatch/kernels.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

static inline void expect(int holds, const char *what, int64_t n, int64_t m, int seed) {
    if (!holds) {
        fprintf(stderr, "FAILED %s: n = %lld, m = %lld, seed %d\n", what, (long long)n, (long long)m, seed);
        failures++;
    }
}

/* The kernels of the best instruction set of this processor. */
static inline const kernels_t *best_kernels(void) {
    isa_t isa = ISA_COUNT - 1;
    while (!find_kernels(isa)) {
        isa--;
    }
    return find_kernels(isa);
}

/* Print a summary; return the exit status. */
static inline int finish(int64_t problems) {
    printf("%lld problems, %d failures; instruction sets:", (long long)problems, failures);
    for (isa_t isa = 0; isa < ISA_COUNT; isa++) {
        printf(" %s", find_kernels(isa) ? find_kernels(isa)->name : "(one that this processor lacks)");
    }
    printf("\n");
    return failures != 0;
}

static uint64_t random_state;

static inline uint64_t random_bits(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 33;
}

static inline double random_unit(void) { return (double)random_bits() / 2147483648.0; }

static inline void seed_random(int seed) { random_state = (uint64_t)seed * 2654435761u + 1; }

static inline int never(void) { return 0; }
static inline int always(void) { return 1; }

/* Not cleared, and without spare room: sanitizers see reads before writes and every access out of bounds. */
static inline void *exactly(int64_t count, size_t size) {
    void *memory = malloc((size_t)count * size);
    if (memory == NULL && count > 0) {
        abort();
    }
    return memory;
}

static inline void *zeroed(int64_t count, size_t size) {
    void *memory = calloc((size_t)count, size);
    if (memory == NULL && count > 0) {
        abort();
    }
    return memory;
}

static inline int same_bytes(const void *a, const void *b, int64_t count, size_t size) {
    return memcmp(a, b, (size_t)count * size) == 0;
}

enum { COST_KINDS = 5 };

/* Costs of several kinds: uniform, few values, i*j, wide range, near ties; all of them float values, so that every
 * kernel sees the same. */
static inline double draw_cost(int kind, int64_t i, int64_t j) {
    switch (kind) {
    case 0:
        return (float)random_bits() / 2147483648.0f - 0.5f;
    case 1:
        return (double)(random_bits() % 4);
    case 2:
        return (double)((i + 1) * (j + 1));
    case 3:
        return (float)exp2((double)(random_bits() % 60) - 30.0);
    default:
        return 1.0f + 1.1920929e-07f * (float)(random_bits() % 3);
    }
}

/* Masses of equal sums, all above 0: equal ones, small integers, or magnitudes of all sizes. */
static inline void draw_masses(int kind, int64_t n, int64_t m, mass_t *supply, mass_t *demand) {
    mass_t sum[2] = {0, 0};
    for (int side = 0; side < 2; side++) {
        mass_t *mass = side ? demand : supply;
        for (int64_t k = 0; k < (side ? m : n); k++) {
            mass[k] = kind == 0   ? (side ? n : m)
                      : kind == 1 ? 1 + (int64_t)(random_bits() % 4)
                                  : 1 << random_bits() % 30;
            sum[side] += mass[k];
        }
    }
    supply[0] += sum[0] < sum[1] ? sum[1] - sum[0] : 0;
    demand[0] += sum[1] < sum[0] ? sum[0] - sum[1] : 0;
}
