/* What C leaves to the system and the compiler: threads, a monotonic clock, aligned memory, 128-bit integers, bits.
 *
 * The compiler is GCC or Clang, whose vectors `simd/` needs, too. The functions that call the system are in
 * portability.c, for POSIX and for Windows, whose headers define macros such as `near`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Seconds on a clock that only runs forward. */
double monotonic_seconds(void);

/* Memory whose address is a multiple of a power of two; NULL if there is none. */
void *aligned_memory(size_t alignment, size_t bytes);
void aligned_memory_free(void *memory);

/* A thread; NULL if the system grants none. To join it frees it. */
typedef struct thread thread_t;
thread_t *thread_start(void (*work)(void *), void *context);
void thread_join(thread_t *thread);

/* Let other threads have the core. */
void thread_yield(void);

/* A lock, and threads that wait within it to be woken; NULL without memory. */
typedef struct monitor monitor_t;
monitor_t *monitor_new(void);
void monitor_free(monitor_t *monitor);
void monitor_lock(monitor_t *monitor);
void monitor_unlock(monitor_t *monitor);
void monitor_wait(monitor_t *monitor);
void monitor_wake_all(monitor_t *monitor);

__extension__ typedef __int128 int128_t;
__extension__ typedef unsigned __int128 uint128_t;

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* The lowest bit that is set, of bits other than 0. */
static inline int lowest_bit(uint64_t bits) { return __builtin_ctzll(bits); }

static inline int count_bits(uint64_t bits) { return __builtin_popcountll(bits); }

/* Fetch a cache line that is read soon; the address may be any. */
static inline void prefetch(const void *address) { __builtin_prefetch(address); }
