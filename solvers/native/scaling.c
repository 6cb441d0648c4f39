/* Both sums of a plan whose kernel is at hand: after a change of potentials e_ij = u_i kept_ij v_j, and no exponential
 * is taken. The kernel is read once for both; it is in float32, of which there is half as much to read.
 */
#include "exp2.h"
#include "names.h"
#include "softmin.h"

enum { WIDTH = VECTOR_BYTES / 8, ROWS = 4 };

typedef float floats_t __attribute__((vector_size(WIDTH * sizeof(float))));

static inline f64_lanes_t load(const double *p) {
    f64_lanes_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline f64_lanes_t load_kept(const float *p) {
    floats_t x;
    memcpy(&x, p, sizeof x);
    return __builtin_convertvector(x, f64_lanes_t);
}

/* `count` rows, at most ROWS: rows[i] = sum_j kept_ij b_j, columns[j] += sum_i a_i kept_ij. */
static inline void add_rows(const float *kept, int count, int64_t m, const double *a, const double *b, double *rows,
                            double *columns) {
    f64_lanes_t sums[ROWS] = {{0}};
    int64_t j = 0;
    for (; j + WIDTH <= m; j += WIDTH) {
        const f64_lanes_t mass = load(b + j);
        f64_lanes_t column = load(columns + j);
        for (int i = 0; i < count; i++) {
            const f64_lanes_t e = load_kept(kept + i * m + j);
            sums[i] += e * mass;
            column += a[i] * e;
        }
        memcpy(columns + j, &column, sizeof column);
    }
    for (int i = 0; i < count; i++) {
        rows[i] = 0.0;
        for (int k = 0; k < WIDTH; k++) {
            rows[i] += sums[i][k];
        }
        for (int64_t rest = j; rest < m; rest++) {
            const double e = (double)kept[i * m + rest];
            rows[i] += e * b[rest];
            columns[rest] += a[i] * e;
        }
    }
}

scaled_t NAME(scaled);

void NAME(scaled)(const float *kept, int64_t n, int64_t m, const double *a, const double *b, double *rows,
                  double *columns) {
    int64_t i = 0;
    for (; i + ROWS <= n; i += ROWS) {
        add_rows(kept + i * m, ROWS, m, a + i, b, rows + i, columns);
    }
    for (; i < n; i++) {
        add_rows(kept + i * m, 1, m, a + i, b, rows + i, columns);
    }
}
