/* SPDX-License-Identifier: Apache-2.0 */
/* Models are discovered, pulled, evicted and forgotten; their states follow. */

#include "manage-fixture.h"

static void a_model_is_asked_for_once(void) {
    enum { ASKERS = 5 };
    struct test_wait waits[ASKERS] = {0};
    int64_t id;
    size_t before = play_asked();
    for (int i = 0; i < ASKERS; i++) {
        waits[i].wait.finish = end_wait;
        CHECK_NUMBER(discover_await(manage, &played_source, "acme/shared", &id, &waits[i].wait), PARKED);
    }
    CHECK(wait_withdraw(&waits[2].wait));
    CHECK(!wait_withdraw(&waits[2].wait));
    play_answer(0, 200, "", TINY);
    for (int i = 0; i < ASKERS; i++)
        if (i != 2)
            CHECK_OK(await(PARKED, &waits[i]));
    CHECK(!waits[2].ended);
    CHECK_OK(discover_await(manage, &played_source, "acme/shared", &id, &waits[2].wait));
    CHECK_NUMBER(play_asked() - before, 1);
    await_told("\"event\":\"model.added\",\"model\":\"hf:acme/shared\"");
}

static void what_is_not_there_is_remembered(void) {
    NEW_WAIT(wait);
    int64_t id;
    int answer = discover_await(manage, &played_source, "acme/none", &id, &wait.wait);
    play_answer(0, 404, "", "");
    CHECK_ERROR(await(answer, &wait), -ERR_UNKNOWN_MODEL);
    size_t before = play_asked();
    CHECK_ERROR(discover_await(manage, &played_source, "acme/none", &id, &wait.wait), -ERR_UNKNOWN_MODEL);
    CHECK_ERROR(discover_await(manage, &played_source, ".hidden/x", &id, &wait.wait), -ERR_BAD_NAME);
    CHECK_ERROR(discover_await(manage, &played_source, "-x/y", &id, &wait.wait), -ERR_BAD_NAME);
    CHECK_ERROR(discover_group_await(manage, &played_source, ".git", &id, &wait.wait), -ERR_BAD_NAME);
    CHECK_NUMBER(play_asked() - before, 0);
}

static void what_passes_is_remembered_shortly(void) {
    NEW_WAIT(wait);
    int64_t id;
    int answer = discover_await(manage, &played_source, "acme/down", &id, &wait.wait);
    play_answer(-ERR_UNREACHABLE, 0, "", "");
    CHECK_ERROR(await(answer, &wait), -ERR_UNREACHABLE);
    size_t before = play_asked();
    CHECK_ERROR(discover_await(manage, &played_source, "acme/down", &id, &wait.wait), -ERR_UNREACHABLE);
    CHECK_NUMBER(play_asked() - before, 0);
    CHECK(was_told("discover.failed"));
    CHECK_OK(run_command(COMMAND_ROOT, 0, "retry\n"));
    NEW_WAIT(again);
    answer = discover_await(manage, &played_source, "acme/down", &id, &again.wait);
    play_answer(-ERR_DEADLINE, 0, "", "");
    CHECK_ERROR(await(answer, &again), -ERR_UNREACHABLE); /* the deadline is ours: the hub did not answer */
}

static void a_busy_server_is_asked_again(void) {
    NEW_WAIT(wait);
    int64_t id;
    size_t before = play_asked();
    int answer = discover_await(manage, &played_source, "acme/busy", &id, &wait.wait);
    play_answer(0, 503, "", "");
    play_answer(0, 429, "Retry-After: 0\r\n", "");
    play_answer(0, 200, "", TINY);
    CHECK_OK(await(answer, &wait));
    CHECK_NUMBER(play_asked() - before, 3);
    NEW_WAIT(late);
    answer = discover_await(manage, &played_source, "acme/limited", &id, &late.wait);
    play_answer(0, 429, "Retry-After: 3600\r\n", ""); /* beyond discover_timeout_s */
    CHECK_ERROR(await(answer, &late), -ERR_RATE_LIMITED);
}

