/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, closing and transactions of the catalogue. */

#include "model/catalog_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/path.h"

/* SQLite keeps so much of the file in memory at most, per connection; it takes it as it needs it. */
#define WRITER_CACHE_KIB 8192
#define READER_CACHE_KIB 4096

#define ASIDE ".damaged-"

/* SQLite's words for SQLITE_CORRUPT and SQLITE_NOTADB, its only failures that another try or
 * another day won't heal. */
static bool is_damage(const char *words) {
    return strstr(words, "malformed") || strstr(words, "not a database");
}

static int rename_beside(const char *path, const char *suffix, const char *stamp) {
    struct buf from BUF_CLEANUP = BUF_INIT, to BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&from, "%s%s", path, suffix); /* no limit: can't fail */
    (void)buf_format(&to, "%s" ASIDE "%s%s", path, stamp, suffix);
    return rename(buf_text(&from), buf_text(&to)) < 0 ? -errno : 0;
}

/* The log of a damaged file goes with it: on a new file it would be read as its own. */
static int keep_aside(const char *path) {
    char stamp[CLOCK_STAMP_SIZE];
    clock_stamp(stamp, clock_wall_ms());
    for (char *at = stamp; (at = strchr(at, ':'));)
        *at = '-';
    int result = rename_beside(path, "-wal", stamp);
    if (result < 0 && result != -ENOENT)
        return result;
    result = rename_beside(path, "-shm", stamp);
    if (result < 0 && result != -ENOENT)
        return result;
    return rename_beside(path, "", stamp);
}

#define PRIVATE_MODE 0600
#define LOOK_ALWAYS_BYTES (8 << 20) /* some 50 ms */

/* A damaged page in the middle shows when it is read, which may be next month: all of them are looked at,
 * where it costs next to nothing, or something went wrong before (a log that nobody closed). A mount of
 * ten thousand models shall not wait for it each time. Before the file is opened, which clears the log
 * away. */
static bool wants_look(const char *path) {
    struct buf log BUF_CLEANUP = BUF_INIT;
    struct stat status;
    (void)buf_format(&log, "%s-wal", path); /* no limit: can't fail */
    if (stat(buf_text(&log), &status) == 0 && status.st_size > 0)
        return true;
    return stat(path, &status) == 0 && status.st_size <= LOOK_ALWAYS_BYTES;
}

static int look_through(struct db *db, struct reason *reason) {
    struct db_statement *row = db_query(db, "PRAGMA quick_check(1)");
    int step = db_step(row);
    if (step != 1)
        return err_because(reason, -ERR_DATABASE, "%s", db_error(db));
    const char *words = db_get_text(row, 0);
    int result = strcmp(words, "ok") == 0 ? 0 : err_because(reason, -ERR_DATABASE, "malformed: %s", words);
    db_reset(row);
    return result;
}

/* What users said to models and who gave which command is in it: nobody else of the machine reads it. SQLite
 * makes its log with the file's mode. A file that is there is not opened for this: closing it would drop the
 * locks that this process has on it. */
static void make_private(const char *path) {
    static const char *const tails[] = {"", "-wal", "-shm"};
    FD_CLEANUP int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, PRIVATE_MODE);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        struct buf name BUF_CLEANUP = BUF_INIT;
        struct stat status;
        (void)buf_format(&name, "%s%s", path, tails[i]); /* no limit: can't fail */
        if (stat(buf_text(&name), &status) == 0 && (status.st_mode & ~S_IFMT & ~PRIVATE_MODE) &&
            chmod(buf_text(&name), PRIVATE_MODE) < 0)
            log_warning("%s can be read by others, and can't be made private: %s", buf_text(&name),
                err_sentence(-errno));
    }
}

static int open_writer(const char *path, struct db **ret_db, bool *ret_damage, struct reason *reason) {
    struct reason words = {""};
    struct db *db = NULL;
    bool look = wants_look(path);
    *ret_damage = false;
    make_private(path); /* where it can't be, opening it says so */
    int result = db_open(path, false, WRITER_CACHE_KIB, &db, &words);
    if (result == 0) {
        result = catalog_upgrade(db, &words);
        if (result == 0 && look)
            result = look_through(db, &words);
        if (result == 0) {
            *ret_db = db;
            return 0;
        }
        db_close(db);
    }
    *ret_damage = result == -ERR_DATABASE && is_damage(words.text);
    return err_because(reason, result, "%s", err_text(&words, result));
}

