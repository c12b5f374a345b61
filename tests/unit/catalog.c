/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue: what is written is read again, in order, after a restart. */

#include "catalog-fixture.h"
#include "model/catalog_job.h"

/* The names in a folder, listed one by one, since that is how a directory is read. */
static void check_folder_is(struct catalog *catalog, int64_t revision_id, int64_t parent_id,
    const char *wanted) {
    struct buf names BUF_CLEANUP = BUF_INIT;
    struct catalog_file file;
    for (int64_t after = 0; catalog_list_folder(catalog, revision_id, parent_id, after, &file, 1) == 1;
         after = file.id) {
        CHECK(file.id > after);
        buf_format(&names, "%s%s ", file.name, file.is_folder ? "/" : "");
    }
    CHECK_TEXT(buf_text(&names), wanted);
}

static void check_selected(struct catalog *catalog, int64_t revision_id, const char *wanted) {
    struct buf names BUF_CLEANUP = BUF_INIT;
    struct catalog_file files[16];
    int count = catalog_list_files(catalog, revision_id, true, 0, files, 16);
    for (int i = 0; i < count; i++)
        buf_format(&names, "%s ", files[i].path);
    CHECK_TEXT(buf_text(&names), wanted);
}

static void what_is_stored_is_found(struct catalog **catalog) {
    struct catalog_model model, other;
    struct catalog_group group;
    struct catalog_file file, again;
    struct catalog_refusal refusals[4];
    int64_t id = store(*catalog, "acme/tiny", tiny(COMMIT_A), true);
    *catalog = open_again(*catalog);
    CHECK_OK(catalog_model(*catalog, id, &model));
    CHECK_TEXT(model.name, "acme/tiny");
    CHECK_TEXT(model.commit, COMMIT_A);
    CHECK_TEXT(model.asked_revision, "main");
    CHECK_NUMBER(model.file_count, 6);
    CHECK_NUMBER(model.refusal_count, 1);
    CHECK_NUMBER(model.modified_ms, 1700000000000);
    CHECK_OK(catalog_find_model(*catalog, "hf", "acme/tiny", &other));
    CHECK(other.id == id);
    CHECK_ERROR(catalog_find_model(*catalog, "hf", "acme/none", &other), -ENOENT);
    CHECK_ERROR(catalog_model(*catalog, id + 1, &other), -ENOENT);
    CHECK_OK(catalog_group(*catalog, model.group_id, &group));
    CHECK_TEXT(group.name, "acme");
    CHECK_OK(catalog_find_path(*catalog, model.revision_id, "a/z/deep.txt", &file));
    CHECK_TEXT(file.name, "deep.txt");
    CHECK(file.model_id == id && !file.is_folder && file.size == 1);
    CHECK_OK(catalog_file(*catalog, file.id, &again));
    CHECK_TEXT(again.path, "a/z/deep.txt");
    CHECK_ERROR(catalog_find_path(*catalog, model.revision_id, "a/z/", &file), -ENOENT);
    CHECK_ERROR(catalog_find_path(*catalog, model.revision_id, "/a", &file), -ENOENT);
    CHECK_NUMBER(catalog_list_refusals(*catalog, model.revision_id, refusals, 4), 1);
    CHECK_TEXT(refusals[0].fault, "it leads outside");
    check_folder_is(*catalog, model.revision_id, 0, "a-b a/ config.json tiny-Q4_K_M.gguf tiny-Q8_0.gguf ");
    CHECK_OK(catalog_find_path(*catalog, model.revision_id, "a", &file));
    CHECK(file.is_folder);
    check_folder_is(*catalog, model.revision_id, file.id, "b.txt z/ ");
}

