/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log_ring.h"
#include "base/utf8.h"

enum { LINE_SIZE = 2048 };

static const struct level {
    int priority; /* syslog's */
    const char *word;
} LEVELS[] = {
    [LOG_LEVEL_ERROR] = {3, "error: "  },
    [LOG_LEVEL_WARNING] = {4, "warning: "},
    [LOG_LEVEL_NOTICE] = {5, ""         },
    [LOG_LEVEL_INFO] = {6, ""         },
};

static const struct trace_row {
    const char *name;
} TRACES[] = {
#define TRACE_ROW(name, help) {#name},
    TRACE_TABLE(TRACE_ROW)
#undef TRACE_ROW
};

unsigned trace_mask;

/* The file's descriptor stays the same number once there is one (dup3 replaces what is behind it), so that
 * a line under way on another thread never meets a number that was closed and means something else by now. */
static atomic_int file_fd = -1;
static atomic_bool to_file;
static struct lock open_lock = {PTHREAD_MUTEX_INITIALIZER, LOCK_LOG};

int log_open(const char *path) {
    if (!path) {
        atomic_store(&to_file, false);
        return 0;
    }
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0)
        return -errno;
    LOCK_SCOPE(&open_lock);
    int kept = atomic_load(&file_fd);
    if (kept < 0) {
        atomic_store(&file_fd, fd);
    } else {
        int error = dup3(fd, kept, O_CLOEXEC) < 0 ? -errno : 0;
        close(fd);
        if (error)
            return error;
    }
    atomic_store(&to_file, true);
    return 0;
}

static bool journal;

/* The service manager says in JOURNAL_STREAM which file is the journal; standard error may have been
 * redirected since. */
static void look_for_journal(void) {
    const char *text = environment("JOURNAL_STREAM");
    struct stat about;
    if (!text || fstat(STDERR_FILENO, &about))
        return;
    char own[64];
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)about.st_dev, (uintmax_t)about.st_ino);
    journal = !strcmp(own, text);
}

static bool is_journal(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, look_for_journal);
    return journal;
}

/* One write a line (appended whole by the kernel); the loop is for what was interrupted. A log that can't
 * be written is not an error that anybody could be told. */
static void put(int fd, const char *line, size_t len) {
    while (len) {
        ssize_t done = write(fd, line, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        line += done;
        len -= (size_t)done;
    }
}

static void write_line(int priority, const char *word, const char *format, va_list args) {
    int saved = errno;
    BUF_CLEANUP struct buf text = BUF_INIT;
    (void)buf_vformat(&text, format,
        args); /* without a limit only a bad conversion fails: the line is empty then */
    while (text.len && text.data[text.len - 1] == '\n')
        text.data[--text.len] = '\0';
    if (text.data) {
        /* Redacted before it is cut: half a secret would not be recognised. */
        log_redact(text.data);
        utf8_tame(text.data);
    }
    char cut[LINE_SIZE];
    utf8_cut(cut, sizeof cut, buf_text(&text));

    char stamp[CLOCK_STAMP_SIZE];
    clock_stamp(stamp, clock_wall_ms());
    char line[LINE_SIZE + 64];
    int len = snprintf(line, sizeof line, "%s %s%s\n", stamp, word, cut);
    ring_add(line, (size_t)len - 1);
    if (atomic_load(&to_file)) {
        put(atomic_load(&file_fd), line, (size_t)len);
    } else {
        len = is_journal() ? snprintf(line, sizeof line, "<%d>%s%s\n", priority, word, cut)
                           : snprintf(line, sizeof line, "weightfs: %s%s\n", word, cut);
        put(STDERR_FILENO, line, (size_t)len);
    }
    errno = saved;
}

void log_write(enum log_level level, const char *format, ...) {
    va_list args;
    va_start(args, format);
    write_line(LEVELS[level].priority, LEVELS[level].word, format, args);
    va_end(args);
}

void trace_write(enum trace_key key, const char *format, ...) {
    char word[32];
    snprintf(word, sizeof word, "trace %s: ", TRACES[key].name);
    va_list args;
    va_start(args, format);
    write_line(7, word, format, args);
    va_end(args);
}

static unsigned trace_bits(const char *key, size_t len) {
    if (len == strlen("all") && !memcmp(key, "all", len))
        return (1u << TRACE_END) - 1;
    for (unsigned i = 0; i < TRACE_END; i++)
        if (strlen(TRACES[i].name) == len && !memcmp(TRACES[i].name, key, len))
            return 1u << i;
    return 0;
}

int trace_enable(const char *keys, const char **ret_unknown) {
    static char unknown[64];
    unsigned mask = 0;
    for (const char *at = keys; *at;) {
        size_t len = strcspn(at, ",");
        unsigned bits = trace_bits(at, len);
        if (len && !bits) {
            snprintf(unknown, sizeof unknown, "%.*s", (int)(len < sizeof unknown ? len : sizeof unknown), at);
            *ret_unknown = unknown;
            return -EINVAL;
        }
        mask |= bits;
        at += len + (at[len] == ',');
    }
    trace_mask |= mask;
    return 0;
}
