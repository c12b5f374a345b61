/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIGHTFS_TESTS_UNIT_CATALOG_FIXTURE_H
#define WEIGHTFS_TESTS_UNIT_CATALOG_FIXTURE_H

/* What the tests of the catalogue share: a file of their own, and manifests to store in it. */

#include "base/buf.h"
#include "base/clock.h"
#include "model/catalog.h"
#include "check.h"

#define COMMIT_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define COMMIT_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define GIT_1    "git-1111111111111111111111111111111111111111"
#define GIT_2    "git-2222222222222222222222222222222222222222"
#define SHA_1    "sha256-1111111111111111111111111111111111111111111111111111111111111111"
#define SHA_2    "sha256-2222222222222222222222222222222222222222222222222222222222222222"
#define HEX_3    "3333333333333333333333333333333333333333333333333333333333333333"

static char path[4096];

static inline struct catalog *open_again(struct catalog *catalog) {
    bool damaged = true;
    struct reason reason = {""};
    catalog_close(catalog);
    catalog = NULL;
    CHECK_OK(catalog_open(path, &catalog, &damaged, &reason));
    CHECK(!damaged);
    return catalog;
}

static inline struct manifest *manifest_of(const char *model, const char *commit) {
    struct manifest *manifest = manifest_new();
    (void)text_copy(manifest->model, sizeof manifest->model, model);
    (void)text_copy(manifest->revision, sizeof manifest->revision, "main");
    (void)text_copy(manifest->commit, sizeof manifest->commit, commit);
    manifest->modified_ms = 1700000000000;
    return manifest;
}

static inline void add(struct manifest *manifest, const char *name, uint64_t size, const char *digest) {
    CHECK_OK(manifest_add(manifest, name, strlen(name), size, digest, !*digest));
}

static inline struct manifest *tiny(const char *commit) {
    struct manifest *manifest = manifest_of("acme/tiny", commit);
    add(manifest, "tiny-Q8_0.gguf", 800, SHA_2);
    add(manifest, "config.json", 10, GIT_1);
    add(manifest, "tiny-Q4_K_M.gguf", 400, SHA_1);
    add(manifest, "a-b", 1, GIT_2);
    add(manifest, "a/z/deep.txt", 1, GIT_2);
    add(manifest, "a/b.txt", 2, GIT_1);
    manifest_refuse(manifest, "../evil", 7, "it leads outside");
    manifest_finish(manifest);
    return manifest;
}

static inline int64_t store(struct catalog *catalog, const char *name, struct manifest *manifest,
    bool changed) {
    int64_t id = 0;
    bool is_changed = !changed;
    CHECK_OK(catalog_store_manifest(catalog, "hf", name, manifest, &id, &is_changed));
    CHECK(is_changed == changed);
    manifest_free(manifest);
    return id;
}

#endif
