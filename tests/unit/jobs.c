/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of kinds that this test makes up: turns, places, pauses, restarts, what excludes what. */

#include "manage-fixture.h"
#include "manage/job.h"

/* ---- kinds: in place of manage/job_kinds.c ---- */

static unsigned begun, stopped, stopped_for_good; /* desk */
static int begin_result;
static char begun_words[4096]; /* of all that were begun, in order */

static int toy_begin(struct live_job *job) {
    if (begin_result < 0)
        return err_because(&job->sentence, begin_result, "the toy is broken");
    begun++;
    (void)snprintf(begun_words + strlen(begun_words), sizeof begun_words - strlen(begun_words), "%s ",
        job->row.words);
    job->work = mem_new(1);
    return 0;
}
/* Its words say what becomes of it: "end", or a number of bytes that it is done with. */
static void toy_step(struct live_job *job) {
    if (strcmp(job->row.words, "end") == 0)
        job_end(job, JOB_DONE, 0, NULL);
    else if (strcmp(job->row.words, "fail") == 0)
        job_end(job, JOB_FAILED, -ERR_SERVER, "it said no");
}
static void toy_stop(struct live_job *job, bool goes_on) {
    stopped++;
    stopped_for_good += !goes_on;
    free(job->work);
    job->work = NULL;
}
const struct job_kind kind_pull = {.name = "pull",
    .does = JOB_FETCHES,
    .excludes = JOB_CHECKS | JOB_REMOVES | JOB_SWITCHES,
    .most_option = "max_concurrent_downloads",
    .begin = toy_begin,
    .step = toy_step,
    .stop = toy_stop};
static const struct job_kind kind_check = {.name = "check",
    .does = JOB_CHECKS,
    .excludes = JOB_CHECKS | JOB_FETCHES,
    .begin = toy_begin,
    .step = toy_step,
    .stop = toy_stop};
static const struct job_kind kind_free = {.name = "free",
    .begin = toy_begin,
    .step = toy_step,
    .stop = toy_stop};
static const struct job_kind *const kinds[] = {&kind_pull, &kind_check, &kind_free};

