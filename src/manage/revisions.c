/* SPDX-License-Identifier: Apache-2.0 */
/* Going to another revision of a model, and what follows: see revision.h. */

#include "manage/revision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manage/known.h"
#include "manage/setting.h"

#define SURPLUS_AT_ONCE 16

/* ---- words of a job ---- */

int revision_step_print(const struct revision_step *step, char *to, size_t size, struct reason *reason) {
    char follow[NAME_REVISION_SIZE + 8];
    const char *words[4] = {step->commit};
    size_t count = 1;
    if (step->stays)
        words[count++] = "stays";
    if (step->back)
        words[count++] = "back";
    (void)snprintf(follow, sizeof follow, "follow=%s", step->follow); /* fits */
    if (*step->follow)
        words[count++] = follow;
    return words_print(words, count, to, size, reason);
}

int revision_step_parse(const char *text, struct revision_step *ret_step, struct reason *reason) {
    struct words words WORDS_CLEANUP = {0};
    struct revision_step step = {0};
    int result = words_parse(text, &words, reason);
    if (result < 0 || !words.count)
        return result < 0 ? result : -ERR_BAD_VALUE;
    if (text_copy(step.commit, sizeof step.commit, words.array[0]) < 0)
        return -ERR_BAD_VALUE;
    for (size_t i = 1; i < words.count; i++) {
        step.stays |= strcmp(words.array[i], "stays") == 0;
        step.back |= strcmp(words.array[i], "back") == 0;
        if (strncmp(words.array[i], "follow=", 7) == 0 &&
            text_copy(step.follow, sizeof step.follow, words.array[i] + 7) < 0)
            return -ERR_BAD_VALUE;
    }
    *ret_step = step;
    return 0;
}

/* ---- once another one is selected ---- */

bool revision_is_open(struct manage *manage, const struct catalog_model *model, int64_t revision_id) {
    struct catalog_file *page = mem_array(FILES_A_PAGE, sizeof *page);
    int64_t after_id = 0;
    int count;
    bool open = false;
    while (!open && (count = catalog_list_files(manage->settings.catalog, revision_id, false, after_id, page,
                         FILES_A_PAGE)) > 0) {
        for (int i = 0; !open && i < count; i++) {
            struct blob *blob;
            struct blob_info info;
            if (model_blob(manage, model, &page[i], &blob) < 0)
                continue; /* masked: nobody can have opened it */
            blob_look(blob, &info);
            blob_put(blob);
            open = info.used;
        }
        after_id = page[count - 1].id;
    }
    free(page);
    return open;
}

void revisions_trim(struct manage *manage, int64_t model_id) {
    struct catalog_model *model = mem_new(sizeof *model);
    struct catalog_revision surplus[SURPLUS_AT_ONCE];
    char key[NAME_KEY_SIZE];
    int count = catalog_model(manage->settings.catalog, model_id, model);
    if (count == 0) {
        unsigned keep = (unsigned)model_setting_number(manage, model, "keep_revisions");
        name_format(model->source, model->name, key);
        count = catalog_list_surplus(manage->settings.catalog, model_id, keep, surplus, SURPLUS_AT_ONCE);
    }
    for (int i = 0; i < count; i++) {
        struct buf more BUF_CLEANUP = BUF_INIT;
        /* What is open stays for its readers' fstat; it goes the next time. */
        if (revision_is_open(manage, model, surplus[i].id))
            continue;
        if (catalog_drop_revision(manage->settings.catalog, surplus[i].id) < 0) {
            log_warning("%s: a revision that is not kept can't be removed from the catalogue", key);
            break;
        }
        (void)buf_format(&more, ",\"commit\":\"%s\"", surplus[i].commit); /* hex; no limit */
        events_add(manage, "revision.dropped", key, buf_text(&more));
        bus_publish(&(struct news){.kind = NEWS_MODEL, .id = model_id});
    }
    free(model);
}