static void the_selection_follows_the_words(struct catalog *catalog) {
    struct catalog_model model;
    struct reason reason = {""};
    const char *common = "a-b config.json ", *deep = "a/b.txt a/z/deep.txt ";
    char wanted[200];
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &model));
    snprintf(wanted, sizeof wanted, "%stiny-Q4_K_M.gguf %s", common, deep);
    check_selected(catalog, model.revision_id, wanted);
    const char *unknown[] = {"Q8_0", "Q9_9"};
    CHECK_ERROR(catalog_select(catalog, model.id, unknown, 2, &reason), -ERR_UNKNOWN_VARIANT);
    CHECK(strstr(reason.text, "Q9_9"));
    check_selected(catalog, model.revision_id, wanted); /* nothing of it was taken */
    const char *other[] = {"q8_0"};
    CHECK_OK(catalog_select(catalog, model.id, other, 1, &reason));
    snprintf(wanted, sizeof wanted, "%stiny-Q8_0.gguf %s", common, deep);
    check_selected(catalog, model.revision_id, wanted);
    char words[4][NAME_PATH_SIZE];
    CHECK_NUMBER(catalog_list_words(catalog, model.id, words, 4), 1);
    CHECK_TEXT(words[0], "Q8_0");
    const char *file[] = {"tiny-Q4_K_M.gguf"};
    CHECK_OK(catalog_select(catalog, model.id, file, 1, &reason));
    snprintf(wanted, sizeof wanted, "%stiny-Q4_K_M.gguf tiny-Q8_0.gguf %s", common, deep);
    check_selected(catalog, model.revision_id, wanted);
}

static void the_same_commit_keeps_its_ids(struct catalog *catalog) {
    struct catalog_model before, after;
    struct catalog_file file, again;
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &before));
    CHECK_OK(catalog_find_path(catalog, before.revision_id, "a/b.txt", &file));
    store(catalog, "acme/tiny", tiny(COMMIT_A), false);
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &after));
    CHECK(after.id == before.id && after.revision_id == before.revision_id);
    store(catalog, "acme/tiny", tiny(COMMIT_B), true);
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &after));
    CHECK(after.id == before.id && after.revision_id != before.revision_id);
    CHECK_OK(
        catalog_file(catalog, file.id, &again)); /* the former revision is still there for who has it open */
    CHECK(again.revision_id == before.revision_id);
    store(catalog, "acme/tiny", tiny(COMMIT_A), true);
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &after));
    CHECK(after.revision_id == before.revision_id);
    CHECK_OK(catalog_find_path(catalog, after.revision_id, "a/b.txt", &again));
    CHECK(again.id == file.id);
}

static void masked_files_are_told_later(struct catalog *catalog) {
    struct catalog_model model;
    struct catalog_file file;
    struct manifest *manifest = manifest_of("acme/gated", COMMIT_A);
    add(manifest, "w.safetensors", 5, "");
    manifest_finish(manifest);
    int64_t id = store(catalog, "acme/gated", manifest, true);
    CHECK_OK(catalog_model(catalog, id, &model));
    CHECK_OK(catalog_find_path(catalog, model.revision_id, "w.safetensors", &file));
    CHECK(file.masked && !*file.digest && !*file.sha256);
    int64_t file_id = file.id;
    manifest = manifest_of("acme/gated", COMMIT_A);
    add(manifest, "w.safetensors", 5, SHA_1);
    manifest_finish(manifest);
    store(catalog, "acme/gated", manifest, true);
    CHECK_OK(catalog_file(catalog, file_id, &file));
    CHECK(!file.masked);
    CHECK_TEXT(file.digest, SHA_1);
    CHECK_TEXT(file.sha256, SHA_1 + strlen("sha256-"));
}

static void a_locked_model_is_known(struct catalog *catalog) {
    struct catalog_model model;
    int64_t id;
    CHECK_OK(catalog_store_locked(catalog, "hf", "acme/locked", -ERR_GATED, "ask for it", &id));
    CHECK_OK(catalog_model(catalog, id, &model));
    CHECK(model.locked && !model.revision_id);
    CHECK_ERROR(model.error, -ERR_GATED);
    CHECK_TEXT(model.reason.text, "ask for it");
}

