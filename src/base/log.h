/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_LOG_H
#define WEIGHTFS_BASE_LOG_H

/*
 * The log: one line a message to standard error (with a syslog priority "<4>" in front when it goes to the
 * journal), or to a file once the daemon has left its terminal. The last lines are also kept in a ring that a
 * crash prints. Thread-safe; a line is written whole. Log once, where it is decided: base, outside, model,
 * source and store return errors; the floors above log.
 *
 * Trace keys: WEIGHTFS_TRACE=store,http switches detail on. They are compiled in; one relaxed load when off.
 */

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO };

/* Where lines go from now on: `path` is opened for appending; NULL means standard error. 0 or -errno. */
int log_open(const char *path);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)

/* A secret that must never reach a log line, a reason or a status file: each occurrence is written as
 * "***". Up to 16; shorter than 8 characters is not remembered. log_redact() applies it in place to any
 * text of ours. */
void log_secret(const char *secret);
void log_redact(char *text);

#define TRACE_TABLE(ROW)                                                               \
    ROW(http, "every request and answer head (never a header that can hold a secret)") \
    ROW(store, "blocks, seals, evictions, generations")                                \
    ROW(fetch, "which ranges are asked for, and why")                                  \
    ROW(source, "discoveries, step by step")                                           \
    ROW(catalog, "what is written to the catalogue")                                   \
    ROW(job, "states of jobs")                                                         \
    ROW(engine, "what engines say")                                                    \
    ROW(tree, "walks and snapshots")                                                   \
    ROW(fuse, "every request of the kernel and its answer")

enum trace_key {
#define TRACE_ENUM(name, help) TRACE_##name,
    TRACE_TABLE(TRACE_ENUM)
#undef TRACE_ENUM
        TRACE_END
};

extern unsigned trace_mask; /* set by trace_enable() before threads start; bit per key */
#define trace_on(key) (__builtin_expect(trace_mask >> (TRACE_##key) & 1, 0))
#define trace(key, ...)                            \
    do {                                           \
        if (trace_on(key))                         \
            trace_write(TRACE_##key, __VA_ARGS__); \
    } while (0)
void trace_write(enum trace_key key, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Comma-separated keys, or "all". Before threads start. -EINVAL for an unknown key, which is then in
 * *ret_unknown (static). */
int trace_enable(const char *keys, const char **ret_unknown);

/* Prints the ring of last lines to `fd` with write(2) only (safe in a signal handler). */
void log_dump_ring(int fd);

#endif
