/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_HF_FIXTURE_H
#define WEIGHTFS_TESTS_UNIT_HF_FIXTURE_H

/* What the tests of the source `hf` share: an access made from settings, and heads made from text. */

#include "base/buf.h"
#include "weightfs/source.h"
#include "check.h"

#define COMMIT "cccccccccccccccccccccccccccccccccccccccc"
#define W_SHA256 \
    "8960d05b3006e7c61cac1cb8135e779103417f04fe38d1f7ca892cb37e07604e" /* of a file of 21 bytes */
#define JSON_GIT "0967ef424bce6791893e9a57bb952f80fd536e93"            /* of one of 3 */
#define MASK     "****************************************************************"
#define TOKEN    "hf_canary_0123456789"

/* The daemon's row. */
static const struct option_row daemon_rows[] = {
    {.name = "allow_http", .type = OPTION_BOOL, .value = "off", .help = "test"},
    {0     }
};

static inline struct options *fixture_options(void) {
    static const struct option_row *tables[3];
    tables[0] = source_hf.options;
    tables[1] = daemon_rows;
    return options_new(tables);
}

/* Nothing of the machine's own settings. */
static inline void fixture_environment(const char *token) {
    static const char *const names[] = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HOME",
        "XDG_CACHE_HOME", "HF_ENDPOINT", "CREDENTIALS_DIRECTORY", "HF_HUB_DISABLE_IMPLICIT_TOKEN"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    setenv("HOME", "/nowhere", 1);
    if (token)
        setenv("HF_TOKEN", token, 1);
}

static inline struct source_access *fixture_access(const char *endpoint, const char *token) {
    struct source_access *access = NULL;
    struct options *options = fixture_options();
    struct reason reason = {""};
    fixture_environment(token);
    if (endpoint)
        CHECK_OK(options_set(options, "hf_endpoint", endpoint, "test", &reason));
    if (!CHECK(source_hf.access_new(options, &access, &reason) == 0))
        abort();
    options_free(options);
    return access;
}

/* `fields` is the caller's and must stay. */
static inline struct http_head fixture_head(struct buf *fields, int status, const char *url,
    const char *text) {
    buf_clear(fields);
    (void)buf_text_add(fields, text);
    return (
        struct http_head){.status = status, .url = url, .first_url = url, .is_last = true, .fields = fields};
}

#endif