static void a_digest_is_shared(struct catalog *catalog) {
    struct catalog_file same[8], file;
    struct catalog_model model;
    CHECK_OK(catalog_set_sha256(catalog, GIT_1, HEX_3));
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &model));
    CHECK_OK(catalog_find_path(catalog, model.revision_id, "config.json", &file));
    CHECK_TEXT(file.sha256, HEX_3);
    CHECK_NUMBER(catalog_list_same(catalog, GIT_1, 0, same, 8),
        2); /* not those of the revision that is not selected */
    CHECK_NUMBER(catalog_list_same(catalog, SHA_1, 0, same, 8), 2); /* of two models */
    CHECK_NUMBER(catalog_list_same(catalog, "", 0, same, 8), 0);
    char digests[8][DIGEST_TEXT_SIZE];
    CHECK_NUMBER(catalog_list_pinned_digests(catalog, "", digests, 8), 0);
    CHECK_OK(catalog_set_pinned(catalog, model.id, true));
    CHECK_NUMBER(catalog_list_pinned_digests(catalog, "", digests, 8), 4);
    CHECK_NUMBER(catalog_list_pinned_digests(catalog, digests[1], digests, 8), 2);
    CHECK_OK(catalog_set_pinned(catalog, model.id, false));
}

static void one_word_names_become_full(struct catalog *catalog) {
    struct catalog_model model;
    struct manifest *manifest = manifest_of("openai-community/gpt2", COMMIT_A);
    add(manifest, "config.json", 10, GIT_1);
    manifest_finish(manifest);
    store(catalog, "gpt2", manifest, true);
    CHECK_OK(catalog_find_model(catalog, "hf", "openai-community/gpt2", &model));
    struct catalog_group groups[8];
    CHECK_NUMBER(catalog_list_groups(catalog, "hf", true, 0, groups, 8), 2);
    int64_t id;
    CHECK_OK(catalog_add_group(catalog, "hf", "empty", &id));
    CHECK_NUMBER(catalog_list_groups(catalog, "hf", true, 0, groups, 8), 2);
    CHECK_NUMBER(catalog_list_groups(catalog, "hf", false, 0, groups, 8), 3);
    CHECK_NUMBER(catalog_list_groups(catalog, "other", false, 0, groups, 8), 0);
}

static void absences_end(struct catalog *catalog) {
    int error;
    struct reason reason;
    int64_t now = clock_wall_ms();
    CHECK_ERROR(catalog_absence(catalog, "hf", "x/y", now, &error, &reason), -ENOENT);
    CHECK_OK(catalog_set_absence(catalog, "hf", "x/y", -ERR_UNKNOWN_MODEL, "not there", now + 60000));
    CHECK_OK(catalog_absence(catalog, "hf", "x/y", now, &error, &reason));
    CHECK_ERROR(error, -ERR_UNKNOWN_MODEL);
    CHECK_TEXT(reason.text, "not there");
    CHECK_ERROR(catalog_absence(catalog, "hf", "x/y", now + 60000, &error, &reason), -ENOENT);
    CHECK_OK(catalog_clear_absence(catalog, "hf", "x/y"));
    CHECK_ERROR(catalog_absence(catalog, "hf", "x/y", now, &error, &reason), -ENOENT);
}

static void jobs_are_kept_and_trimmed(struct catalog *catalog) {
    struct catalog_model model;
    struct catalog_job job = {.key = "hf:acme/tiny",
                           .kind = "pull",
                           .words = "Q8_0",
                           .state = JOB_QUEUED,
                           .created_ms = 5,
                           .bytes_total = 7},
                       jobs[8];
    int64_t first = 0, id = 0;
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/tiny", &model));
    job.model_id = model.id;
    for (int i = 0; i < 4; i++) {
        CHECK_OK(catalog_add_job(catalog, &job, &id));
        first = first ? first : id;
    }
    CHECK_NUMBER(catalog_list_jobs(catalog, true, 0, jobs, 8), 4);
    CHECK_OK(catalog_last_job(catalog, model.id, "pull", &job));
    CHECK(job.id == id);
    for (int i = 0; i < 3; i++) {
        job.id = first + i;
        job.state = JOB_DONE;
        job.bytes_done = 7;
        CHECK_OK(catalog_set_job(catalog, &job));
    }
    CHECK_NUMBER(catalog_list_jobs(catalog, true, 0, jobs, 8), 1);
    CHECK_OK(catalog_trim_jobs(catalog, 1));
    CHECK_NUMBER(catalog_list_jobs(catalog, false, 0, jobs, 8), 2);
    CHECK(jobs[0].id == first + 2 && jobs[1].id == first + 3);
    CHECK_TEXT(jobs[0].words, "Q8_0");
    struct catalog_totals totals;
    CHECK_OK(catalog_totals(catalog, &totals));
    CHECK_NUMBER(totals.open_jobs, 1);
    CHECK_NUMBER(totals.models, 4);
    CHECK_OK(catalog_set_state(catalog, model.id, 5));
    uint64_t counts[10];
    CHECK_OK(catalog_count_states(catalog, counts, 10));
    CHECK(counts[0] == 3 && counts[5] == 1);
}

