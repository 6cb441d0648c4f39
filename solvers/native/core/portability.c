/* Calls of the system, for POSIX and for Windows: see portability.h. */
#define _POSIX_C_SOURCE 200809L /* C11 alone has no clock that only runs forward */

#include "core/portability.h"

#include <stdlib.h>

typedef struct {
    void (*work)(void *);
    void *context;
} task_t;

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <process.h>
#include <windows.h>

struct thread {
    task_t task;
    HANDLE handle;
};

struct monitor {
    SRWLOCK lock;
    CONDITION_VARIABLE wake;
};

double monotonic_seconds(void) {
    LARGE_INTEGER ticks, per_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&per_second);
    return (double)ticks.QuadPart / (double)per_second.QuadPart;
}

void *aligned_memory(size_t alignment, size_t bytes) { return _aligned_malloc(bytes, alignment); }
void aligned_memory_free(void *memory) { _aligned_free(memory); }

static unsigned __stdcall run_thread(void *given) {
    const task_t *task = given;
    task->work(task->context);
    return 0;
}

thread_t *thread_start(void (*work)(void *), void *context) {
    thread_t *thread = malloc(sizeof *thread);
    if (thread) {
        thread->task = (task_t){work, context};
        thread->handle = (HANDLE)_beginthreadex(NULL, 0, run_thread, &thread->task, 0, NULL);
        if (!thread->handle) {
            free(thread);
            return NULL;
        }
    }
    return thread;
}

void thread_join(thread_t *thread) {
    WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
    free(thread);
}

void thread_yield(void) { SwitchToThread(); }

monitor_t *monitor_new(void) {
    monitor_t *monitor = malloc(sizeof *monitor);
    if (monitor) {
        InitializeSRWLock(&monitor->lock);
        InitializeConditionVariable(&monitor->wake);
    }
    return monitor;
}

void monitor_free(monitor_t *monitor) { free(monitor); }
void monitor_lock(monitor_t *monitor) { AcquireSRWLockExclusive(&monitor->lock); }
void monitor_unlock(monitor_t *monitor) { ReleaseSRWLockExclusive(&monitor->lock); }
void monitor_wait(monitor_t *monitor) { SleepConditionVariableSRW(&monitor->wake, &monitor->lock, INFINITE, 0); }
void monitor_wake_all(monitor_t *monitor) { WakeAllConditionVariable(&monitor->wake); }

#else

#include <pthread.h>
#include <sched.h>
#include <time.h>

struct thread {
    task_t task;
    pthread_t handle;
};

struct monitor {
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

double monotonic_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void *aligned_memory(size_t alignment, size_t bytes) {
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment); /* macOS takes multiples only */
}

void aligned_memory_free(void *memory) { free(memory); }

static void *run_thread(void *given) {
    const task_t *task = given;
    task->work(task->context);
    return NULL;
}

thread_t *thread_start(void (*work)(void *), void *context) {
    thread_t *thread = malloc(sizeof *thread);
    if (thread) {
        thread->task = (task_t){work, context};
        if (pthread_create(&thread->handle, NULL, run_thread, &thread->task) != 0) {
            free(thread);
            return NULL;
        }
    }
    return thread;
}

void thread_join(thread_t *thread) {
    pthread_join(thread->handle, NULL);
    free(thread);
}

void thread_yield(void) { sched_yield(); }

monitor_t *monitor_new(void) {
    monitor_t *monitor = malloc(sizeof *monitor);
    if (monitor) {
        pthread_mutex_init(&monitor->lock, NULL);
        pthread_cond_init(&monitor->wake, NULL);
    }
    return monitor;
}

void monitor_free(monitor_t *monitor) {
    if (monitor) {
        pthread_cond_destroy(&monitor->wake);
        pthread_mutex_destroy(&monitor->lock);
    }
    free(monitor);
}

void monitor_lock(monitor_t *monitor) { pthread_mutex_lock(&monitor->lock); }
void monitor_unlock(monitor_t *monitor) { pthread_mutex_unlock(&monitor->lock); }
void monitor_wait(monitor_t *monitor) { pthread_cond_wait(&monitor->wake, &monitor->lock); }
void monitor_wake_all(monitor_t *monitor) { pthread_cond_broadcast(&monitor->wake); }

#endif
