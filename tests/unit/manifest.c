/* SPDX-License-Identifier: Apache-2.0 */
/* what a listing becomes: sorted, and what can't be a file kept aside */
#include <stdio.h>
#include <string.h>

#include "model/manifest.h"
#include "check.h"

static void add(struct manifest *manifest, const char *path, uint64_t size) {
    CHECK_ERROR(manifest_add(manifest, path, strlen(path), size, "", false), 0);
}

static const struct manifest_file *file_at(const struct manifest *manifest, const char *path) {
    for (size_t i = 0; i < manifest->file_count; i++)
        if (!strcmp(manifest->files[i].path, path))
            return &manifest->files[i];
    return NULL;
}

static void test_sorted(void) {
    struct manifest *manifest = manifest_new();
    add(manifest, "b", 1);
    add(manifest, "a/z", 2);
    add(manifest, "a-b", 3);
    add(manifest, "a/b", 4);
    manifest_finish(manifest);
    CHECK(manifest->file_count == 4 && manifest->refusal_count == 0);
    for (size_t i = 1; i < manifest->file_count; i++)
        CHECK(strcmp(manifest->files[i - 1].path, manifest->files[i].path) < 0);
    manifest_free(manifest);
}

static void test_digest_kept(void) {
    static const char digest[] = "git-0967ef424bce6791893e9a57bb952f80fd536e93";
    struct manifest *manifest = manifest_new();
    CHECK_ERROR(manifest_add(manifest, "x", 1, 7, digest, false), 0);
    CHECK_ERROR(manifest_add(manifest, "y", 1, 8, "", true), 0);
    manifest_finish(manifest);
    CHECK_TEXT(file_at(manifest, "x")->digest, digest);
    CHECK(file_at(manifest, "x")->size == 7 && !file_at(manifest, "x")->masked);
    CHECK(file_at(manifest, "y")->masked);
    manifest_free(manifest);
}

static void test_twice(void) {
    struct manifest *manifest = manifest_new();
    for (int i = 0; i < 100; i++) {
        add(manifest, "same", (uint64_t)i);
        add(manifest, "other", (uint64_t)i + 1000);
    }
    manifest_finish(manifest);
    CHECK(manifest->file_count == 2);
    CHECK(file_at(manifest, "same")->size == 0); /* the first of the listing */
    CHECK(file_at(manifest, "other")->size == 1000);
    CHECK(manifest->refusal_count == 198 && manifest->refusals_kept == MANIFEST_MAX_REFUSALS);
    manifest_free(manifest);
}

static void test_file_where_a_folder_is(void) {
    struct manifest *manifest = manifest_new();
    add(manifest, "sub", 1);
    add(manifest, "sub-1", 2); /* sorts between sub and sub/x */
    add(manifest, "sub.txt", 3);
    add(manifest, "sub/x", 4);
    add(manifest, "sub/x/y", 5);
    add(manifest, "su", 6);
    manifest_finish(manifest);
    CHECK(!file_at(manifest, "sub") && !file_at(manifest, "sub/x"));
    CHECK(file_at(manifest, "sub-1") && file_at(manifest, "sub.txt") && file_at(manifest, "sub/x/y") &&
          file_at(manifest, "su"));
    CHECK(manifest->refusal_count == 2);
    CHECK_TEXT(manifest->refusals[0].path, "sub");
    manifest_free(manifest);
}

static void test_refusals(void) {
    struct manifest *manifest = manifest_new();
    add(manifest, "../up", 1);
    CHECK_ERROR(manifest_add(manifest, "a\0b", 3, 1, "", false), 0);
    add(manifest, "\x1b[31mred", 1);
    add(manifest, "\xff", 1);
    manifest_refuse(manifest, "why", 3, "for no reason");
    add(manifest, "good", 1);
    manifest_finish(manifest);
    CHECK(manifest->file_count == 1 && manifest->refusal_count == 5);
    CHECK_TEXT(manifest->refusals[0].path, "../up");
    CHECK_TEXT(manifest->refusals[1].path, "a?b");
    CHECK_TEXT(manifest->refusals[2].path, "?[31mred");
    CHECK_TEXT(manifest->refusals[3].path, "?");
    CHECK_TEXT(manifest->refusals[4].fault, "for no reason");
    for (size_t i = 0; i < manifest->refusals_kept; i++)
        CHECK(manifest->refusals[i].fault[0]);
    manifest_free(manifest);
}

static void test_too_many(void) {
    struct manifest *manifest = manifest_new();
    char path[32];
    for (int i = 0; i < MANIFEST_MAX_FILES; i++) {
        snprintf(path, sizeof path, "%d/%d", i % 1000, i);
        add(manifest, path, 1);
    }
    CHECK_ERROR(manifest_add(manifest, "one/more", 8, 1, "", false), -ERR_TOO_LARGE);
    CHECK_ERROR(manifest_add(manifest, "..", 2, 1, "", false), 0);
    manifest_finish(manifest);
    CHECK(manifest->file_count == MANIFEST_MAX_FILES && manifest->refusal_count == 1);
    manifest_free(manifest);
}

static void test_empty(void) {
    struct manifest *manifest = manifest_new();
    manifest_finish(manifest);
    CHECK(manifest->file_count == 0);
    manifest_free(manifest);
    manifest_free(NULL);
}

int main(void) {
    test_sorted();
    test_digest_kept();
    test_twice();
    test_file_where_a_folder_is();
    test_refusals();
    test_too_many();
    test_empty();
    return check_result();
}
