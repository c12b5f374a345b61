/* SPDX-License-Identifier: Apache-2.0 */
/* Noticing that a model's state changed: marked models are reported anew, and a state that differs
 * from the catalogue's is written there and told. */

#include "manage/internal.h"

#include <stdlib.h>

#define LOOKS_MOST 1024
#define SAME_MOST  64 /* models that show one blob: common small files are in thousands */
#define COLLECT_MS 300

struct look {
    struct list link; /* manage->looks */
    int64_t model_id;
    uint64_t due_ms;
};

static void mark(struct manage *manage, int64_t model_id, uint64_t due_ms) {
    size_t count = 0;
    list_each (at, &manage->looks) {
        struct look *look = list_entry(at, struct look, link);
        if (look->model_id == model_id) {
            look->due_ms = due_ms < look->due_ms ? due_ms : look->due_ms;
            return;
        }
        count++;
    }
    if (count == LOOKS_MOST)
        return; /* the catalogue's figure stays old until the model's next change */
    struct look *look = mem_new(sizeof *look);
    look->model_id = model_id;
    look->due_ms = due_ms;
    list_append(&manage->looks, &look->link);
}

void state_mark(struct manage *manage, int64_t model_id) {
    mark(manage, model_id, 0);
    tick_soon(manage, 0);
}

void state_mark_digest(struct manage *manage, const char *digest) {
    struct catalog_file *same = mem_array(SAME_MOST, sizeof *same);
    int count = catalog_list_same(manage->settings.catalog, digest, 0, same, SAME_MOST);
    for (int i = 0; i < count; i++)
        mark(manage, same[i].model_id, clock_ms() + COLLECT_MS);
    free(same);
}

static void change(struct manage *manage, const struct catalog_model *model, enum model_state state) {
    enum model_state former = (enum model_state)model->state;
    char key[NAME_KEY_SIZE];
    struct buf more BUF_CLEANUP = BUF_INIT;
    name_format(model->source, model->name, key);
    if (!model_state_may_follow(former, state))
        log_error("%s: it was %s and is %s, which can't be", key, model_state_name(former),
            model_state_name(state));
    if (catalog_set_state(manage->settings.catalog, model->id, (int)state) < 0)
        log_warning("%s: its state can't be written to the catalogue", key);
    (void)buf_format(&more, ",\"from\":\"%s\",\"to\":\"%s\"", model_state_name(former),
        model_state_name(state)); /* no limit */
    events_add(manage, "model.state", key, buf_text(&more));
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = model->id});
    if (state == STATE_READY && pull_settle(manage, model->id) < 0)
        log_warning("%s: that its last failure is over can't be written to the catalogue", key);
}

static void check(struct manage *manage, int64_t model_id) {
    struct catalog_model *model = mem_new(sizeof *model);
    struct model_report *report = mem_new(sizeof *report);
    if (catalog_model(manage->settings.catalog, model_id, model) == 0 &&
        model_report(manage, model, report) == 0 && (int)report->state != model->state)
        change(manage, model, report->state);
    free(report);
    free(model);
}

void state_follow_job(struct manage *manage, int64_t model_id) {
    enum model_state state;
    struct catalog_model *model = mem_new(sizeof *model);
    if (state_by_job(manage, model_id, &state) &&
        catalog_model(manage->settings.catalog, model_id, model) == 0 && (int)state != model->state)
        change(manage, model, state);
    free(model);
}

bool state_look(struct manage *manage) {
    LIST_HEAD(due);
    list_each (at, &manage->looks) {
        if (list_entry(at, struct look, link)->due_ms > clock_ms())
            continue;
        list_remove(at);
        list_append(&due, at);
    }
    for (struct list *link; (link = list_shift(&due));) {
        struct look *look = list_entry(link, struct look, link);
        check(manage, look->model_id);
        free(look);
    }
    return !list_empty(&manage->looks);
}

void state_done(struct manage *manage) {
    for (struct list *link; (link = list_shift(&manage->looks));)
        free(list_entry(link, struct look, link));
}
