/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_STORE_VERIFY_H
#define WEIGHTFS_STORE_VERIFY_H

/*
 * Is a sealed blob still what it was when it was sealed? A pass reads the whole file and compares its
 * SHA-256 with the name that it lies under. What has rotted (another digest or size, or bytes that the disk
 * can't read) is taken out of service at once, for every daemon and every key (README.md, I12): who has it
 * open keeps what the kernel has, whoever opens it next finds a new generation, which is fetched again once.
 *
 * A pass is synchronous and takes long: it belongs on a thread of the caller's, never on one that answers
 * requests, the desk or the loop. Passes over several blobs run side by side; all of it may be called from
 * any thread. A pass does not make its caller a user: a blob may be evicted under it (-ERR_GONE).
 */

#include "store/store.h"

struct verify_manner {
    /* Called before the first piece (0 bytes) and after each one, with what was read: counts, may wait (a
     * limit of the rate), and ends the pass with -ERR_CANCELLED by answering false. NULL: nobody wants to. */
    bool (*go_on)(void *context, size_t bytes);
    void *context;
    /* From the medium itself, beside the page cache, where the file system can. Without it pages that are in
     * the page cache are believed, and what was not there before the pass is not there after it. */
    bool direct;
    /* What has rotted is fetched again by itself, once. */
    bool refetch;
};

/*
 * 0: the bytes are right. -ERR_ROTTEN: they were not, and it is out of service now; what was found is in the
 * reason. -ERR_GONE: it is not complete (here, or any more): there is nothing to say. -ERR_CANCELLED.
 * Others (-EMFILE, -EACCES …): it could not be judged; nothing was changed.
 */
int blob_verify(struct blob *blob, const struct verify_manner *manner, struct reason *reason);

/* The sealed bytes for a look that is nobody's use: the blob's last use stays what it was, and it may be
 * evicted meanwhile (who has it open keeps the bytes). -ERR_GONE: it is not complete. */
int blob_open_aside(struct blob *blob, int *ret_fd);

/* May `generation` still be served, as far as this daemon has heard? Looks at memory only.
 * For those who keep a use over several opens. */
bool blob_still_serves(struct blob *blob, uint32_t generation);

#endif
