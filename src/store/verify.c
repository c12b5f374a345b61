/* SPDX-License-Identifier: Apache-2.0 */
/* A pass over a sealed blob: reading all of it at the disk's speed, and judging it. */
#include "store/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/rot.h"

#define PIECE_BYTES  (256u << 10) /* stays in a core's cache between the copy and the hash */
#define DIRECT_BYTES (4u << 20)   /* without the kernel's read-ahead a request must be worth it */
#define DIRECT_ALIGN 4096u
#define WINDOW_BYTES (16u << 20) /* residence is asked and given back by these */
#define READ_TRIES   2

struct pass {
    struct blob *blob;
    const struct verify_manner *manner;
    char sha256[SHA256_HEX_SIZE];
    int fd;
    bool direct;
    struct digest *digest;
    size_t piece_bytes;
    unsigned char *piece;
    uint64_t at;
    unsigned char *resident; /* a byte a window: was most of it in the page cache before? NULL: not known */
};

/* --- the page cache: what was not in it shall not be in it afterwards --- */

static bool is_resident(const unsigned char *pages, size_t count) {
    size_t here = 0;
    for (size_t i = 0; i < count; i++)
        here += pages[i] & 1;
    return here * 2 > count;
}

/* Asked before the first read: the kernel's own read-ahead would look like somebody's use. A file that can't
 * be mapped is read as if all of it were used: that only costs cache. */
static void ask_residence(struct pass *pass, uint64_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = WINDOW_BYTES / page;
    size_t windows = (size_t)((size + WINDOW_BYTES - 1) / WINDOW_BYTES);
    void *map = mmap(NULL, (size_t)size, PROT_NONE, MAP_SHARED, pass->fd, 0);
    if (map == MAP_FAILED)
        return;
    unsigned char *vector = mem_new(pages);
    pass->resident = mem_new(windows);
    for (size_t i = 0; i < windows; i++) {
        uint64_t start = (uint64_t)i * WINDOW_BYTES;
        size_t len = size - start < WINDOW_BYTES ? (size_t)(size - start) : WINDOW_BYTES;
        pass->resident[i] =
            mincore((char *)map + start, len, vector) || is_resident(vector, (len + page - 1) / page);
    }
    free(vector);
    (void)munmap(map, (size_t)size);
}

/* The window that ended at pass->at. */
static void give_back(const struct pass *pass) {
    uint64_t window = (pass->at - 1) / WINDOW_BYTES;
    if (pass->resident && !pass->resident[window])
        (void)posix_fadvise(pass->fd, (off_t)(window * WINDOW_BYTES), WINDOW_BYTES, POSIX_FADV_DONTNEED);
}

/* --- reading --- */

/* The file's access time is its last use (shelf.c), and this is none. Only the owner may ask for that. */
static int open_sealed(const struct blob *blob, const char *sha256, int flags) {
    char name[SHA256_HEX_SIZE + 16];
    (void)snprintf(name, sizeof name, "sha256/%.2s/%s", sha256, sha256);
    flags |= O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
    int fd = openat(blob->store->blobs_fd, name, flags | O_NOATIME);
    return fd < 0 && errno == EPERM ? openat(blob->store->blobs_fd, name, flags) : fd;
}

static int open_pass(struct pass *pass, struct stat *ret_stat) {
    int fault = FAULT(store_verify_open);
    if (fault < 0)
        return fault;
    pass->fd = pass->direct ? open_sealed(pass->blob, pass->sha256, O_DIRECT) : -1;
    if (pass->fd < 0) {
        pass->direct = false; /* this file system has no such reads */
        pass->fd = open_sealed(pass->blob, pass->sha256, 0);
    }
    if (pass->fd < 0 || fstat(pass->fd, ret_stat))
        return errno == ENOENT ? -ERR_GONE : -errno;
    return 0;
}

static ssize_t read_once(struct pass *pass, size_t len) {
    int fault = FAULT(store_verify_read);
    if (fault < 0)
        return fault;
    /* Direct reads are whole pages, and short at the end of the file. */
    size_t asked = pass->direct ? (len + DIRECT_ALIGN - 1) / DIRECT_ALIGN * DIRECT_ALIGN : len;
    ssize_t got = pread(pass->fd, pass->piece, asked, (off_t)pass->at);
    if (got < 0 && errno == EINVAL && pass->direct) {
        pass->direct = false; /* it opens so, but can't */
        (void)fcntl(pass->fd, F_SETFL, fcntl(pass->fd, F_GETFL) & ~O_DIRECT);
        return 0;
    }
    return got < 0 ? errno == EINTR ? 0 : -errno : got;
}

/* The next piece: 0, or why it can't be read. A disk gets a second chance. */
static int read_piece(struct pass *pass, size_t *ret_len) {
    uint64_t left = pass->blob->size - pass->at;
    size_t len = left < pass->piece_bytes ? (size_t)left : pass->piece_bytes;
    ssize_t got = 0;
    for (unsigned tries = 0; tries < READ_TRIES && got <= 0; tries++)
        got = read_once(pass, len);
    if (got <= 0)
        return got ? (int)got : -EIO; /* it ends early: somebody cuts it at this moment */
    *ret_len = (size_t)got < len ? (size_t)got : len;
    return 0;
}

