/* SPDX-License-Identifier: Apache-2.0 */
/* Many jobs through the desk: memory stays what it was, and so does the history. 6,000 of them, or 100,000
 * with WEIGHTFS_TEST_JOBS=all, which takes half a minute. And many models: a command's answer stays quick. */

#include <stdio.h>

#include "manage-fixture.h"
#include "manage/job.h"

#define ROUND       1000
#define ROUNDS      6
#define WARM_ROUNDS 3    /* by then rings, pages and pools have their size */
#define GROWTH_MOST 1024 /* KiB after that: 400 bytes a job would be seen */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS_FREED true /* what was freed stays: nothing can be said of growth */
#else
#define KEEPS_FREED false
#endif

static unsigned ended; /* under play_mutex */

static int toy_begin(struct live_job *job) {
    job->work = mem_new(64);
    return 0;
}
static void toy_step(struct live_job *job) {
    job_came(job, 10);
    job_set_progress(job, 10, 10);
    job_end(job, job->row.id % 3 ? JOB_DONE : JOB_FAILED, job->row.id % 3 ? 0 : -ERR_SERVER, NULL);
    play_begin();
    ended++;
    play_end();
}
static void toy_stop(struct live_job *job, bool goes_on) {
    (void)goes_on;
    free(job->work);
    job->work = NULL;
}
const struct job_kind kind_pull = {.name = "pull",
    .does = JOB_FETCHES,
    .most_option = "max_concurrent_downloads",
    .begin = toy_begin,
    .step = toy_step,
    .stop = toy_stop};

const struct job_kind *job_kind_row(size_t index) {
    return index ? NULL : &kind_pull;
}
size_t job_kind_index(const struct job_kind *kind) {
    (void)kind;
    return 0;
}
const struct job_kind *job_kind_of(const char *name) {
    return strcmp(name, kind_pull.name) == 0 ? &kind_pull : NULL;
}

static int64_t model_id;
static void add_round(struct work *work) {
    (void)work;
    int64_t id;
    for (int i = 0; i < ROUND; i++)
        CHECK_OK(job_add(manage, &kind_pull, i % 2 ? model_id : 0, "words of a job", NULL, &id));
}

static size_t resident_kib(void) {
    char line[256];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %zu", &kib) == 1)
            break;
    if (file)
        fclose(file);
    CHECK(kib > 0);
    return kib;
}

/* ---- many models ---- */

#define MODELS    10000
#define COMMANDS  101
#define ANSWER_MS 5 /* what is promised of a command's write; a busy machine gets ten times that */
#define LENIENCE  10

static void add_models(struct work *work) {
    (void)work;
    CHECK_OK(catalog_begin(catalog));
    for (int i = 0; i < MODELS; i++) {
        struct manifest *manifest = manifest_new();
        int64_t id;
        bool changed;
        (void)snprintf(manifest->model, sizeof manifest->model, "many/model-%05d", i);
        (void)text_copy(manifest->revision, sizeof manifest->revision, "main");
        (void)text_copy(manifest->commit, sizeof manifest->commit, COMMIT_A);
        CHECK_OK(manifest_add(manifest, "w.bin", 5, 1000, SHA_3, false));
        manifest_finish(manifest);
        CHECK_OK(catalog_store_manifest(catalog, "hf", manifest->model, manifest, &id, &changed));
        manifest_free(manifest);
    }
    CHECK_OK(catalog_commit(catalog));
    play_begin();
    ended = 0;
    play_end();
}

static int by_number(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static void commands_are_answered_quickly(void) {
    static const char *const lines[] = {"pull\n", "pin\n", "unpin\n"};
    struct work work = {.run = add_models};
    struct catalog_model model;
    uint64_t spans_ms[COMMANDS];
    desk_submit(manage, &work);
    play_begin();
    PLAY_UNTIL(ended == 0);
    play_end();
    for (int i = 0; i < COMMANDS; i++) {
        char name[NAME_MODEL_SIZE];
        (void)snprintf(name, sizeof name, "many/model-%05d", i * (MODELS / COMMANDS));
        if (!CHECK(catalog_find_model(catalog, "hf", name, &model) == 0))
            return;
        uint64_t begin_ms = clock_ms();
        CHECK_OK(run_command(COMMAND_MODEL, model.id, lines[i % 3]));
        spans_ms[i] = clock_ms() - begin_ms;
    }
    qsort(spans_ms, COMMANDS, sizeof *spans_ms, by_number);
    printf("a command's answer among %d models: half of them within %llu ms, all within %llu ms\n", MODELS,
        (unsigned long long)spans_ms[COMMANDS / 2], (unsigned long long)spans_ms[COMMANDS - 1]);
    CHECK(spans_ms[COMMANDS / 2] <= ANSWER_MS * LENIENCE);
}

int main(void) {
    struct reason reason;
    struct work work = {.run = add_round};
    size_t warm_kib = 0;
    int rounds = getenv("WEIGHTFS_TEST_JOBS") ? 100 : ROUNDS;
    house_begin();
    CHECK_OK(options_put(options, OPTION_COMMAND_LINE, "job_history", "50", "test", &reason));
    CHECK_OK(options_put(options, OPTION_COMMAND_LINE, "max_concurrent_downloads", "64", "test", &reason));
    model_id = make_known("acme/tiny", TINY);
    for (int i = 0; i < rounds; i++) {
        if (i == WARM_ROUNDS)
            warm_kib = resident_kib();
        desk_submit(manage, &work);
        play_begin();
        PLAY_UNTIL(ended == (unsigned)(i + 1) * ROUND);
        play_end();
    }
    size_t kib = resident_kib();
    printf("%d jobs: %zu KiB, %zu after the first %d\n", rounds * ROUND, kib, warm_kib, WARM_ROUNDS * ROUND);
    CHECK(KEEPS_FREED || kib <= warm_kib + GROWTH_MOST);
    struct catalog_job *jobs = mem_array(200, sizeof *jobs);
    while (catalog_list_jobs(catalog, false, 0, jobs, 200) > 50 && !is_out_of_patience())
        continue; /* the last one is counted before it is trimmed */
    CHECK_NUMBER(catalog_list_jobs(catalog, false, 0, jobs, 200), 50);
    free(jobs);
    commands_are_answered_quickly();
    house_end();
    return check_result();
}
