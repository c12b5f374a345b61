/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_OUTSIDE_DIGEST_H
#define WEIGHTFS_OUTSIDE_DIGEST_H

/*
 * Digests (the door to OpenSSL). A digest is written "sha256-<64 hex>", "git-<40 hex>" (SHA-1 over "blob
 * <size>\0" and the content: git's object id) or "md5-<32 hex>", lower case. Any other text is no digest; the
 * Hub's 64 asterisks for instance.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_TEXT_SIZE 80 /* the longest with its NUL fits */
#define SHA256_HEX_SIZE  65

enum digest_kind { DIGEST_NONE, DIGEST_SHA256, DIGEST_GIT, DIGEST_MD5 };

/* The kind, when `text` is a well-formed digest; else DIGEST_NONE. */
enum digest_kind digest_kind_of(const char *text);
/* True when `hex` is exactly `digits` lower-case hex digits. */
bool digest_is_hex(const char *hex, size_t digits);

/* A running digest of a file of `size` bytes: SHA-256 always, and the `promised` kind beside it in the
 * same pass. Not thread-safe. */
struct digest;

struct digest *digest_new(enum digest_kind promised, uint64_t size);
void digest_free(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t len);
/* Ends it: own SHA-256 (hex, without the prefix) and the promised kind as text (equal to "sha256-"+own for
 * DIGEST_SHA256 and DIGEST_NONE). */
void digest_end(struct digest *digest, char ret_sha256[static SHA256_HEX_SIZE],
    char ret_promised[static DIGEST_TEXT_SIZE]);

/* SHA-256 of a small thing, in hex. */
void digest_of(const void *data, size_t len, char ret_sha256[static SHA256_HEX_SIZE]);

#endif
