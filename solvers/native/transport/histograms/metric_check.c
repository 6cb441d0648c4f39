/* Whether a matrix of costs is a metric. */
#include "core/variant_names.h"
#include "transport/histograms/histograms.h"

#include <math.h>

is_metric_t ISA_NAME(is_metric);

/* Whether costs (n, n) are at least 0, 0 on the diagonal, and satisfy the triangle inequality up to rounding. */
int ISA_NAME(is_metric)(const double *cost, int64_t n) {
    const double more = 1.0 + 0x1p-50;
    for (int64_t i = 0; i < n; i++) {
        if (cost[i * n + i] != 0.0) {
            return 0;
        }
        for (int64_t j = 0; j < n; j++) {
            const double *restrict direct = cost + i * n, *restrict onwards = cost + j * n, first = direct[j];
            int shorter = first < 0.0;
            for (int64_t k = 0; k < n; k++) {
                shorter |= direct[k] > (first + onwards[k]) * more;
            }
            if (shorter) {
                return 0;
            }
        }
    }
    return 1;
}