static void a_gated_model_is_known(void) {
    NEW_WAIT(wait);
    struct catalog_model model;
    int64_t id;
    int answer = discover_await(manage, &played_source, "acme/gated", &id, &wait.wait);
    play_answer(0, 403, "", "");
    CHECK_OK(await(answer, &wait));
    CHECK_OK(catalog_find_model(catalog, "hf", "acme/gated", &model));
    CHECK(model.locked && !model.revision_id);
    CHECK_ERROR(report_of(model.id).error, -ERR_GATED);
    CHECK_TEXT(state_of(model.id), "absent");
    CHECK_ERROR(run_command(COMMAND_MODEL, model.id, "pull\n"), -ERR_GATED);
    id = make_known("acme/masked", COMMIT_A "\nconfig.json 10 " GIT_1 "\nw.safetensors 99 -\n");
    CHECK_ERROR(run_command(COMMAND_MODEL, id, "pull\n"), -ERR_GATED);
    CHECK(strstr(last_words(COMMAND_MODEL, id), "1 of 2 files"));
}

static void a_pull_makes_it_ready(int64_t id) {
    NEW_WAIT(wait);
    NEW_WAIT(withdrawn);
    struct job_report job;
    struct catalog_file file;
    struct catalog_model model;
    CHECK_TEXT(state_of(id), "absent");
    CHECK_OK(model_wait_await(manage, id, &wait.wait));
    CHECK_OK(run_command(COMMAND_MODEL, id, "pull\n"));
    CHECK_NUMBER(model_wait_await(manage, id, &wait.wait), PARKED);
    CHECK_NUMBER(model_wait_await(manage, id, &withdrawn.wait), PARKED);
    CHECK(wait_withdraw(&withdrawn.wait));
    await_wants(SHA_1, 1);
    await_wants(GIT_1, 1);
    CHECK_NUMBER(wants_of(SHA_2), 0); /* another variant */
    play_blob(SHA_1, BLOB_PARTIAL, 100, 0, false);
    await_told("\"event\":\"job.started\"");
    struct model_report report = report_of(id);
    CHECK_TEXT(model_state_name(report.state), "downloading");
    CHECK_TEXT(report.variants, "Q4_K_M");
    CHECK_NUMBER(report.bytes_total, 410);
    CHECK_OK(job_report(manage, report.job_id, &job));
    CHECK_TEXT(job_state_name(job.row.state), "running");
    play_blob(GIT_1, BLOB_COMPLETE, 10, 0, false);
    play_blob(SHA_1, BLOB_VERIFIED, 400, 0, false);
    await_wants(GIT_1, 0);
    CHECK_NUMBER(wants_of(SHA_1), 1); /* it counts when it is sealed */
    play_blob(SHA_1, BLOB_COMPLETE, 400, 0, false);
    CHECK_OK(await(PARKED, &wait));
    CHECK_TEXT(state_of(id), "ready");
    CHECK_NUMBER(report_of(id).files_here, 2);
    CHECK_OK(catalog_model(catalog, id, &model));
    CHECK_OK(catalog_find_path(catalog, model.revision_id, "config.json", &file));
    CHECK_TEXT(file.sha256, HEX_1); /* our own, since git's says nothing to sha256sum */
    await_told("\"to\":\"ready\"");
    CHECK(was_told("\"event\":\"job.done\""));
    CHECK_OK(job_wait_await(manage, report.job_id, &wait.wait));
    size_t before = play_asked();
    CHECK_OK(run_command(COMMAND_MODEL, id, "pull")); /* there is nothing to do */
    CHECK(strstr(last_words(COMMAND_MODEL, id), "all of it is here"));
    CHECK_NUMBER(play_asked() - before, 0);
}

static void progress_does_not_run_backwards(void) {
    int64_t id = make_known("acme/back", COMMIT_A "\nw.bin 1000 " SHA_3 "\n");
    CHECK_OK(run_command(COMMAND_MODEL, id, "pull\n"));
    await_wants(SHA_3, 1);
    play_blob(SHA_3, BLOB_PARTIAL, 900, 0, false);
    while (report_of(id).bytes_here < 900 && !is_out_of_patience())
        continue;
    play_blob(SHA_3, BLOB_PARTIAL, 0, -ERR_FULL, false); /* a mismatch: all of it again */
    await_state(id, "paused");                           /* so the job has looked */
    CHECK_NUMBER(report_of(id).bytes_here, 900);
    CHECK_OK(run_command(COMMAND_MODEL, id, "cancel\n"));
    CHECK_NUMBER(wants_of(SHA_3), 0);
    CHECK_TEXT(state_of(id), "absent");
    CHECK(was_told("job.cancelled"));
}

