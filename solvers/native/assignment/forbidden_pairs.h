/* Forbidden pairs cost +inf. If too many are forbidden, Hall's theorem gives a proof that no matching exists: a set of
 * rows that allows fewer columns than it has rows. */
#pragma once

#include "assignment/assignment.h"

#include <string.h>

/* End with the Hall set of `count` columns and of count + 1 rows that allow no other column. Only the `given` rows have
 * forbidden pairs: a set with any other row contradicts the costs as they were checked. */
static inline outcome_t assignment_name_hall_set(assignment_t *t, const int32_t *rows, const int32_t *columns,
                                                 int64_t count) {
    int proves = 1;
    t->blocked = count + 1;
    for (int64_t k = 0; k <= count; k++) {
        proves = proves && rows[k] < t->given;
    }
    memmove(t->x, rows, (size_t)(count + 1) * sizeof *t->x);
    memmove(t->y, columns, (size_t)count * sizeof *t->y);
    return proves ? INFEASIBLE : CHANGED;
}
