/* Taylor series of 2^(x.y), which replace exponentials where products are small. Compiled per dimension (DIM). */
#pragma once

#include "sinkhorn/tiles.inc.h"

/* Terms of the series up to a degree, in the order in which moments are summed. */
enum { DEGREES = DIM == 2 ? 11 : 7, MOST_TERMS = DIM == 2 ? 66 : 84 };

typedef struct {
    int terms;
    double factor[MOST_TERMS]; /* (ln 2)^|k| / k! */
    double order[MOST_TERMS];  /* |k| */
    double reach;              /* the series is accurate enough up to this product */
} series_t;

/* The largest product up to which a series of this degree is accurate enough: its relative error is at most z^(degree +
 * 1) / (degree + 1)! e^z for a product of z / ln 2 or -z / ln 2. */
static double series_reach(int degree, double precision) {
    double low = 0.0, high = 2.0;
    for (int step = 0; step < 40; step++) {
        const double z = 0.5 * (low + high);
        double rest = exp(z);
        for (int k = 1; k <= degree + 1; k++) {
            rest *= z / k;
        }
        *(rest <= precision ? &low : &high) = z;
    }
    return low / LOG_2;
}

static void series_init(series_t *s, int degree, double precision) {
    s->reach = series_reach(degree, precision);
    double part[DEGREES] = {1.0}; /* (ln 2)^k / k! */
    for (int k = 1; k < DEGREES; k++) {
        part[k] = part[k - 1] * LOG_2 / k;
    }
    s->terms = 0;
    for (int l = 0; l <= (DIM == 3 ? degree : 0); l++) {
        for (int k = 0; k <= degree - l; k++) {
            for (int i = 0; i <= degree - l - k; i++) {
                s->factor[s->terms] = part[l] * part[k] * part[i];
                s->order[s->terms++] = l + k + i;
            }
        }
    }
}

static inline int terms_of(int degree) {
    return DIM == 2 ? (degree + 1) * (degree + 2) / 2 : (degree + 1) * (degree + 2) * (degree + 3) / 6;
}
