/* SPDX-License-Identifier: Apache-2.0 */
/* The command cleanup and its job: what a plan says goes, on a thread of the pool. */

#include "manage/cleanup.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/catalog_revision.h"

/* Unlinking takes the disk some milliseconds a file: more than this is a job. */
#define AT_ONCE_ITEMS 32
#define AT_ONCE_BYTES (UINT64_C(1) << 30)
#define USAGE         "it is `cleanup [keep=N] [unused=30d] [to=50G] [dry-run]`, with one of the first three"

/* ---- words ---- */

static bool read_count(const char *text, int64_t *ret_number) {
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < 0 || !(*text >= '0' && *text <= '9'))
        return false;
    *ret_number = number;
    return true;
}

static bool read_span(const char *text, int64_t *ret_ms) {
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char digits[16];
    size_t len = strlen(text);
    if (len < 2 || len > 9)
        return false; /* 9: tens of millions of weeks don't fit */
    memcpy(digits, text, len - 1);
    digits[len - 1] = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].unit == text[len - 1] && read_count(digits, ret_ms)) {
            *ret_ms *= units[i].seconds * 1000;
            return true;
        }
    return false;
}

static bool read_size(const char *text, int64_t *ret_bytes) {
    uint64_t bytes;
    if (bytes_parse(text, &bytes) < 0 || bytes > INT64_MAX)
        return false;
    *ret_bytes = (int64_t)bytes;
    return true;
}

int cleanup_parse(const char *text, struct cleanup_wish *ret_wish, struct reason *reason) {
    struct words words WORDS_CLEANUP = {0};
    struct cleanup_wish wish = {.keep = -1, .unused_ms = -1, .to_bytes = -1};
    const struct {
        const char *name;
        bool (*read)(const char *, int64_t *);
        int64_t *to;
        const char *wanted;
    } rows[] = {{"keep=", read_count, &wish.keep, "a number of models, as keep=3"},
        {"unused=", read_span, &wish.unused_ms, "a number with s, m, h, d or w, as unused=30d"},
        {"to=", read_size, &wish.to_bytes, "a size, as to=50G"}};
    int result = words_parse(text, &words, reason);
    if (result < 0)
        return result;
    for (size_t i = 0; i < words.count; i++) {
        bool known = strcmp(words.array[i], "dry-run") == 0;
        wish.dry_run |= known;
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            size_t len = strlen(rows[k].name);
            if (strncmp(words.array[i], rows[k].name, len) != 0)
                continue;
            if (*rows[k].to >= 0)
                return err_because(reason, -ERR_BAD_VALUE, "%s is there twice: %s", rows[k].name, USAGE);
            if (!rows[k].read(words.array[i] + len, rows[k].to))
                return err_because(reason, -ERR_BAD_VALUE, "\"%.64s\": wanted is %s", words.array[i],
                    rows[k].wanted);
            known = true;
        }
        if (!known)
            return err_because(reason, -ERR_BAD_VALUE, "there is no \"%.64s\" in it: %s", words.array[i],
                USAGE);
    }
    if (wish.keep < 0 && wish.unused_ms < 0 && wish.to_bytes < 0)
        return err_because(reason, -ERR_BAD_VALUE, "%s", USAGE);
    *ret_wish = wish;
    return 0;
}

/* ---- the sentence ---- */

/* Of what could not be told one by one. */
#define SENTENCE_ROOM 240

void cleanup_tell(const struct cleanup_plan *plan, const struct cleanup_wish *wish, bool done,
    struct reason *reason) {
    struct buf parts BUF_CLEANUP = BUF_INIT;
    char size[HUMAN_SIZE], left[HUMAN_SIZE];
    size_t told = 0;
    if (plan->orphan_bytes)
        (void)buf_format(&parts, ", %s of no model", human_bytes(size, plan->orphan_bytes)); /* no limit */
    for (size_t i = 0; i < plan->model_count && parts.len < SENTENCE_ROOM; i++)
        if (plan->models[i].bytes) {
            (void)buf_format(&parts, ", %s of %s", human_bytes(size, plan->models[i].bytes),
                plan->models[i].key);
            told++;
        }
    if (told < plan->going)
        (void)buf_format(&parts, " and of %zu more", plan->going - told);
    bool short_of = wish->to_bytes >= 0 && plan->left_bytes > (uint64_t)wish->to_bytes;
    SAY(reason, "%s %s%s%s; %s %s%s", human_bytes(size, plan->bytes), done ? "freed" : "would be freed",
        parts.len ? ": " : "", parts.len ? buf_text(&parts) + 2 : "", human_bytes(left, plan->left_bytes),
        done ? "are left" : "would be left",
        short_of ? ", more than was asked for: the rest is pinned, required, open, under way or to be kept"
                 : "");
}

/* ---- carrying it out ---- */

/* A pull that began since: what it found here it counts on. */
static bool is_fetched(struct manage *manage, int64_t model_id) {
    LOCK_SCOPE(&manage->lock);
    list_each (at, &manage->jobs) {
        const struct live_job *job = list_entry(at, struct live_job, link);
        if (job->row.model_id == model_id && job->kind->does & JOB_FETCHES)
            return true;
    }
    return false;
}

/* Drops the items; what went really is what the plan says afterwards. When the daemon ends it is cut short: a
 * job goes on after the next start. Any thread. */