static void a_job_waits_for_the_world(void) {
    NEW_WAIT(wait);
    play_blob(SHA_3, BLOB_ABSENT, 0, 0, false);
    int64_t id = make_known("acme/paused", COMMIT_A "\nw.bin 1000 " SHA_3 "\n");
    CHECK_OK(run_command(COMMAND_MODEL, id, "pull\n"));
    await_wants(SHA_3, 1);
    CHECK_NUMBER(model_wait_await(manage, id, &wait.wait), PARKED);
    play_blob(SHA_3, BLOB_PARTIAL, 4, -ERR_SERVER, false);
    await_told("\"event\":\"job.trouble\",\"model\":\"hf:acme/paused\""); /* it tries again, and says why */
    CHECK_TEXT(state_of(id), "downloading");
    CHECK_ERROR(report_of(id).error, -ERR_SERVER);
    play_blob(SHA_3, BLOB_PARTIAL, 5, -ERR_FULL, false);
    CHECK_OK(await(PARKED, &wait)); /* what waits for room is not under way */
    CHECK_TEXT(state_of(id), "paused");
    CHECK_ERROR(report_of(id).error, -ERR_FULL);
    play_blob(SHA_3, BLOB_PARTIAL, 50, 0, false);
    await_told("\"from\":\"paused\",\"to\":\"downloading\"");
    play_blob(SHA_3, BLOB_PARTIAL, 50, -ERR_CHANGED, true);
    await_told("\"to\":\"failed\"");
    CHECK_ERROR(report_of(id).error, -ERR_CHANGED);
    CHECK_NUMBER(wants_of(SHA_3), 0);
    CHECK_OK(run_command(COMMAND_MODEL, id, "retry\n"));
    await_wants(SHA_3, 1);
    play_blob(SHA_3, BLOB_CORRUPT, 0, 0, false);
    await_state(id, "corrupt");
    await_told("\"error\":\"CORRUPT\"");
    CHECK_OK(run_command(COMMAND_MODEL, id, "retry\n"));
    await_wants(SHA_3, 1);
    play_blob(SHA_3, BLOB_COMPLETE, 1000, 0, false);
    await_state(id, "ready");
}

static void what_was_sealed_unheard_is_learnt(void) {
    struct catalog_file file;
    struct catalog_model model;
    int64_t id = make_known("acme/sealed", COMMIT_A "\nempty.txt 0 " GIT_EMPTY "\n");
    play_begin();
    blob_find(GIT_EMPTY)->info.state = BLOB_COMPLETE; /* without any news */
    (void)text_copy(blob_find(GIT_EMPTY)->info.sha256, SHA256_HEX_SIZE, SHA_OF_EMPTY);
    play_end();
    CHECK_OK(run_command(COMMAND_MODEL, id, "pull\n"));
    CHECK_OK(catalog_model(catalog, id, &model));
    CHECK_OK(catalog_find_path(catalog, model.revision_id, "empty.txt", &file));
    CHECK_TEXT(file.sha256, SHA_OF_EMPTY);
}

static void what_ails_the_whole_is_told_until_a_success(void) {
    NEW_WAIT(wait);
    int64_t id;
    struct root_report report;
    (void)make_known("acme/well", COMMIT_A "\nw.bin 7 " SHA_1 "\n");
    CHECK_OK(root_report(manage, &report));
    CHECK_NUMBER(report.error, 0);
    int answer = discover_await(manage, &played_source, "acme/away", &id, &wait.wait);
    play_answer(-ERR_TLS, 0, "", "");
    CHECK_ERROR(await(answer, &wait), -ERR_TLS);
    CHECK_OK(root_report(manage, &report));
    CHECK_ERROR(report.error, -ERR_TLS);
    CHECK(strstr(report.reason.text, "hf:acme/away: "));
    (void)make_known("acme/better", COMMIT_A "\nw.bin 7 " SHA_1 "\n");
    CHECK_OK(root_report(manage, &report));
    CHECK_NUMBER(report.error, 0);
}

