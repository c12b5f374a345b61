/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_BASE_ERR_H
#define WEIGHTFS_BASE_ERR_H

/*
 * Errors. A function that can fail returns 0 (or a count) and on failure a negative number: -errno for what
 * the kernel said, -ERR_X for what we say. Every ERR_X is a row of the table below: its errno (what a caller
 * of the mount sees) and its sentence. docs/errors.md is printed from it. Only face/ turns an error into an
 * errno.
 *
 * A sentence with particulars ("https://… answered 503 (overloaded)") travels beside the number in a `struct
 * reason` that the caller owns; passing NULL says that nobody wants it. A reason never holds a secret.
 */

#include <stddef.h>
#include <errno.h>

#define ERR_TABLE(ROW)                                                                                      \
    /* what we were asked */                                                                                \
    ROW(BAD_NAME, EINVAL, "that name can't be one of a model or a file")                                    \
    ROW(BAD_VALUE, EINVAL, "that value is not of the type or in the range that the setting has")            \
    ROW(UNKNOWN_COMMAND, EINVAL, "there is no such command; reading ctl lists them")                        \
    ROW(UNKNOWN_OPTION, EINVAL, "there is no such option; docs/options.md lists them")                      \
    ROW(UNKNOWN_MODEL, ENOENT, "the source knows no such model, or it is private and no token was given")   \
    ROW(UNKNOWN_REVISION, ENOENT, "the model has no such revision")                                         \
    ROW(UNKNOWN_FILE, ENOENT, "the revision has no such file")                                              \
    ROW(UNKNOWN_VARIANT, ENOENT, "the model has no such variant or file; `cat plan` lists them")            \
    ROW(BUSY, EBUSY, "something contradicting it is under way")                                             \
    ROW(NOT_ALLOWED, EPERM, "only the owner, root or the admin_group may do that")                          \
    ROW(DOWNLOADS_OFF, EPERM, "disable_downloads=on: nothing is pulled; what is here works")                \
    ROW(TOO_OFTEN, EAGAIN, "too many commands of this user in a minute (command_rate); try again later") \
    ROW(CANCELLED, ECANCELED, "it was cancelled")                                                           \
    ROW(INTERRUPTED, EINTR, "the caller was interrupted")                                                   \
    ROW(LAZY_OFF, EIO,                                                                                      \
        "the bytes are not here and lazy=off forbids to fetch them on reading; pull the model")             \
    /* the network */                                                                                       \
    ROW(OFFLINE, EHOSTUNREACH, "offline=on: nothing is asked of the network")                               \
    ROW(UNREACHABLE, EHOSTUNREACH, "the server can't be reached")                                           \
    ROW(STALLED, EIO, "the server stopped sending; the read was given up after stall_timeout_s")            \
    ROW(DEADLINE, ETIMEDOUT, "it took longer than its deadline")                                            \
    ROW(TLS, EPROTO, "the server's certificate or TLS is not acceptable")                                   \
    ROW(REDIRECT, EPROTO, "the server redirects in a circle, or to where we must not follow")               \
    ROW(INSECURE, EPROTO, "plain http is only spoken with loopback hosts (allow_http=on to accept others)") \
    ROW(RATE_LIMITED, EBUSY,                                                                                \
        "the server's rate limit is used up; it goes on after the time that the server named")              \
    ROW(SERVER, EIO, "the server failed (5xx)")                                                             \
    ROW(STATUS, EIO, "the server answered with a status that makes no sense here")                          \
    ROW(ANSWER, EPROTO, "the server's answer is not what the protocol says")                                \
    ROW(JSON, EPROTO, "the server's answer is not valid JSON")                                              \
    ROW(TOO_LARGE, EPROTO, "the server's answer is larger than such an answer may be")                      \
    ROW(RANGE, EIO, "the server answered another range than was asked for")                                 \
    ROW(SHORT_BODY, EIO, "the server's answer ended early")                                                 \
    ROW(ENCODED, EIO, "the server compressed the answer though identity was asked for")                     \
    ROW(EXPIRED, EIO, "the signed address is no longer accepted")                                           \
    ROW(GATED, EACCES, "the model is gated: ask for access on its page, and give a token (HF_TOKEN)")       \
    ROW(TOKEN, EACCES, "the token is not accepted by the server")                                           \
    ROW(DISABLED, EACCES, "the server has disabled access to this model")                                   \
    /* the bytes */                                                                                         \
    ROW(MISMATCH, EIO, "what the server sent does not have the digest that it promised")                    \
    ROW(CHANGED, EIO, "the file changed at its source while it was pinned; `echo update > ctl`")            \
    ROW(CORRUPT, EIO, "the file is corrupt; `echo retry > ctl` fetches it again")                           \
    ROW(UNSAFE, EACCES, "unsafe_formats=refuse: loading the file could run code; `status` says more")       \
    ROW(ROTTEN, EIO, "what lies on the store's disk is no longer what was verified; it is fetched again")   \
    ROW(STALE, ESTALE, "this is an earlier generation of the file; open it again")                          \
    ROW(GONE, EIO, "the bytes are no longer in the store")                                                  \
    /* room */                                                                                              \
    ROW(FULL, ENOSPC, "the disk of the store is full (min_free_bytes counts as used)")                      \
    ROW(BUDGET, EDQUOT, "cache_max_bytes is used up by what is open or pinned")                             \
    ROW(TOO_MANY, EIO, "too many reads are waiting")                                                        \
    /* our own files */                                                                                     \
    ROW(STORE_VERSION, EINVAL, "the store was written by a newer weightfs")                                 \
    ROW(STORE, EIO, "the store is damaged; see the log")                                                    \
    ROW(DATABASE, EIO, "the catalogue can't be read or written")                                            \
    ROW(CONFIG, EINVAL, "the configuration has an error")

enum err_number {
    ERR_FIRST = 1000, /* above every errno */
#define ERR_ENUM(name, number, sentence) ERR_##name,
    ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
        ERR_END
};

/* The errno (positive) that a user of the mount gets for `error` (negative). Unknown numbers give EIO. */
int err_errno(int error);

/* "MISMATCH", "ENOENT" …: static strings, for logs, status.json and tests. 0 gives "OK". */
const char *err_name(int error);

/* The table's sentence, or strerror's. Static or thread-local; valid until the thread's next call. */
const char *err_sentence(int error);

/* A sentence with particulars. Empty text means: err_sentence() says all. */
struct reason {
    char text[400];
};

/* Formats into `reason` (may be NULL; cut at its size, UTF-8 kept whole, control characters made '?') and
 * returns `error`, so that a failure is one statement: return err_because(reason, -ERR_SERVER, "%s
 * answered %d", url, status). */
int err_because(struct reason *reason, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The reason's text, or the table's sentence where it is empty or NULL. */
const char *err_text(const struct reason *reason, int error);

/* Row `index` (0 ≤ index < err_count()) for the printed docs. */
size_t err_count(void);
void err_row(size_t index, const char **ret_name, int *ret_errno, const char **ret_sentence);

#endif