int catalog_open(const char *path, struct catalog **ret_catalog, bool *ret_damaged, struct reason *reason) {
    struct db *writer = NULL, *reader = NULL;
    bool damaged = false;
    int result = open_writer(path, &writer, &damaged, reason);
    if (damaged) {
        result = keep_aside(path);
        if (result < 0)
            return err_because(reason, result, "the damaged %s can't be kept aside: %s", path,
                err_sentence(result));
        bool again;
        result = open_writer(path, &writer, &again, reason);
    }
    if (result < 0)
        return result;
    result = db_open(path, true, READER_CACHE_KIB, &reader, reason);
    if (result < 0) {
        db_close(writer);
        return result;
    }
    struct catalog *catalog = mem_new(sizeof *catalog);
    lock_init(&catalog->write_lock, LOCK_CATALOG_WRITE);
    lock_init(&catalog->read_lock, LOCK_CATALOG_READ);
    catalog->writer = writer;
    catalog->reader = reader;
    *ret_catalog = catalog;
    *ret_damaged = damaged;
    return 0;
}

int catalog_list_aside(int folder_fd, void (*each)(void *context, const char *name), void *context) {
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        int error = -errno;
        path_close(&fd);
        return error;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        const char *stamp = strstr(entry->d_name, ASIDE);
        if (stamp && stamp[strlen(stamp) - 1] == 'Z') /* a stamp's end; the others go with it */
            each(context, entry->d_name);
    }
    (void)closedir(folder);
    return 0;
}

void catalog_close(struct catalog *catalog) {
    if (!catalog)
        return;
    db_close(catalog->reader); /* first, so that the writer, being last, checkpoints and removes the log */
    db_close(catalog->writer);
    lock_done(&catalog->read_lock);
    lock_done(&catalog->write_lock);
    free(catalog);
}

/* An address that no other thread has. */
static const void *this_thread(void) {
    static _Thread_local char mark;
    return &mark;
}

static bool is_inside(struct catalog *catalog) {
    return atomic_load_explicit(&catalog->owner, memory_order_relaxed) == this_thread();
}

static int begin(struct catalog *catalog) {
    lock_take(&catalog->write_lock);
    int result = FAULT(catalog_write);
    if (result >= 0)
        result = db_begin(catalog->writer);
    if (result < 0) {
        trace(catalog, "begin: %s", db_error(catalog->writer));
        lock_drop(&catalog->write_lock);
        return result;
    }
    atomic_store_explicit(&catalog->owner, this_thread(), memory_order_relaxed);
    return 0;
}

static int end(struct catalog *catalog, int result) {
    atomic_store_explicit(&catalog->owner, NULL, memory_order_relaxed);
    if (result >= 0) {
        int committed = FAULT(catalog_commit);
        if (committed >= 0)
            committed = db_commit(catalog->writer);
        if (committed < 0)
            result = committed;
    }
    if (result < 0) {
        trace(catalog, "rolled back: %s; %s", err_sentence(result), db_error(catalog->writer));
        db_rollback(catalog->writer);
    }
    lock_drop(&catalog->write_lock);
    return result;
}

int catalog_begin(struct catalog *catalog) {
    return begin(catalog);
}

int catalog_commit(struct catalog *catalog) {
    return end(catalog, 0);
}

void catalog_rollback(struct catalog *catalog) {
    (void)end(catalog, -ERR_CANCELLED); /* gives back what it is given */
}

int catalog_enter(struct catalog *catalog, bool *ret_nested) {
    if (is_inside(catalog)) {
        *ret_nested = true;
        return 0;
    }
    *ret_nested = false;
    return begin(catalog);
}

int catalog_leave(struct catalog *catalog, bool nested, int result) {
    return nested ? result : end(catalog, result);
}

void catalog_get_text(struct db_statement *row, int column, char *to, size_t size) {
    (void)text_copy(to, size, db_get_text(row, column));
}

int catalog_one_number(struct db_statement *statement, int64_t *ret_number) {
    int result = db_step(statement);
    if (result < 0)
        return result;
    if (result == 0)
        return -ENOENT;
    *ret_number = db_get_number(statement, 0);
    db_reset(statement);
    return 0;
}