static void contradictions_are_refused(int64_t id) {
    CHECK_OK(run_command(COMMAND_MODEL, id, "pull Q8_0\n"));
    await_wants(SHA_2, 1);
    CHECK_ERROR(run_command(COMMAND_MODEL, id, "evict\n"), -ERR_BUSY);
    CHECK(strstr(last_words(COMMAND_MODEL, id), "of uid 7, pid 9"));
    CHECK_ERROR(run_command(COMMAND_MODEL, id, "update\n"), -ERR_BUSY);
    CHECK_ERROR(run_command(COMMAND_MODEL, id, "pull Q9\n"), -ERR_UNKNOWN_VARIANT);
    CHECK_OK(run_command(COMMAND_MODEL, id, "cancel\n"));
    room_result = -ERR_FULL;
    CHECK_ERROR(run_command(COMMAND_MODEL, id, "pull Q8_0\n"), -ERR_FULL);
    CHECK(strstr(last_words(COMMAND_MODEL, id), "1 B is free"));
    room_result = 0;
    room_budget = 1; /* whatever may be evicted */
    CHECK_ERROR(run_command(COMMAND_MODEL, id, "pull Q8_0\n"), -ERR_BUDGET);
    CHECK(strstr(last_words(COMMAND_MODEL, id), "can never fit"));
    room_budget = 0;
    CHECK_NUMBER(wants_of(SHA_2), 0);
    CHECK_OK(run_command(COMMAND_MODEL, id, "pin\n"));
    CHECK_NUMBER(hold_count, 3); /* both variants are wanted now */
    CHECK_TEXT(report_of(id).variants, "Q4_K_M,Q8_0");
    CHECK_ERROR(run_command(COMMAND_MODEL, id, "evict\n"), -ERR_BUSY);
    CHECK_ERROR(run_command(COMMAND_MODEL, id, "forget\n"), -ERR_BUSY);
    CHECK_OK(run_command(COMMAND_MODEL, id, "unpin\n"));
    CHECK_NUMBER(hold_count, 0);
}

static void evicting_says_what_stays(int64_t id) {
    play_begin();
    blob_find(SHA_1)->evict_result = -EBUSY;
    play_end();
    CHECK_ERROR(run_command(COMMAND_MODEL, id, "evict\n"), -ERR_BUSY);
    CHECK(strstr(last_words(COMMAND_MODEL, id), "1 open file stays"));
    CHECK_TEXT(state_of(id), "partial");
    play_begin();
    blob_find(SHA_1)->evict_result = 0;
    play_end();
    CHECK_OK(run_command(COMMAND_MODEL, id, "evict\n"));
    CHECK_TEXT(state_of(id), "absent");
    CHECK(strstr(last_words(COMMAND_MODEL, id), "400 B freed"));
}

static void an_update_goes_on_with_what_was_pulled(int64_t id) {
    NEW_WAIT(wait);
    int answer;
    CHECK_OK(run_command(COMMAND_MODEL, id, "pull\n"));
    await_wants(SHA_1, 1);
    play_blob(GIT_1, BLOB_COMPLETE, 10, 0, false);
    play_blob(SHA_2, BLOB_COMPLETE, 800, 0, false);
    play_blob(SHA_1, BLOB_COMPLETE, 400, 0, false);
    await_state(id, "ready");
    answer = begin_command(COMMAND_MODEL, id, "update\n", &wait);
    CHECK_NUMBER(answer, PARKED);
    play_answer(0, 200, "", TINY);
    CHECK_OK(await(answer, &wait));
    CHECK(strstr(last_words(COMMAND_MODEL, id), "main is still at aaaaaaaaaaaa"));
    NEW_WAIT(again);
    answer = begin_command(COMMAND_MODEL, id, "update\n", &again);
    play_answer(0, 200, "",
        COMMIT_B "\ntiny-Q4_K_M.gguf 400 " SHA_1 "\ntiny-Q8_0.gguf 900 " SHA_3 "x\nconfig.json 10 " GIT_1
                 "\n");
    CHECK_OK(await(answer, &again));
    CHECK(strstr(last_words(COMMAND_MODEL, id), "fetches 900 B of bbbbbbbbbbbb"));
    await_wants(SHA_3 "x", 1); /* what changed is fetched, the rest is not */
    CHECK_NUMBER(wants_of(SHA_1), 0);
    play_begin();
    CHECK(news_heard[NEWS_FILES_CHANGED] == 0); /* until it is here, the former one is shown */
    play_end();
    CHECK_ERROR(run_command(COMMAND_MODEL, id, "rollback\n"), -ERR_BUSY);
    CHECK(strstr(last_words(COMMAND_MODEL, id), "(update)"));
    play_blob(SHA_3 "x", BLOB_COMPLETE, 900, 0, false);
    await_state(id, "ready");
    play_begin();
    CHECK(news_heard[NEWS_FILES_CHANGED] == 1);
    play_end();
    NEW_WAIT(down);
    answer = begin_command(COMMAND_MODEL, id, "update\n", &down);
    play_answer(-ERR_UNREACHABLE, 0, "", "");
    CHECK_ERROR(await(answer, &down), -ERR_UNREACHABLE);
    struct catalog_model model;
    CHECK_OK(catalog_model(catalog, id, &model));
    CHECK_ERROR(model.error, -ERR_UNREACHABLE); /* and the model stays as it was */
    CHECK_TEXT(model.commit, COMMIT_B);
}