const struct job_kind *job_kind_row(size_t index) {
    return index < sizeof kinds / sizeof *kinds ? kinds[index] : NULL;
}
size_t job_kind_index(const struct job_kind *kind) {
    return kind == kinds[0] ? 0 : kind == kinds[1] ? 1 : 2;
}
const struct job_kind *job_kind_of(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

/* ---- on the desk ---- */

struct errand {
    struct work work;
    void (*run)(void);
    bool ended; /* under play_mutex */
};
static void run_errand(struct work *work) {
    struct errand *errand = (struct errand *)work;
    errand->run();
    play_begin();
    errand->ended = true;
    play_end();
}
static void on_desk(void (*run)(void)) {
    struct errand errand = {.work.run = run_errand, .run = run};
    desk_submit(manage, &errand.work);
    play_begin();
    PLAY_UNTIL(errand.ended);
    play_end();
}

static const struct job_kind *asked_kind;
static int64_t asked_model, asked_id;
static const char *asked_words;
static void add_asked(void) {
    CHECK_OK(job_add(manage, asked_kind, asked_model, asked_words, NULL, &asked_id));
}
static int64_t add(const struct job_kind *kind, int64_t model_id, const char *words) {
    asked_kind = kind;
    asked_model = model_id;
    asked_words = words;
    on_desk(add_asked);
    return asked_id;
}
static struct job_report job_as_it_is(int64_t id) {
    struct job_report report = {0};
    CHECK_OK(job_report(manage, id, &report));
    return report;
}
static const char *word_of(int64_t id) {
    return job_state_name(job_as_it_is(id).row.state);
}
static void await_job_state(int64_t id, const char *state) {
    while (strcmp(word_of(id), state) != 0 && !is_out_of_patience())
        continue;
    CHECK_TEXT(word_of(id), state);
}

/* ---- the tests ---- */

static void a_job_about_the_whole_ends(void) {
    int64_t id = add(&kind_free, 0, "end");
    await_job_state(id, "done");
    CHECK(job_as_it_is(id).row.started_ms && job_as_it_is(id).row.ended_ms);
    CHECK_NUMBER(stopped_for_good, 1);
    id = add(&kind_free, 0, "fail");
    await_job_state(id, "failed");
    CHECK_TEXT(job_as_it_is(id).row.reason.text, "it said no");
    begin_result = -ERR_BAD_VALUE;
    id = add(&kind_free, 0, "never");
    await_job_state(id, "failed");
    begin_result = 0;
    CHECK_TEXT(job_as_it_is(id).row.reason.text, "the toy is broken");
    CHECK_NUMBER(stopped, 2); /* what never began is not stopped */
}

static void places_are_given_in_order(int64_t model) {
    int64_t ids[8];
    struct reason reason;
    CHECK_OK(options_set(options, "max_concurrent_downloads", "1", "test", &reason));
    begun_words[0] = 0;
    ids[0] = add(&kind_pull, model, "first");
    await_job_state(ids[0], "running");
    ids[1] = add(&kind_pull, model, "second");
    ids[2] = add(&kind_pull, model, "third");
    ids[3] = add(&kind_pull, model, "fourth");
    int64_t free_one = add(&kind_free, 0, "unbound");
    await_job_state(free_one, "running"); /* it needs no place */
    CHECK_TEXT(word_of(ids[3]), "queued");
    CHECK_NUMBER(job_as_it_is(ids[3]).position, 3);
    CHECK_NUMBER(job_as_it_is(ids[0]).position, 0);
    CHECK_ERROR(run_command(COMMAND_JOB, ids[3], "priority urgent"), -ERR_BAD_VALUE);
    CHECK_OK(run_command(COMMAND_JOB, ids[3], "priority high"));
    CHECK_OK(run_command(COMMAND_JOB, ids[1], "priority low"));
    CHECK_NUMBER(job_as_it_is(ids[3]).position, 1);
    CHECK_NUMBER(job_as_it_is(ids[2]).position, 2);
    CHECK_NUMBER(job_as_it_is(ids[1]).position, 3);
    static const int order[] = {0, 3, 2, 1};
    for (int i = 0; i < 4; i++) {
        await_job_state(ids[order[i]], "running");
        CHECK_OK(run_command(COMMAND_JOB, ids[order[i]], "cancel"));
        CHECK_TEXT(word_of(ids[order[i]]), "cancelled");
    }
    CHECK_TEXT(begun_words, "first unbound fourth third second ");
    CHECK_OK(run_command(COMMAND_JOB, free_one, "cancel"));
    CHECK_ERROR(run_command(COMMAND_JOB, free_one, "priority low"), -ERR_BUSY);
}

static void what_is_paused_is_stopped_and_begins_again(int64_t model) {
    NEW_WAIT(wait);
    unsigned before = stopped_for_good;
    int64_t id = add(&kind_pull, model, "pausing"), next = add(&kind_pull, model, "next");
    await_job_state(id, "running");
    CHECK_NUMBER(job_wait_await(manage, id, &wait.wait), PARKED);
    CHECK_OK(run_command(COMMAND_JOB, id, "pause"));
    CHECK_OK(await(PARKED, &wait)); /* what waits for a person is not under way */
    CHECK_TEXT(word_of(id), "paused");
    CHECK_TEXT(job_as_it_is(id).row.reason.text, "paused by uid 7");
    CHECK_NUMBER(stopped_for_good, before); /* it goes on */
    await_job_state(next, "running");       /* its place is free */
    CHECK_TEXT(state_of(model), "downloading");
    CHECK_OK(run_command(COMMAND_JOB, id, "resume"));
    CHECK_TEXT(word_of(id), "queued");
    CHECK_OK(run_command(COMMAND_MODEL, model, "pause"));
    CHECK_TEXT(word_of(next), "paused");
    CHECK_TEXT(word_of(id), "paused");
    CHECK_TEXT(state_of(model), "paused");
    CHECK_TEXT(report_of(model).reason.text, "paused by uid 7");
    CHECK_OK(run_command(COMMAND_MODEL, model, "resume"));
    await_job_state(id, "running");
    CHECK_OK(run_command(COMMAND_ROOT, 0, "pause"));
    CHECK_TEXT(word_of(id), "paused");
    int64_t late = add(&kind_free, 0, "late");
    CHECK_TEXT(word_of(late), "paused"); /* those to come, too */
    CHECK_ERROR(run_command(COMMAND_MODEL, model, "resume"), -ERR_BUSY);
    CHECK(strstr(last_words(COMMAND_MODEL, model), "paused by uid 7, as all jobs"));
    CHECK_OK(run_command(COMMAND_ROOT, 0, "resume"));
    await_job_state(id, "running");
    await_job_state(late, "running");
    CHECK_OK(run_command(COMMAND_ROOT, 0, "cancel"));
    CHECK_TEXT(word_of(late), "cancelled");
}

static int64_t noted_id;
static void make_a_note(void) {
    struct live_job *job = job_of_id(manage, noted_id);
    char large[CATALOG_MEMO_SIZE + 1];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    CHECK_ERROR(job_set_memo(job, large), -ERR_BAD_VALUE);
    CHECK_OK(job_set_memo(job, "half of it"));
    job_set_progress(job, 500, 1000);
    job_set_progress(job, 400, 1000);
    job_count_try(job);
}
static void make_no_progress(void) {
    job_set_progress(job_of_id(manage, noted_id), 10, 1000);
}

static void a_restart_goes_on_with_all_of_it(int64_t model) {
    struct reason reason;
    int64_t held = add(&kind_free, 0, "held"), first = add(&kind_pull, model, "one"),
            second = add(&kind_pull, model, "two");
    noted_id = first;
    await_job_state(first, "running");
    on_desk(make_a_note);
    CHECK_OK(run_command(COMMAND_JOB, held, "pause"));
    CHECK_OK(run_command(COMMAND_JOB, second, "priority high"));
    struct catalog_job odd = {.kind = "knitting", .held_by = -1, .uid = -1};
    CHECK_OK(catalog_add_job(catalog, &odd, &odd.id));
    house_end();
    house_begin();
    CHECK_OK(options_set(options, "max_concurrent_downloads", "1", "test", &reason));
    while (!was_told("job.started") && !is_out_of_patience())
        continue;
    CHECK_TEXT(word_of(held), "paused");
    CHECK_TEXT(job_as_it_is(held).row.reason.text, "paused by uid 7");
    CHECK_TEXT(word_of(odd.id), "failed");
    CHECK(strstr(job_as_it_is(odd.id).row.reason.text, "knows no such kind"));
    CHECK_OK(run_command(COMMAND_JOB, first, "pause"));
    CHECK_OK(run_command(COMMAND_JOB, first, "resume"));
    await_job_state(second, "running");
    CHECK_OK(run_command(COMMAND_JOB, second, "cancel"));
    await_job_state(first, "running");
    struct job_report report = job_as_it_is(first);
    CHECK_TEXT(report.row.memo, "half of it");
    CHECK_NUMBER(report.row.bytes_done, 500);
    CHECK_NUMBER(report.row.tries, 1);
    on_desk(make_no_progress);
    CHECK_NUMBER(job_as_it_is(first).row.bytes_done, 500); /* what was told does not run backwards */
    CHECK_OK(run_command(COMMAND_ROOT, 0, "pause"));
    house_end();
    house_begin();
    while (!was_told("job.paused") && !is_out_of_patience())
        continue;
    CHECK_TEXT(word_of(first), "paused");
    CHECK(strstr(job_as_it_is(first).row.reason.text, "as all jobs"));
    CHECK_OK(run_command(COMMAND_ROOT, 0, "resume"));
    await_job_state(first, "running");
    await_job_state(held, "running"); /* also what was paused one by one */
    CHECK_OK(run_command(COMMAND_ROOT, 0, "cancel"));
}

/* What is under way, and what contradicts it: each pair. */
static const struct {
    const struct job_kind *under_way;
    unsigned does, excludes;
    bool refused;
} pairs[] = {
    {&kind_pull, JOB_FETCHES, JOB_CHECKS | JOB_REMOVES | JOB_SWITCHES, false}, /* another variant */
    {&kind_pull, JOB_CHECKS, JOB_FETCHES, true},
    {&kind_pull, JOB_CHECKS, 0, true}, /* one side's word is enough */
    {&kind_pull, JOB_REMOVES, 0, true},
    {&kind_pull, JOB_SWITCHES, 0, true},
    {&kind_pull, 0, JOB_FETCHES, true},
    {&kind_pull, 0, 0, false},
    {&kind_check, JOB_FETCHES, JOB_CHECKS, true},
    {&kind_check, JOB_CHECKS, 0, true},
    {&kind_check, JOB_REMOVES, 0, false},
    {&kind_check, JOB_REMOVES, JOB_CHECKS, true},
    {&kind_free, JOB_FETCHES | JOB_CHECKS | JOB_REMOVES | JOB_SWITCHES, 15, false},
};
static int64_t pair_model;
static void try_pairs(void) {
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        int64_t id;
        struct reason reason = {""};
        CHECK_OK(job_add(manage, pairs[i].under_way, pair_model, "pair", NULL, &id));
        if (!CHECK(job_refuse(manage, pair_model, pairs[i].does, pairs[i].excludes, &reason) ==
                   (pairs[i].refused ? -ERR_BUSY : 0)))
            fprintf(stderr, "    row %zu: %s\n", i, reason.text);
        CHECK(!pairs[i].refused || strstr(reason.text, pairs[i].under_way->name));
        CHECK_OK(job_refuse(manage, pair_model + 1, 15, 15, &reason)); /* another model */
        job_end(job_of_id(manage, id), JOB_CANCELLED, -ERR_CANCELLED, NULL);
    }
}

static void words_fit(void) {
    char large[CATALOG_WORDS_SIZE + 1];
    int64_t id;
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    CHECK(job_add(manage, &kind_free, 0, large, NULL, &id) < 0);
    CHECK_ERROR(job_add(manage, &kind_free, 99999, "", NULL, &id), -ENOENT);
}

static void a_forgotten_models_jobs_are_history(int64_t model) {
    int64_t id = add(&kind_pull, model, "gone");
    await_job_state(id, "running");
    CHECK_OK(run_command(COMMAND_MODEL, model, "forget"));
    CHECK_TEXT(word_of(id), "cancelled");
    CHECK_TEXT(job_as_it_is(id).row.key, "hf:acme/tiny");
}

int main(void) {
    house_begin();
    int64_t model = make_known("acme/tiny", TINY);
    a_job_about_the_whole_ends();
    places_are_given_in_order(model);
    what_is_paused_is_stopped_and_begins_again(model);
    a_restart_goes_on_with_all_of_it(model);
    pair_model = model;
    on_desk(try_pairs);
    on_desk(words_fit);
    a_forgotten_models_jobs_are_history(model);
    house_end();
    return check_result();
}