static void carry_out(struct manage *manage, struct cleanup_plan *plan, _Atomic(uint64_t) *freed,
    const atomic_bool *stop) {
    struct store *store = manage->settings.store;
    for (size_t i = 0; i < plan->item_count && !atomic_load(stop) && !atomic_load(&manage->shut); i++) {
        const struct cleanup_item *item = &plan->items[i];
        bool wanted = item->model != SIZE_MAX && is_fetched(manage, plan->models[item->model].id);
        uint64_t bytes = wanted ? 0 : shelf_evict(store, &item->file);
        if (freed)
            atomic_fetch_add(freed, bytes);
        if (bytes)
            continue;
        plan->bytes -= item->file.bytes; /* somebody uses it by now */
        plan->left_bytes += item->file.bytes;
        if (item->model == SIZE_MAX)
            plan->orphan_bytes -= item->file.bytes;
        else
            plan->models[item->model].bytes -= item->file.bytes;
    }
}

/* On the desk, once it is done. */
static void tell_done(struct manage *manage, const struct cleanup_plan *plan) {
    state_renew(manage);
    for (size_t i = 0; i < plan->model_count; i++) {
        struct buf more BUF_CLEANUP = BUF_INIT;
        if (!plan->models[i].bytes)
            continue;
        state_mark(manage, plan->models[i].id);
        (void)buf_format(&more, ",\"bytes\":%llu", (unsigned long long)plan->models[i].bytes); /* no limit */
        events_add(manage, "model.cleaned", plan->models[i].key, buf_text(&more));
    }
}

/* ---- the job ---- */

/* live_job.work; the thread and the desk hold a reference each. */
struct clearing {
    struct work work;
    struct manage *manage;
    struct cleanup_plan plan;
    struct cleanup_wish wish;
    uint64_t before; /* freed in former runs of the job */
    uint64_t seen;   /* desk: of `freed` */
    _Atomic(uint64_t) freed;
    atomic_bool stop, done;
    atomic_uint refs;
};

static void clearing_put(struct clearing *clearing) {
    if (atomic_fetch_sub(&clearing->refs, 1) > 1)
        return;
    cleanup_plan_done(&clearing->plan);
    free(clearing);
}

static void clear(struct work *work) {
    struct clearing *clearing = list_entry(work, struct clearing, work);
    carry_out(clearing->manage, &clearing->plan, &clearing->freed, &clearing->stop);
    atomic_store(&clearing->done, true);
    clearing_put(clearing);
}

static int cleanup_begin(struct live_job *job) {
    struct cleanup_wish wish;
    struct cleanup_plan plan;
    int result = cleanup_parse(job->row.words, &wish, &job->sentence);
    if (result == 0)
        result = cleanup_plan(job->manage, &wish, &plan);
    if (result < 0)
        return result;
    struct clearing *clearing = mem_new(sizeof *clearing);
    clearing->manage = job->manage;
    clearing->before = job->row.bytes_done;
    clearing->plan = plan;
    clearing->wish = wish;
    clearing->work.run = clear;
    atomic_store(&clearing->refs, 2);
    job->work = clearing;
    job_set_progress(job, job->row.bytes_done, job->row.bytes_done + plan.bytes);
    pool_submit(job->manage->settings.pool, &clearing->work);
    return 0;
}

static void cleanup_step(struct live_job *job) {
    struct clearing *clearing = job->work;
    struct reason reason = {""};
    bool done = atomic_load(&clearing->done);
    uint64_t freed = atomic_load(&clearing->freed);
    job_came(job, freed - clearing->seen);
    clearing->seen = freed;
    job_set_progress(job, clearing->before + freed, job->row.bytes_total);
    if (!done)
        return;
    cleanup_tell(&clearing->plan, &clearing->wish, true, &reason);
    tell_done(job->manage, &clearing->plan);
    job_end(job, JOB_DONE, 0, reason.text);
}

static void cleanup_stop(struct live_job *job, bool goes_on) {
    (void)goes_on;
    struct clearing *clearing = job->work;
    job->work = NULL;
    atomic_store(&clearing->stop, true);
    clearing_put(clearing);
}

const struct job_kind kind_cleanup = {
    .name = "cleanup",
    .help = "frees what models take that were not used for long",
    .does = JOB_REMOVES,
    .excludes = JOB_REMOVES,
    .begin = cleanup_begin,
    .step = cleanup_step,
    .stop = cleanup_stop,
};

/* ---- the command ---- */

int parse_cleanup(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)request;
    struct cleanup_wish wish;
    return cleanup_parse(arguments, &wish, reason);
}

static int add_job(struct manage *manage, const struct command_request *request, const char *words,
    const struct cleanup_plan *plan, struct reason *reason) {
    char size[HUMAN_SIZE];
    int64_t id = 0;
    int result = command_begin(command_of(request));
    if (result == 0)
        result = job_add(manage, &kind_cleanup, 0, words, request, &id);
    if (result == 0)
        SAY(reason, "job %lld frees %s (models: %zu); its status tells what went", (long long)id,
            human_bytes(size, plan->bytes), plan->going);
    return result;
}

int run_cleanup(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct cleanup_wish wish;
    struct cleanup_plan plan PLAN_CLEANUP = {0};
    int result = cleanup_parse(arguments, &wish, reason);
    if (result == 0)
        result = job_refuse(manage, 0, kind_cleanup.does, kind_cleanup.excludes, reason);
    if (result == 0)
        result = cleanup_plan(manage, &wish, &plan);
    if (result < 0)
        return result;
    if (!wish.dry_run && (plan.item_count > AT_ONCE_ITEMS || plan.bytes > AT_ONCE_BYTES))
        return add_job(manage, request, arguments, &plan, reason);
    if (!wish.dry_run) {
        carry_out(manage, &plan, NULL, &manage->shut);
        tell_done(manage, &plan);
    }
    cleanup_tell(&plan, &wish, !wish.dry_run, reason);
    return 0;
}
