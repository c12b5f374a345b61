/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_SOURCE_HF_INSIDE_H
#define WEIGHTFS_SOURCE_HF_INSIDE_H

/*
 * What the parts of the source `hf` share: hf.c says who we are there, hf_discover.c reads a model's
 * information and tree, hf_file.c asks for bytes, hf_judge.c knows what the Hub's refusals mean.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "weightfs/source.h"

/* The Hub refused the token: for so long we go without it, since what is public can be had that way. */
#define HF_TOKEN_REST_MS 60000

struct hf_access {
    char *endpoint; /* without a slash at the end */
    char *token;    /* NULL: none */
    _Atomic uint64_t
        *token_rest_ms; /* until when (clock_ms) the token is not sent; not part of what is const */
};

static inline const struct hf_access *hf_access_of(const struct source_access *access) {
    return (const struct hf_access *)access;
}

/* hf.c */
bool hf_is_name(const char *model);
bool hf_token_usable(const struct hf_access *access);
void hf_token_refused(const struct hf_access *access);
/* Fills in the header's value when `url` is the Hub's own and the token is to be sent. */
void hf_authorize(const struct hf_access *access, struct source_ask *ask);
/* Is `url` of the endpoint's scheme, host and port? */
bool hf_at_hub(const struct hf_access *access, const char *url);

/* hf_discover.c */
void *hf_discover_new(const struct source_access *access, const char *model, const char *revision);
int hf_discover_next(void *discovery, const struct source_answer *answer, struct source_ask *ret_ask,
    struct manifest **ret_manifest, struct reason *reason);
void hf_discover_free(void *discovery);

/* hf_file.c */
int hf_file_request(const struct source_access *access, const struct source_file *file,
    struct source_ask *ret_ask, struct reason *reason);
int hf_file_head(const struct source_access *access, const struct source_file *file,
    const struct http_head *head, bool direct, struct source_lesson *ret_lesson, struct reason *reason);

/* hf_judge.c */
enum hf_subject { HF_MODEL, HF_FILE };
/* What a status that is no success and no redirect means, with its sentence. `with_token`: one was sent. */
int hf_judge(const struct http_head *head, enum hf_subject subject, bool with_token, struct reason *reason);
/* Why a gated model is closed, and what to do. */
const char *hf_gated_sentence(bool with_token);
/* An answer 401 that is about the token and not about the model. */
bool hf_is_token_refusal(const struct http_head *head);

#endif