static bool goes_on(const struct pass *pass, size_t bytes) {
    const struct verify_manner *manner = pass->manner;
    return !manner->go_on || manner->go_on(manner->context, bytes);
}

static int read_all(struct pass *pass) {
    if (!goes_on(pass, 0))
        return -ERR_CANCELLED;
    while (pass->at < pass->blob->size) {
        size_t len = 0;
        int error = read_piece(pass, &len);
        if (error)
            return error;
        digest_add(pass->digest, pass->piece, len);
        pass->at += len;
        if (!pass->direct && (pass->at % WINDOW_BYTES == 0 || pass->at == pass->blob->size))
            give_back(pass);
        if (!goes_on(pass, len))
            return -ERR_CANCELLED;
    }
    return 0;
}

/* --- judging --- */

static const int disk_errors[] = {-EIO, -ENODATA, -EBADMSG, -EUCLEAN, -EREMOTEIO, -EILSEQ};

static bool is_of_the_disk(int error) {
    for (size_t i = 0; i < sizeof disk_errors / sizeof *disk_errors; i++)
        if (disk_errors[i] == error)
            return true;
    return false;
}

/* 0, or -ERR_ROTTEN with what was found; others: it can't be judged. */
static int judge(struct pass *pass, const struct stat *stat, struct reason *reason) {
    if ((uint64_t)stat->st_size != pass->blob->size)
        return err_because(reason, -ERR_ROTTEN, "on disk it has %jd bytes instead of %" PRIu64,
            (intmax_t)stat->st_size, pass->blob->size);
    int error = read_all(pass);
    if (is_of_the_disk(error))
        return err_because(reason, -ERR_ROTTEN, "the disk can't read it at byte %" PRIu64 ": %s", pass->at,
            err_sentence(error));
    if (error)
        return err_because(reason, error, "%s", err_sentence(error));
    char sha256[SHA256_HEX_SIZE], promised[DIGEST_TEXT_SIZE];
    digest_end(pass->digest, sha256, promised);
    if (!strcmp(sha256, pass->sha256))
        return 0;
    return err_because(reason, -ERR_ROTTEN, "on disk it has the digest sha256-%s instead of sha256-%s",
        sha256, pass->sha256);
}

static int run_pass(struct pass *pass, struct reason *reason) {
    struct stat stat;
    pass->direct = pass->manner->direct;
    int error = open_pass(pass, &stat);
    if (error)
        return err_because(reason, error, "%s", err_sentence(error));
    pass->piece_bytes = pass->direct ? DIRECT_BYTES : PIECE_BYTES;
    if (posix_memalign((void **)&pass->piece, DIRECT_ALIGN, pass->piece_bytes))
        return -ENOMEM;
    if (!pass->direct && stat.st_size > 0) {
        ask_residence(pass, (uint64_t)stat.st_size);
        (void)posix_fadvise(pass->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a wish */
    }
    pass->digest = digest_new(DIGEST_SHA256, pass->blob->size);
    error = judge(pass, &stat, reason);
    if (error == -ERR_ROTTEN)
        error = rot_take_out(pass->blob, pass->sha256, pass->fd, pass->manner->refetch, reason);
    return error;
}

/* What is sealed of it; -ERR_GONE: nothing. -ERR_ROTTEN: a look at it has found its size wrong already. */
static int find_sealed(struct blob *blob, char ret_sha256[static SHA256_HEX_SIZE], struct reason *reason) {
    LIST_HEAD(ended);
    lock_take(&blob->lock);
    int error = blob_load_locked(blob, &ended);
    if (!error && blob->state != BLOB_COMPLETE && blob->error == -ERR_ROTTEN)
        error = err_because(reason, -ERR_ROTTEN, "%s", blob->reason.text);
    else if (!error && blob->state != BLOB_COMPLETE)
        error = -ERR_GONE;
    if (!error)
        (void)text_copy(ret_sha256, SHA256_HEX_SIZE, blob->meta.sha256);
    lock_drop(&blob->lock);
    blob_end_waits(&ended);
    return error;
}

int blob_open_aside(struct blob *blob, int *ret_fd) {
    char sha256[SHA256_HEX_SIZE];
    int error = find_sealed(blob, sha256, NULL);
    int fd = error ? -1 : open_sealed(blob, sha256, 0);
    if (error || fd < 0)
        return error ? error : errno == ENOENT ? -ERR_GONE : -errno;
    *ret_fd = fd;
    return 0;
}

int blob_verify(struct blob *blob, const struct verify_manner *manner, struct reason *reason) {
    struct pass pass = {.blob = blob, .manner = manner, .fd = -1};
    struct reason found = {""};
    int error = find_sealed(blob, pass.sha256, &found);
    if (error == -ERR_ROTTEN)
        rot_tell(blob, manner->refetch, &found);
    if (!error && blob->size)
        error = run_pass(&pass, &found);
    if (error && reason)
        *reason = found;
    path_close(&pass.fd);
    digest_free(pass.digest);
    free(pass.piece);
    free(pass.resident);
    return error;
}
