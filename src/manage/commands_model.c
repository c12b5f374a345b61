/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of a model's ctl, and those that a job's and the root's share with it. pull is in pull.c. */

#include "manage/job.h"
#include "manage/revision.h"
#include "manage/known.h"

#include <stdlib.h>
#include <string.h>

/* ---- arguments ---- */

int parse_nothing(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)request;
    return *arguments ? err_because(reason, -ERR_BAD_VALUE, "it takes no arguments") : 0;
}

int parse_words(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)request;
    struct words words WORDS_CLEANUP = {0};
    return words_parse(arguments, &words, reason);
}

/* ---- what contradicts ---- */

static int refuse_held(struct manage *manage, const struct catalog_model *model, struct reason *reason) {
    if (model->pinned)
        return err_because(reason, -ERR_BUSY, "the model is pinned; `unpin` it first");
    if (model_is_required(manage, model))
        return err_because(reason, -ERR_BUSY,
            "the model is required, by the setting `required` or by the catalogue of models");
    return 0;
}

/* ---- cancel ---- */

static command_cancel cancel_above;

void command_set_cancel(command_cancel cancel) {
    cancel_above = cancel;
}

static size_t cancel_jobs(struct manage *manage, const struct command_request *request) {
    size_t count = 0;
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if ((request->place == COMMAND_MODEL && job->row.model_id != request->id) ||
            (request->place == COMMAND_JOB && job->row.id != request->id))
            continue;
        job_end(job, JOB_CANCELLED, -ERR_CANCELLED, NULL);
        count++;
    }
    return count;
}

int run_cancel(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)arguments;
    unsigned questions = 0;
    if (request->place == COMMAND_MODEL && cancel_above && command_context(manage))
        questions = cancel_above(command_context(manage), request->id, request->uid);
    size_t jobs = request->allowed ? cancel_jobs(manage, request) : 0; /* then: nobody wants them again */
    if (jobs && questions)
        SAY(reason, "cancelled (jobs: %zu, questions: %u); what was fetched stays", jobs, questions);
    else if (questions)
        SAY(reason, "cancelled (questions: %u)", questions);
    else if (jobs)
        SAY(reason, "cancelled (jobs: %zu); what was fetched stays", jobs);
    else
        SAY(reason, "nothing was under way");
    return 0;
}

/* ---- retry ---- */

/* Forgets what went wrong with each file that is not here. */
static int retry_blobs(struct manage *manage, const struct catalog_model *model) {
    struct catalog_file *page = mem_array(FILES_A_PAGE, sizeof *page);
    int64_t after_id = 0;
    int count;
    while ((count = catalog_list_files(manage->settings.catalog, model->revision_id, true, after_id, page,
                FILES_A_PAGE)) > 0) {
        for (int i = 0; i < count; i++) {
            struct blob *blob;
            struct blob_info info;
            if (model_blob(manage, model, &page[i], &blob) < 0)
                continue; /* masked, or our disk: the job will say */
            blob_look(blob, &info);
            if (info.state != BLOB_COMPLETE)
                blob_retry(blob);
            blob_put(blob);
        }
        after_id = page[count - 1].id;
    }
    free(page);
    return count;
}

static int retry_model(struct command *command, int64_t model_id, struct reason *reason) {
    struct manage *manage = command->manage;
    struct catalog_job last;
    struct catalog_model *model = &command->model;
    int result = catalog_model(manage->settings.catalog, model_id, model);
    if (result == 0)
        result = retry_blobs(manage, model);
    if (result < 0)
        return result;
    state_renew(manage);
    state_mark(manage, model_id);
    bool open = false;
    list_each (at, &manage->jobs) {
        struct live_job *job = list_entry(at, struct live_job, link);
        if (job->row.model_id != model_id)
            continue;
        job_retry(job);
        open = true;
    }
    if (open) {
        tick_soon(manage, 0);
        return 0;
    }
    if (catalog_last_job(manage->settings.catalog, model_id, kind_pull.name, &last) == 0 &&
        last.state == JOB_FAILED)
        return pull_again(command, model_id, reason);
    SAY(reason, "what failed is forgotten; no pull had failed");
    return 0;
}

/* Jobs that are open go on; those that failed are begun by their models' own retry. */
static int retry_all(struct manage *manage, struct reason *reason) {
    size_t count = 0;
    list_each (at, &manage->jobs) {
        job_retry(list_entry(at, struct live_job, link));
        count++;
    }
    failures_forget(manage);
    tick_soon(manage, 0);
    SAY(reason, "open jobs that try again: %zu", count);
    return 0;
}

