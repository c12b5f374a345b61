/* SPDX-License-Identifier: Apache-2.0 */
/* Revisions of a model: stored without being selected, selected and selected back, and dropped. */

#include "catalog-fixture.h"

#include "model/catalog_revision.h"

#define COMMIT_C "bbbbbbbccccccccccccccccccccccccccccccccc" /* begins as COMMIT_B does */

static struct manifest *at(const char *commit, const char *revision, const char *digest) {
    struct manifest *manifest = manifest_of("acme/tiny", commit);
    (void)text_copy(manifest->revision, sizeof manifest->revision, revision);
    add(manifest, "tiny-Q8_0.gguf", 800, SHA_2);
    add(manifest, "tiny-Q4_K_M.gguf", 400, SHA_1);
    add(manifest, "config.json", 10, digest);
    manifest_finish(manifest);
    return manifest;
}

static struct catalog_stored hold(struct catalog *catalog, struct manifest *manifest) {
    struct catalog_stored stored = {0};
    CHECK_OK(catalog_store_revision(catalog, "hf", "acme/tiny", manifest, true, &stored));
    manifest_free(manifest);
    return stored;
}

static struct catalog_model model_now(struct catalog *catalog) {
    struct catalog_model model = {0};
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &model));
    return model;
}

static unsigned selected_files(struct catalog *catalog, int64_t revision_id) {
    struct catalog_file files[8];
    int count = catalog_list_files(catalog, revision_id, true, 0, files, 8);
    CHECK(count >= 0);
    return (unsigned)count;
}

/* The first is selected, held or not; the second waits until it is. */
static void what_is_held_is_known_and_not_shown(struct catalog *catalog) {
    struct catalog_following following;
    struct catalog_file file;
    struct catalog_stored first = hold(catalog, at(COMMIT_A, "main", GIT_1));
    CHECK(first.changed && !first.waiting);
    CHECK_TEXT(model_now(catalog).commit, COMMIT_A);
    const char *word = "Q8_0";
    struct reason reason;
    CHECK_OK(catalog_select(catalog, first.model_id, &word, 1, &reason));

    struct catalog_stored second = hold(catalog, at(COMMIT_B, "main", GIT_2));
    CHECK(!second.changed && second.waiting && second.revision_id != first.revision_id);
    CHECK_TEXT(model_now(catalog).commit, COMMIT_A);
    CHECK_OK(catalog_following(catalog, first.model_id, &following));
    CHECK_NUMBER(following.head_id, second.revision_id);
    CHECK_TEXT(following.head_commit, COMMIT_B);
    CHECK_NUMBER(following.former_id, 0);
    CHECK_NUMBER(selected_files(catalog, second.revision_id), 2); /* what was pulled is chosen there, too */
    CHECK_OK(catalog_find_path(catalog, second.revision_id, "config.json", &file));
    CHECK_TEXT(file.commit, COMMIT_B);
    CHECK(!hold(catalog, at(COMMIT_A, "v1", GIT_1)).waiting);
}

