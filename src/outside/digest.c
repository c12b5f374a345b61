/* SPDX-License-Identifier: Apache-2.0 */
#include "outside/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buf.h"

static const struct kind {
    const char *prefix;
    size_t digits;
    const EVP_MD *(*algorithm)(void); /* beside SHA-256; NULL: none is needed */
} KINDS[] = {
    [DIGEST_NONE] = {NULL,      0,  NULL    },
    [DIGEST_SHA256] = {"sha256-", 64, NULL    },
    [DIGEST_GIT] = {"git-",    40, EVP_sha1},
    [DIGEST_MD5] = {"md5-",    32, EVP_md5 },
};

struct digest {
    enum digest_kind promised;
    EVP_MD_CTX *own;   /* SHA-256 */
    EVP_MD_CTX *other; /* NULL when there is none, or this OpenSSL refuses it (FIPS) */
};

bool digest_is_hex(const char *hex, size_t digits) {
    return strspn(hex, "0123456789abcdef") == digits && !hex[digits];
}

enum digest_kind digest_kind_of(const char *text) {
    for (enum digest_kind kind = DIGEST_SHA256; kind <= DIGEST_MD5; kind++) {
        size_t len = strlen(KINDS[kind].prefix);
        if (!strncmp(text, KINDS[kind].prefix, len) && digest_is_hex(text + len, KINDS[kind].digits))
            return kind;
    }
    return DIGEST_NONE;
}

/* An OpenSSL without SHA-256, or without memory: nothing of ours could go on, and no file or server can
 * cause it. */
static void must(bool done) {
    if (done)
        return;
    fputs("weightfs: OpenSSL does not compute SHA-256\n", stderr);
    abort();
}

/* What git puts in front of a blob's content, the NUL included. */
static bool add_git_head(EVP_MD_CTX *context, uint64_t size) {
    char head[32];
    int len = snprintf(head, sizeof head, "blob %" PRIu64, size);
    return EVP_DigestUpdate(context, head, (size_t)len + 1);
}

struct digest *digest_new(enum digest_kind promised, uint64_t size) {
    struct digest *digest = mem_new(sizeof *digest);
    digest->promised = promised;
    digest->own = EVP_MD_CTX_new();
    must(digest->own && EVP_DigestInit_ex(digest->own, EVP_sha256(), NULL));
    if (!KINDS[promised].algorithm)
        return digest;
    digest->other = EVP_MD_CTX_new();
    must(digest->other);
    bool ready = EVP_DigestInit_ex(digest->other, KINDS[promised].algorithm(), NULL);
    if (ready && promised == DIGEST_GIT)
        ready = add_git_head(digest->other, size);
    if (!ready) {
        EVP_MD_CTX_free(digest->other);
        digest->other = NULL;
    }
    return digest;
}

void digest_free(struct digest *digest) {
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->own);
    EVP_MD_CTX_free(digest->other);
    free(digest);
}

void digest_add(struct digest *digest, const void *data, size_t len) {
    must(EVP_DigestUpdate(digest->own, data, len));
    if (digest->other && !EVP_DigestUpdate(digest->other, data, len)) {
        EVP_MD_CTX_free(digest->other);
        digest->other = NULL;
    }
}

static void write_hex(char *to, const unsigned char *bytes, size_t count) {
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *to++ = DIGITS[bytes[i] >> 4];
        *to++ = DIGITS[bytes[i] & 15];
    }
    *to = '\0';
}

void digest_end(struct digest *digest, char ret_sha256[static SHA256_HEX_SIZE],
    char ret_promised[static DIGEST_TEXT_SIZE]) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned count;
    must(EVP_DigestFinal_ex(digest->own, bytes, &count));
    write_hex(ret_sha256, bytes, count);

    if (!KINDS[digest->promised].algorithm) {
        snprintf(ret_promised, DIGEST_TEXT_SIZE, "%s%s", KINDS[DIGEST_SHA256].prefix, ret_sha256);
    } else if (digest->other && EVP_DigestFinal_ex(digest->other, bytes, &count)) {
        const char *prefix = KINDS[digest->promised].prefix;
        memcpy(ret_promised, prefix, strlen(prefix) + 1);
        write_hex(ret_promised + strlen(prefix), bytes, count);
    } else {
        ret_promised[0] = '\0'; /* equal to no promise: what can't be checked is not believed */
    }
}

void digest_of(const void *data, size_t len, char ret_sha256[static SHA256_HEX_SIZE]) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned count;
    must(EVP_Digest(data, len, bytes, &count, EVP_sha256(), NULL));
    write_hex(ret_sha256, bytes, count);
}