int run_retry(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct command *command = command_of(request);
    struct catalog_job job;
    if (request->place == COMMAND_ROOT)
        return retry_all(manage, reason);
    int64_t model_id = request->id;
    if (request->place == COMMAND_JOB) {
        int result = catalog_job(manage->settings.catalog, request->id, &job);
        if (result < 0)
            return result;
        model_id = job.model_id;
    } else {
        struct catalog_model *model = &command->model;
        int result = catalog_model(manage->settings.catalog, model_id, model);
        if (result < 0)
            return result;
        if (model->error || command->asked) /* what failed was asking the source */
            return run_update(manage, request, arguments, reason);
    }
    return retry_model(command, model_id, reason);
}

/* ---- evict and forget ---- */

struct eviction {
    struct manage *manage;
    const struct catalog_model *model;
    bool others_keep; /* forget: leave what any other model shows */
    size_t evicted, open, fetching, kept;
    uint64_t freed;
};

/* A blob that another model shows as well: -EPERM for a pinned one's comes from the store by itself. */
static bool is_shown_elsewhere(struct eviction *eviction, const char *digest) {
    struct catalog_file same[2];
    int64_t after_id = 0;
    while (catalog_list_same(eviction->manage->settings.catalog, digest, after_id, same, 1) == 1) {
        if (same[0].model_id != eviction->model->id)
            return true;
        after_id = same[0].id;
    }
    return false;
}

static int evict_file(struct eviction *eviction, const struct catalog_file *file) {
    struct blob *blob;
    struct blob_info info;
    uint64_t freed = 0;
    int result = model_blob(eviction->manage, eviction->model, file, &blob);
    if (result < 0)
        return result == -ERR_GATED ? 0 : result;
    blob_look(blob, &info);
    if (info.state != BLOB_ABSENT && !(eviction->others_keep && is_shown_elsewhere(eviction, file->digest))) {
        result = blob_evict(blob, &freed);
        eviction->evicted += result == 0;
        eviction->freed += freed;
        eviction->kept += result == -EPERM;
        eviction->fetching += result == -EBUSY && info.fetches && !info.wanted;
        eviction->open += result == -EBUSY && !(info.fetches && !info.wanted);
    }
    blob_put(blob);
    return result == -EBUSY || result == -EPERM ? 0 : result;
}

static int evict_revision(struct eviction *eviction, int64_t revision_id) {
    struct catalog_file *page = mem_array(FILES_A_PAGE, sizeof *page);
    struct catalog *catalog = eviction->manage->settings.catalog;
    int64_t after_id = 0;
    int count, result = 0;
    while (result == 0 &&
           (count = catalog_list_files(catalog, revision_id, false, after_id, page, FILES_A_PAGE)) != 0) {
        if (count < 0)
            result = count;
        for (int i = 0; result == 0 && i < count; i++)
            result = evict_file(eviction, &page[i]);
        if (count > 0)
            after_id = page[count - 1].id;
    }
    free(page);
    return result;
}

/* Of all revisions that are kept. */
static int evict_files(struct eviction *eviction) {
    struct catalog_revision revision = {0};
    int count, result = 0;
    while (result == 0 && (count = catalog_list_revisions(eviction->manage->settings.catalog,
                               eviction->model->id, revision.id, &revision, 1)) != 0)
        result = count < 0 ? count : evict_revision(eviction, revision.id);
    return result;
}

