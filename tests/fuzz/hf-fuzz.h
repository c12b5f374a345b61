/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_FUZZ_HF_FUZZ_H
#define WEIGHTFS_TESTS_FUZZ_HF_FUZZ_H

/*
 * What fuzz targets around the source `hf` share: an access, a discovery that is led by a fuzzer, and what
 * must hold of a manifest.
 */

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "weightfs/source.h"

#define COMMIT "cccccccccccccccccccccccccccccccccccccccc"

static inline void must(bool held) {
    if (!held)
        abort();
}

static inline const struct source_access *fuzz_access(void) {
    static const struct option_row rows[] = {
        {.name = "allow_http", .type = OPTION_BOOL, .value = "off", .help = "fuzz"},
        {0     }
    };
    static const struct option_row *tables[3];
    static struct source_access *access;
    if (!access) {
        tables[0] = source_hf.options;
        tables[1] = rows;
        struct options *options = options_new(tables);
        must(source_hf.access_new(options, &access, NULL) == 0);
        options_free(options);
    }
    return access;
}

static inline void check_manifest(const struct manifest *manifest) {
    must(name_is_commit(manifest->commit) && source_hf.is_name(manifest->model) &&
         manifest->refusals_kept <= manifest->refusal_count);
    for (size_t i = 0; i < manifest->file_count; i++) {
        const struct manifest_file *file = &manifest->files[i];
        must(!name_path_fault(file->path, strlen(file->path)));
        must(file->masked ? !*file->digest : digest_kind_of(file->digest) != DIGEST_NONE);
        must(file->size <= INT64_MAX);
        must(i == 0 || strcmp(manifest->files[i - 1].path, file->path) < 0);
    }
    for (size_t i = 0; i < manifest->refusals_kept; i++)
        for (const char *at = manifest->refusals[i].path; *at; at++)
            must((unsigned char)*at >= ' ' && *at != 0x7f);
}

/* One answer; true while the discovery asks on. */
static inline bool step(void *discovery, const char *fields_text, const char *body, size_t len,
    struct source_ask *ask, struct manifest **manifest) {
    struct buf BUF_CLEANUP fields = BUF_INIT;
    struct reason reason = {""};
    struct source_ask next = {0};
    (void)buf_text_add(&fields, fields_text);
    struct http_head head = {.status = 200,
        .url = ask->url,
        .first_url = ask->url,
        .is_last = true,
        .fields = &fields};
    struct source_answer answer = {.status = 200,
        .url = ask->url,
        .body = body,
        .body_len = len,
        .head = &head};
    int result = source_hf.discover_next(discovery, &answer, &next, manifest, &reason);
    must((result == SOURCE_ASK) == (next.url != NULL) && (result == SOURCE_DONE) == (*manifest != NULL));
    must(result >= 0 || result <= -ERR_FIRST);
    source_ask_done(ask);
    *ask = next;
    return result == SOURCE_ASK;
}

/* `info` then one page. */
static inline void discover(const char *info, size_t info_len, const char *page, size_t page_len) {
    void *discovery = source_hf.discover_new(fuzz_access(), "org/m", "");
    struct manifest *manifest = NULL;
    struct source_ask ask = {0};
    must(source_hf.discover_next(discovery, NULL, &ask, &manifest, NULL) == SOURCE_ASK);
    if (step(discovery, "", info, info_len, &ask, &manifest))
        (void)step(discovery, "", page, page_len, &ask, &manifest);
    if (manifest)
        check_manifest(manifest);
    source_ask_done(&ask);
    manifest_free(manifest);
    source_hf.discover_free(discovery);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