static void a_transaction_is_whole_or_absent(struct catalog *catalog) {
    char value[16];
    int recorded;
    CHECK_OK(catalog_begin(catalog));
    CHECK_OK(catalog_set_setting(catalog, "offline", "on"));
    CHECK_OK(catalog_set_answer(catalog, "s1", 7, -EBUSY));
    CHECK_ERROR(catalog_setting(catalog, "offline", value, sizeof value),
        -ENOENT); /* readers see what is committed */
    catalog_rollback(catalog);
    CHECK_ERROR(catalog_answer(catalog, "s1", 7, &recorded), -ENOENT);
    CHECK_OK(catalog_begin(catalog));
    CHECK_OK(catalog_set_setting(catalog, "offline", "on"));
    CHECK_OK(catalog_set_answer(catalog, "s1", 7, -EBUSY));
    CHECK_OK(catalog_commit(catalog));
    CHECK_OK(catalog_setting(catalog, "offline", value, sizeof value));
    CHECK_TEXT(value, "on");
    CHECK_OK(catalog_answer(catalog, "s1", 7, &recorded));
    CHECK_ERROR(recorded, -EBUSY);
    CHECK_OK(catalog_set_answer(catalog, "s2", 7, 0)); /* another session: the former one's are gone */
    CHECK_ERROR(catalog_answer(catalog, "s1", 7, &recorded), -ENOENT);
    CHECK_OK(catalog_set_setting(catalog, "offline", NULL));
    CHECK_ERROR(catalog_setting(catalog, "offline", value, sizeof value), -ENOENT);
}

static void forgetting_takes_all(struct catalog **catalog) {
    struct catalog_model model, after;
    struct catalog_file file;
    struct catalog_job jobs[8];
    CHECK_OK(catalog_find_model(*catalog, "hf", "acme/tiny", &model));
    CHECK_OK(catalog_find_path(*catalog, model.revision_id, "a/b.txt", &file));
    CHECK_OK(catalog_forget_model(*catalog, model.id));
    CHECK_ERROR(catalog_model(*catalog, model.id, &after), -ENOENT);
    CHECK_ERROR(catalog_file(*catalog, file.id, &file), -ENOENT);
    CHECK_NUMBER(catalog_list_jobs(*catalog, false, 0, jobs, 8), 2); /* history says what was done to it */
    CHECK_TEXT(jobs[0].key, "hf:acme/tiny");
    *catalog = open_again(*catalog);
    int64_t id = store(*catalog, "acme/tiny", tiny(COMMIT_A), true);
    CHECK(id > model.id); /* ids are never used again */
    CHECK_OK(catalog_model(*catalog, id, &after));
    CHECK_OK(catalog_find_path(*catalog, after.revision_id, "a/b.txt", &file));
    CHECK(file.id > model.revision_id && after.revision_id > model.revision_id);
}

int main(void) {
    snprintf(path, sizeof path, "%s/catalog.db", check_folder());
    struct catalog *catalog = open_again(NULL);
    what_is_stored_is_found(&catalog);
    the_selection_follows_the_words(catalog);
    the_same_commit_keeps_its_ids(catalog);
    masked_files_are_told_later(catalog);
    a_locked_model_is_known(catalog);
    a_digest_is_shared(catalog);
    one_word_names_become_full(catalog);
    absences_end(catalog);
    jobs_are_kept_and_trimmed(catalog);
    a_transaction_is_whole_or_absent(catalog);
    forgetting_takes_all(&catalog);
    catalog_close(catalog);
    return check_result();
}