/* 0, an error, or COMMAND_AGAIN while fetches that nobody wants any more come to their end. */
static int evict_model(struct command *command, int64_t model_id, bool others_keep, struct reason *reason) {
    struct manage *manage = command->manage;
    struct catalog_model *model = &command->model;
    struct eviction eviction = {.manage = manage, .model = model, .others_keep = others_keep};
    char size[HUMAN_SIZE];
    int result = catalog_model(manage->settings.catalog, model_id, model);
    if (result == 0)
        result = job_refuse(manage, model->id, JOB_REMOVES, JOB_FETCHES | JOB_CHECKS | JOB_SWITCHES, reason);
    if (result == 0)
        result = refuse_held(manage, model, reason);
    if (result == 0 && model->revision_id)
        result = evict_files(&eviction);
    command->job.bytes_done = command->tries ? command->job.bytes_done + eviction.freed : eviction.freed;
    state_renew(manage);
    state_mark(manage, model_id);
    if (result < 0)
        return result;
    if (eviction.fetching && command->tries < COMMAND_TRIES)
        return COMMAND_AGAIN;
    human_bytes(size, command->job.bytes_done);
    if (eviction.open + eviction.fetching)
        return err_because(reason, -ERR_BUSY, "%zu open file%s; %s freed", eviction.open + eviction.fetching,
            eviction.open + eviction.fetching == 1 ? " stays" : "s stay", size);
    if (eviction.kept && !command->job.bytes_done && !others_keep)
        return err_because(reason, -ERR_BUSY,
            "pinned models, of this mount or another, need all that is here");
    if (eviction.kept)
        SAY(reason, "%s freed; what pinned models need stays (files: %zu)", size, eviction.kept);
    else
        SAY(reason, "%s freed", size);
    return 0;
}

int run_evict(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)arguments;
    int result = evict_model(command_of(request), request->id, false, reason);
    if (result == 0)
        result = pull_settle(manage, request->id);
    return result;
}

static void forgotten(struct command *command) {
    struct manage *manage = command->manage;
    char key[NAME_KEY_SIZE];
    name_format(command->model.source, command->model.name, key);
    events_add(manage, "model.forgotten", key, NULL);
    bus_publish(&(struct news){.kind = NEWS_MODEL_FORGOTTEN, .id = command->model.id, .text = key});
}

static int forget(struct command *command, int64_t model_id, struct reason *reason) {
    int result = evict_model(command, model_id, true, reason);
    if (result != 0)
        return result;
    result = command_begin(command);
    if (result == 0)
        result = catalog_forget_model(command->manage->settings.catalog, model_id);
    command->after = forgotten;
    return result;
}

int run_forget(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct command *command = command_of(request);
    struct reason ignored;
    int result = 0;
    if (!command->tries) {
        result = catalog_model(manage->settings.catalog, request->id, &command->model);
        if (result == 0)
            result = refuse_held(manage, &command->model, reason);
        if (result == 0)
            result = run_cancel(manage, request, arguments, &ignored);
    }
    return result < 0 ? result : forget(command, request->id, reason);
}

static int refuse_open(struct manage *manage, const struct catalog_model *model, struct reason *reason) {
    struct catalog_revision revision = {0};
    int count;
    while (
        (count = catalog_list_revisions(manage->settings.catalog, model->id, revision.id, &revision, 1)) > 0)
        if (revision_is_open(manage, model, revision.id))
            return err_because(reason, -ERR_BUSY, "a file of it is open");
    return count;
}

/* By its key, which is also what rmdir(2) comes to: nothing is cancelled, and nothing goes unless all may. */
int run_forget_key(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    struct command *command = command_of(request);
    struct catalog_model *model = &command->model;
    struct name_key key;
    int result = known_key(manage, arguments, &key, reason);
    if (result == 0)
        result = catalog_find_model(manage->settings.catalog, key.source, key.model, model);
    if (result == -ENOENT)
        return err_because(reason, -ERR_UNKNOWN_MODEL, "%s is not known here", arguments);
    if (result == 0)
        result = refuse_held(manage, model, reason);
    if (result == 0)
        result = job_refuse(manage, model->id, JOB_REMOVES, JOB_FETCHES | JOB_CHECKS | JOB_SWITCHES, reason);
    if (result == 0 && !command->tries)
        result = refuse_open(manage, model, reason);
    return result < 0 ? result : forget(command, model->id, reason);
}

/* ---- pin and unpin ---- */

static void pins_changed(struct command *command) {
    holds_renew(command->manage);
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = command->request.id});
}

static int set_pinned(const struct command_request *request, bool pinned) {
    struct command *command = command_of(request);
    struct catalog *catalog = command->manage->settings.catalog;
    int result = catalog_model(catalog, request->id, &command->model);
    if (result == 0)
        result = command_begin(command);
    if (result == 0)
        result = catalog_set_pinned(catalog, request->id, pinned);
    command->after = pins_changed;
    return result;
}

int run_pin(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)arguments, (void)reason;
    return set_pinned(request, true);
}

int run_unpin(struct manage *manage, const struct command_request *request, char *arguments,
    struct reason *reason) {
    (void)manage, (void)arguments, (void)reason;
    return set_pinned(request, false);
}