static void forgetting_leaves_what_others_show(int64_t id) {
    struct catalog_model model;
    int64_t other = make_known("acme/other", COMMIT_A "\nconfig.json 10 " GIT_1 "\n");
    CHECK_TEXT(state_of(other), "ready");
    CHECK_OK(run_command(COMMAND_MODEL, id, "forget\n"));
    CHECK_ERROR(catalog_model(catalog, id, &model), -ENOENT);
    CHECK_TEXT(state_of(other), "ready");
    play_begin();
    CHECK(blob_find(SHA_3 "x")->info.bytes_here == 0);
    play_end();
    CHECK(was_told("model.forgotten"));
}

static void few_blobs_are_wanted_at_once(void) {
    enum { COUNT = 300 };
    struct buf lines BUF_CLEANUP = BUF_INIT;
    char digest[DIGEST_TEXT_SIZE];
    NEW_WAIT(wait);
    buf_format(&lines, "%s\n", COMMIT_A);
    for (int i = 0; i < COUNT; i++)
        buf_format(&lines, "part-%03d 1 sha256-%064x\n", i, i + 1000);
    int64_t id = make_known("acme/parts", buf_text(&lines));
    play_begin();
    blob_wants_most = blob_wants;
    play_end();
    CHECK_OK(run_command(COMMAND_MODEL, id, "pull\n"));
    CHECK_NUMBER(model_wait_await(manage, id, &wait.wait), PARKED);
    for (int i = 0; i < COUNT; i++) {
        snprintf(digest, sizeof digest, "sha256-%064x", i + 1000);
        await_wants(digest, 1);
        play_blob(digest, BLOB_COMPLETE, 1, 0, false);
    }
    CHECK_OK(await(PARKED, &wait));
    CHECK_TEXT(state_of(id), "ready");
    CHECK(blob_wants_most <= 64);
    struct root_report report;
    CHECK_OK(root_report(manage, &report));
    CHECK_NUMBER(report.jobs_open, 0);
    CHECK(report.ready >= 1 && report.models > report.ready);
}

static void jobs_go_on_after_a_restart(void) {
    int64_t id = make_known("acme/restart",
        COMMIT_A "\nw.bin 77 sha256-5555555555555555555555555555555555555555555555555555555555555555\n");
    CHECK_OK(run_command(COMMAND_MODEL, id, "pull\n"));
    CHECK_OK(run_command(COMMAND_ROOT, 0, "offline on\n"));
    NEW_WAIT(cut);
    int64_t ignored;
    CHECK_ERROR(discover_await(manage, &played_source, "acme/dark", &ignored, &cut.wait), -ERR_OFFLINE);
    CHECK(is_offline);
    CHECK_OK(run_command(COMMAND_ROOT, 0, "offline off\n"));
    NEW_WAIT(parked);
    CHECK_NUMBER(discover_await(manage, &played_source, "acme/inflight", &ignored, &parked.wait), PARKED);
    CHECK_OK(run_command(COMMAND_ROOT, 0, "offline on\n"));
    house_end();
    CHECK_ERROR(await(PARKED, &parked), -ERR_CANCELLED);
    is_offline = false;
    house_begin();
    CHECK(is_offline); /* what was commanded stays in force */
    await_wants("sha256-5555555555555555555555555555555555555555555555555555555555555555", 1);
    await_state(id, "downloading");
    play_blob("sha256-5555555555555555555555555555555555555555555555555555555555555555", BLOB_COMPLETE, 77, 0,
        false);
    await_told("job.done");
    CHECK_TEXT(state_of(id), "ready");
}

int main(void) {
    house_begin();
    a_model_is_asked_for_once();
    what_is_not_there_is_remembered();
    what_passes_is_remembered_shortly();
    a_busy_server_is_asked_again();
    a_gated_model_is_known();
    int64_t id = make_known("acme/tiny", TINY);
    a_pull_makes_it_ready(id);
    progress_does_not_run_backwards();
    a_job_waits_for_the_world();
    what_was_sealed_unheard_is_learnt();
    what_ails_the_whole_is_told_until_a_success();
    contradictions_are_refused(id);
    evicting_says_what_stays(id);
    an_update_goes_on_with_what_was_pulled(id);
    forgetting_leaves_what_others_show(id);
    few_blobs_are_wanted_at_once();
    jobs_go_on_after_a_restart();
    house_end();
    return check_result();
}