static void revisions_are_found_by_commit_and_name(struct catalog *catalog) {
    struct catalog_revision found;
    struct catalog_revision_name names[4];
    int64_t id = model_now(catalog).id;
    static const struct {
        const char *word, *commit; /* NULL: not found */
    } rows[] = {
        {COMMIT_A, COMMIT_A},
        {"aaaaaaa", COMMIT_A},
        {"main", COMMIT_B},
        {"v1", COMMIT_A},
        {"aaaaaa", NULL}, /* too short to be sure of */
        {"aaaaaaab", NULL},
        {"v2", NULL},
        {"", NULL},
        {"%", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int result = catalog_find_revision(catalog, id, rows[i].word, &found);
        CHECK_ERROR(result, rows[i].commit ? 0 : -ENOENT);
        if (result == 0 && rows[i].commit)
            CHECK_TEXT(found.commit, rows[i].commit);
    }
    struct catalog_stored third = hold(catalog, at(COMMIT_C, "v2", GIT_2));
    CHECK_ERROR(catalog_find_revision(catalog, id, "bbbbbbb", &found), -ENOENT); /* two begin so */
    CHECK_OK(catalog_find_revision(catalog, id, "bbbbbbbc", &found));
    CHECK_NUMBER(found.id, third.revision_id);
    CHECK_NUMBER(catalog_list_revision_names(catalog, id, 0, names, 4), 3);
    CHECK_OK(catalog_revision_name(catalog, names[2].id, &names[0]));
    CHECK_TEXT(names[0].name, "v2");
    CHECK_TEXT(names[0].commit, COMMIT_C);
}

static void turns_lead_back(struct catalog *catalog) {
    struct catalog_following following;
    struct catalog_revision a, b;
    int64_t id = model_now(catalog).id;
    CHECK_OK(catalog_find_revision(catalog, id, COMMIT_A, &a));
    CHECK_OK(catalog_find_revision(catalog, id, COMMIT_B, &b));
    CHECK_OK(catalog_set_pending(catalog, id, b.id));
    CHECK_OK(catalog_select_revision(catalog, id, b.id, NULL, false, true));
    CHECK_OK(catalog_following(catalog, id, &following));
    CHECK_NUMBER(following.former_id, a.id);
    CHECK_NUMBER(following.pending_id, 0); /* it has come */
    CHECK_TEXT(model_now(catalog).asked_revision, "main");

    CHECK_OK(catalog_select_revision(catalog, id, a.id, NULL, true, false)); /* rollback */
    CHECK_OK(catalog_following(catalog, id, &following));
    CHECK(following.stays);
    CHECK_NUMBER(following.former_id, 0); /* there is none before that */
    CHECK_NUMBER(following.head_id, b.id);
    CHECK_OK(catalog_select_revision(catalog, id, b.id, "v2", false, true));
    CHECK_OK(catalog_following(catalog, id, &following));
    CHECK_NUMBER(following.former_id, a.id);
    CHECK_TEXT(model_now(catalog).asked_revision, "v2");
    CHECK_TEXT(following.head_commit, COMMIT_C);
}

/* Selected is B, v2 (C) is followed; A was selected before. */
static void surplus_is_what_nobody_needs(struct catalog *catalog) {
    struct catalog_revision surplus[4];
    struct catalog_dropped dropped[4];
    struct catalog_reference references[16];
    struct catalog_file same[8];
    int64_t id = model_now(catalog).id;
    CHECK_NUMBER(catalog_list_surplus(catalog, id, 2, surplus, 4), 0);
    CHECK_NUMBER(catalog_list_surplus(catalog, id, 1, surplus, 4), 1);
    CHECK_TEXT(surplus[0].commit, COMMIT_A);
    CHECK_OK(catalog_set_pending(catalog, id, surplus[0].id));
    CHECK_NUMBER(catalog_list_surplus(catalog, id, 1, &surplus[1], 3), 0);
    CHECK_OK(catalog_set_pending(catalog, id, 0));

    CHECK_NUMBER(catalog_list_dropped(catalog, "", dropped, 4), 0);
    CHECK_NUMBER(catalog_list_same_kept(catalog, GIT_1, 0, same, 8), 1);
    CHECK_ERROR(catalog_drop_revision(catalog, model_now(catalog).revision_id), -EBUSY);
    CHECK_OK(catalog_drop_revision(catalog, surplus[0].id));
    CHECK_NUMBER(catalog_list_same_kept(catalog, GIT_1, 0, same, 8), 0);
    CHECK_NUMBER(catalog_list_dropped(catalog, "", dropped, 4), 3); /* also what others still have */
    CHECK_TEXT(dropped[0].digest, GIT_1);
    CHECK_NUMBER(catalog_list_dropped(catalog, dropped[1].digest, dropped, 4), 1);
    CHECK_NUMBER(catalog_list_references(catalog, 0, references, 16), 6);
    CHECK_NUMBER(references[0].model_id, id);
    CHECK_OK(catalog_clear_dropped(catalog));
    CHECK_NUMBER(catalog_list_dropped(catalog, "", dropped, 4), 0);
    CHECK_OK(catalog_forget_model(catalog, id));
    CHECK_NUMBER(catalog_list_references(catalog, 0, references, 16), 0);
    CHECK_NUMBER(catalog_list_dropped(catalog, "", dropped, 4), 3);
}

int main(void) {
    snprintf(path, sizeof path, "%s/catalog.db", check_folder());
    struct catalog *catalog = open_again(NULL);
    what_is_held_is_known_and_not_shown(catalog);
    revisions_are_found_by_commit_and_name(catalog);
    turns_lead_back(catalog);
    surplus_is_what_nobody_needs(catalog);
    catalog_close(catalog);
    return check_result();
}
