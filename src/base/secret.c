/* SPDX-License-Identifier: Apache-2.0 */
/* The part of log.h that keeps secrets out of what we write. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lock.h"
#include "base/log.h"

enum { SECRETS = 16, LEAST_LEN = 8 };

static const char MASK[] = "***";

static struct lock lock = {PTHREAD_MUTEX_INITIALIZER, LOCK_LOG};
static struct secret {
    char *text;
    size_t len;
} secrets[SECRETS];
static unsigned next;      /* the place of the next secret; the oldest makes room, as tokens are renewed */
static atomic_bool is_any; /* spares the lock while there is none */

void log_secret(const char *secret) {
    size_t len = secret ? strlen(secret) : 0;
    if (len < LEAST_LEN)
        return;
    char *copy = mem_text(secret);
    LOCK_SCOPE(&lock);
    for (int i = 0; i < SECRETS; i++) {
        if (secrets[i].text && !strcmp(secrets[i].text, secret)) {
            explicit_bzero(copy, len);
            free(copy);
            return;
        }
    }
    struct secret *place = &secrets[next++ % SECRETS];
    if (place->text)
        explicit_bzero(place->text, place->len);
    free(place->text);
    *place = (struct secret){copy, len};
    atomic_store(&is_any, true);
}

/* The longest secret that stands at `text`: one may be the beginning of another. */
static size_t secret_at(const char *text) {
    size_t longest = 0;
    for (int i = 0; i < SECRETS; i++) {
        const struct secret *secret = &secrets[i];
        if (secret->len > longest && *text == *secret->text && !strncmp(text, secret->text, secret->len))
            longest = secret->len;
    }
    return longest;
}

void log_redact(char *text) {
    if (!atomic_load(&is_any))
        return;
    LOCK_SCOPE(&lock);
    char *to = text;
    while (*text) {
        size_t len = secret_at(text);
        if (len) {
            memcpy(to, MASK, sizeof MASK - 1); /* shorter than any secret: never ahead of text */
            to += sizeof MASK - 1;
            text += len;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}
