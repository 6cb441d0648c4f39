/* When a long loop has to give up: the user asked for it, or the time is over. */
#ifndef LAPMARK_STOP_H
#define LAPMARK_STOP_H

#include <time.h>

/* Asked now and then by a long loop; true when the user wants it to stop. */
typedef int (*interrupted_t)(void);

typedef struct {
    interrupted_t interrupted;
    double deadline; /* on the monotonic clock, in seconds; +inf where there is none */
} stop_t;

typedef enum { GO_ON = 0, STOP_INTERRUPTED, STOP_LATE } stop_reason_t;

static inline double monotonic_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A system call and a look at the interpreter: ask once in a few hundred microseconds of work, not more often. */
static inline stop_reason_t stop_asked(const stop_t *stop) {
    if (stop->interrupted()) {
        return STOP_INTERRUPTED;
    }
    return monotonic_seconds() > stop->deadline ? STOP_LATE : GO_ON;
}

#endif