void revision_switched(struct manage *manage, int64_t model_id) {
    struct catalog_model *model = mem_new(sizeof *model);
    if (catalog_model(manage->settings.catalog, model_id, model) == 0) {
        char key[NAME_KEY_SIZE];
        struct buf more BUF_CLEANUP = BUF_INIT;
        name_format(model->source, model->name, key);
        log_notice("%s: another revision is selected: %s", key, model->commit);
        (void)buf_format(&more, ",\"commit\":\"%s\"", model->commit); /* hex; no limit */
        events_add(manage, "model.changed", key, buf_text(&more));
    }
    free(model);
    state_renew(manage);
    bus_publish(&(struct news){.kind = NEWS_FILES_CHANGED, .id = model_id});
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = model_id});
    holds_renew(manage);
    labels_renew(manage, model_id);
    state_mark(manage, model_id);
    revisions_trim(manage, model_id);
}

/* ---- going ---- */

/* Whether the model is one of those that are fetched as a whole, or is only looked into. */
static bool was_pulled(struct manage *manage, const struct catalog_model *model) {
    struct catalog_job *last = mem_new(sizeof *last);
    bool pulled = model->state == STATE_READY ||
                  (catalog_last_job(manage->settings.catalog, model->id, kind_pull.name, last) == 0 &&
                      last->state == JOB_DONE);
    free(last);
    return pulled;
}

static void after_switch(struct command *command) {
    revision_switched(command->manage, command->model.id);
}

static void after_pending(struct command *command) {
    holds_renew(command->manage);
}

static int switch_now(struct manage *manage, const struct catalog_model *model,
    const struct catalog_revision *revision, const struct revision_step *step,
    const struct command_request *who) {
    struct command *command = who ? command_of(who) : NULL;
    int result = command ? command_begin(command) : 0;
    if (result == 0)
        result = catalog_select_revision(manage->settings.catalog, model->id, revision->id,
            *step->follow ? step->follow : NULL, step->stays, !step->back);
    if (command)
        command->after = after_switch;
    else if (result == 0)
        revision_switched(manage, model->id);
    return result;
}

static int begin_update(struct manage *manage, const struct catalog_model *model,
    const struct catalog_revision *revision, const struct revision_step *step, struct items *items,
    uint64_t missing, const struct command_request *who, struct reason *reason) {
    struct command *command = who ? command_of(who) : NULL;
    struct catalog_job *row = mem_new(sizeof *row);
    char size[HUMAN_SIZE];
    int64_t id = 0;
    row->bytes_total = items->bytes_total;
    for (size_t i = 0; i < items->count; i++)
        row->bytes_done += items->array[i].here;
    int result = revision_step_print(step, row->words, sizeof row->words, reason);
    if (result == 0 && command)
        result = command_begin(command);
    if (result == 0)
        result = catalog_set_pending(manage->settings.catalog, model->id, revision->id);
    if (result == 0)
        result = job_add_row(manage, &kind_update, model->id, row, who, &id);
    if (result == 0 && command)
        command->after = after_pending;
    else if (result == 0)
        holds_renew(manage);
    if (result == 0)
        SAY(reason, "job %lld fetches %s of %.12s, which is shown once it is here", (long long)id,
            human_bytes(size, missing), revision->commit);
    free(row);
    return result;
}

int revision_go(struct manage *manage, const struct catalog_model *model,
    const struct catalog_revision *revision, const struct revision_step *step,
    const struct command_request *who, struct reason *reason) {
    struct catalog_model *target = mem_new(sizeof *target);
    struct items items ITEMS_CLEANUP = {0};
    const struct words none = {0};
    uint64_t missing = 0;
    *target = *model;
    target->revision_id = revision->id;
    int result = job_refuse(manage, model->id, kind_update.does, kind_update.excludes, reason);
    if (result == 0)
        result = items_read(manage, target, &none, &items);
    if (result == 0)
        result = pull_refuse_masked(model, &items, reason);
    if (result == 0 && was_pulled(manage, model))
        result = items_look(manage, target, &items, &missing);
    if (result == 0 && missing)
        result = pull_room_beside(manage, model->id, items_distinct_bytes(&items), missing, reason);
    free(target);
    if (result < 0)
        return result;
    if (missing)
        return begin_update(manage, model, revision, step, &items, missing, who, reason);
    result = switch_now(manage, model, revision, step, who);
    if (result == 0)
        SAY(reason, "%.12s is shown now", revision->commit);
    return result;
}
