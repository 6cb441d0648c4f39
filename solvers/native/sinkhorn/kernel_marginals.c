/* Both marginals of a plan whose kernel is stored: after a change of potentials e_ij = u_i kept_ij v_j, and no
 * exponential is taken. The kernel is read once for both marginals, in float32 to halve the memory traffic. */
#include "simd/exp2.h"
#include "sinkhorn/matrix_marginals.h"

#include "core/variant_names.h"

enum { ROWS = 4 };

/* `count` rows, at most ROWS: rows[i] = sum_j kept_ij b_j, columns[j] += sum_i a_i kept_ij. */
static inline void add_rows(const float *kept, int count, int64_t m, const double *a, const double *b, double *rows,
                            double *columns) {
    f64_lanes_t sums[ROWS] = {{0}};
    int64_t j = 0;
    for (; j + F64_LANES <= m; j += F64_LANES) {
        const f64_lanes_t mass = f64_load(b + j);
        f64_lanes_t column = f64_load(columns + j);
        for (int i = 0; i < count; i++) {
            const f64_lanes_t e = f64_load_f32(kept + i * m + j);
            sums[i] += e * mass;
            column += a[i] * e;
        }
        memcpy(columns + j, &column, sizeof column);
    }
    for (int i = 0; i < count; i++) {
        rows[i] = f64_sum(sums[i]);
        for (int64_t rest = j; rest < m; rest++) {
            const double e = (double)kept[i * m + rest];
            rows[i] += e * b[rest];
            columns[rest] += a[i] * e;
        }
    }
}

kernel_marginals_t ISA_NAME(kernel_marginals);

void ISA_NAME(kernel_marginals)(const float *kept, int64_t n, int64_t m, const double *a, const double *b, double *rows,
                                double *columns) {
    int64_t i = 0;
    for (; i + ROWS <= n; i += ROWS) {
        add_rows(kept + i * m, ROWS, m, a + i, b, rows + i, columns);
    }
    for (; i < n; i++) {
        add_rows(kept + i * m, 1, m, a + i, b, rows + i, columns);
    }
}
