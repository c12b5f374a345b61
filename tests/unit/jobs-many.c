/* SPDX-License-Identifier: Apache-2.0 */
/* Many jobs through the desk: memory stays what it was, and so does the history. 20,000 of them, or as many as
 * WEIGHTFS_TEST_JOBS says: 100000 take half a minute. */

#include <stdio.h>

#include "manage-fixture.h"
#include "manage/job.h"

#define ROUND       1000
#define ROUNDS      20
#define WARM_ROUNDS 10   /* by then rings, pages and pools have their size */
#define GROWTH_MOST 1024 /* KiB after that: 100 bytes a job would be seen */

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
    CHECK_OK(catalog_begin(catalog)); /* a thousand rows, one commit */
    for (int i = 0; i < ROUND; i++)
        CHECK_OK(job_add(manage, &kind_pull, i % 2 ? model_id : 0, "words of a job", NULL, &id));
    CHECK_OK(catalog_commit(catalog));
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

int main(void) {
    struct reason reason;
    struct work work = {.run = add_round};
    size_t warm_kib = 0;
    const char *wanted = getenv("WEIGHTFS_TEST_JOBS");
    int rounds = wanted && atoi(wanted) / ROUND > ROUNDS ? atoi(wanted) / ROUND : ROUNDS;
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
    house_end();
    return check_result();
}
