/* SPDX-License-Identifier: Apache-2.0 */
/* The places that are listed, and when: rounds on the desk, each of which asks those whose time has come. */

#include <stdlib.h>
#include <string.h>

#include "manage/known.h"
#include "manage/remote_inside.h"

#define REST_MOST_MS (3600 * UINT64_C(1000)) /* whatever a server says */

void remote_place_of(const struct source *source, const char *model, char to[static NAME_MODEL_SIZE]) {
    size_t len = source->parts ? strcspn(model, "/") : 0; /* without parts: the source as a whole */
    memcpy(to, model, len);
    to[len] = 0;
}

bool remote_is(const struct catalog_model *model) {
    const struct source *source = source_find(model->source);
    return source && source->is_remote;
}

/* ---- asking ---- */

static uint64_t interval_ms(struct manage *manage) {
    return (uint64_t)options_number(manage->settings.options, "remote_refresh_s") * 1000;
}

static void free_place(struct place *place) {
    lock_take(&place->manage->lock);
    list_remove(&place->link);
    lock_drop(&place->manage->lock);
    free(place);
}

static void submit_round(struct remote *remote) {
    if (!atomic_exchange(&remote->queued, true))
        desk_submit(remote->manage, &remote->work);
}

static void answered(struct discover_ask *ask, int result);

static void ask_for_list(struct place *place) {
    uint64_t interval = interval_ms(place->manage);
    place->shown_id = 0;
    place->again = false;
    place->next_ms = interval ? clock_ms() + interval : UINT64_MAX;
    place->ask = (struct discover_ask){.finish = answered};
    place->under_way = discover_list(place->manage, place->source, place->name, &place->ask) == 0;
}

/* Asks about the next of the place's models of which its list does not tell all, if there is one. */
static void ask_for_next(struct place *place) {
    struct manage *manage = place->manage;
    struct catalog_remote remote;
    int64_t id;
    if (catalog_next_unshown(manage->settings.catalog, place->source->name, place->name, place->shown_id,
            &id) < 0 ||
        catalog_remote(manage->settings.catalog, id, &remote, NULL) < 0)
        return;
    place->shown_id = id;
    place->ask = (struct discover_ask){.finish = answered};
    place->under_way = discover_refresh(manage, place->source, remote.name, "", &place->ask) == 0;
}

static void tell(struct place *place, int result) {
    struct buf more BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&more, ",\"endpoint\":\"%s%s%s\"", place->source->name, *place->name ? ":" : "",
        place->name); /* no limit: none of these can fail */
    if (result < 0) {
        (void)buf_format(&more, ",\"error\":\"%s\",\"reason\":", err_name(result));
        (void)buf_json_string(&more, err_text(&place->ask.reason, result));
        log_warning("%s %s: %s", place->source->name, place->report.url,
            err_text(&place->ask.reason, result));
    }
    events_add(place->manage, result < 0 ? "endpoint.failed" : "endpoint.answers", NULL, buf_text(&more));
}

static void note(struct place *place, int result) {
    struct remote_report *report = &place->report;
    lock_take(&place->manage->lock);
    bool changed = report->error != result || !report->listed_ms;
    report->error = result;
    report->reason = place->ask.reason;
    if (result == 0) {
        report->listed_ms = clock_wall_ms();
        report->models = place->ask.listed;
        report->left_out = place->ask.left_out;
    }
    lock_drop(&place->manage->lock);
    if (changed)
        tell(place, result);
}

/* A list is here, or what there is about one model. */
static void answered(struct discover_ask *ask, int result) {
    struct place *place = list_entry(ask, struct place, ask);
    place->under_way = false;
    if (place->dropped) {
        free_place(place);
        return;
    }
    if (result == -ERR_CANCELLED)
        return;
    if (ask->is_list && result != -ERR_OFFLINE)
        note(place, result);
    if (place->again)
        place->next_ms = place->rest_until_ms;
    else if (result == 0 || (!ask->is_list && result == -ERR_UNKNOWN_MODEL))
        ask_for_next(place);
    if (!place->under_way)
        submit_round(place->manage->remote);
}

/* ---- rounds ---- */

static void look_round(struct work *work) {
    struct remote *remote = list_entry(work, struct remote, work);
    struct manage *manage = remote->manage;
    uint64_t next_ms = UINT64_MAX, interval = interval_ms(manage);
    atomic_store(&remote->queued, false);
    bool at_once = atomic_exchange(&remote->at_once, false);
    if (atomic_load(&manage->shut) || options_bool(manage->settings.options, "offline"))
        return; /* remote_hear() begins the next */
    list_each (at, &remote->places) {
        struct place *place = list_entry(at, struct place, link);
        if (place->dropped)
            continue;
        if (at_once)
            place->next_ms = place->rest_until_ms;
        else if (interval && place->next_ms > clock_ms() + interval && place->next_ms > place->rest_until_ms)
            place->next_ms = clock_ms() + interval; /* it was made shorter */
        if (!place->under_way && place->next_ms <= clock_ms())
            ask_for_list(place);
        if (place->next_ms < next_ms)
            next_ms = place->next_ms;
    }
    LOCK_SCOPE(&manage->lock);
    if (next_ms != UINT64_MAX && !atomic_load(&manage->shut))
        timer_arm(manage->settings.timers, &remote->timer, next_ms);
}

static void round_due(struct timer *timer) {
    submit_round(list_entry(timer, struct remote, timer));
}

void remote_hear(struct manage *manage, const char *setting) {
    bool is_offline = !strcmp(setting, "offline");
    if (!is_offline && strcmp(setting, "remote_refresh_s") != 0)
        return;
    if (is_offline)
        atomic_store(&manage->remote->at_once, true);
    submit_round(manage->remote);
}

/* ---- the places ---- */

static struct place *find(struct manage *manage, const struct source *source, const char *name) {
    list_each (at, &manage->remote->places) {
        struct place *place = list_entry(at, struct place, link);
        if (place->source == source && !place->dropped && !strcmp(place->name, name))
            return place;
    }
    return NULL;
}

static void add(struct manage *manage, const struct source *source, const struct source_place *declared) {
    int64_t group_id;
    struct place *place = mem_new(sizeof *place);
    place->manage = manage;
    place->source = source;
    (void)text_copy(place->name, sizeof place->name, declared->name); /* declared names are short */
    (void)text_copy(place->report.url, sizeof place->report.url, declared->url); /* the same size */
    if (*place->name && catalog_add_group(manage->settings.catalog, source->name, place->name, &group_id) < 0)
        log_warning("%s:%s can't be written to the catalogue, and is not listed", source->name, place->name);
    lock_take(&manage->lock);
    list_append(&manage->remote->places, &place->link);
    lock_drop(&manage->lock);
}

static bool is_declared(const struct declared *declared, const struct place *place) {
    struct source_place at;
    for (size_t i = 0; place->source->place(declared, i, &at); i++)
        if (!strcmp(at.name, place->name) && !strcmp(at.url, place->report.url))
            return true;
    return false;
}

void remote_renew(struct manage *manage) {
    struct declared *declared DECLARED_CLEANUP = manage_declared(manage);
    struct source_place at;
    list_each (link, &manage->remote->places) { /* the macro lets one go on the way */
        struct place *place = list_entry(link, struct place, link);
        if (is_declared(declared, place))
            continue;
        lock_take(&manage->lock);
        place->dropped = true;
        lock_drop(&manage->lock);
        if (!place->under_way)
            free_place(place);
    }
    for (size_t i = 0; source_table[i]; i++)
        for (size_t k = 0; source_table[i]->is_remote && source_table[i]->place(declared, k, &at); k++)
            if (!find(manage, source_table[i], at.name))
                add(manage, source_table[i], &at);
    remote_drop_undeclared(manage);
    (void)remote_refresh(manage);
}

size_t remote_refresh(struct manage *manage) {
    size_t count = 0;
    list_each (at, &manage->remote->places) {
        struct place *place = list_entry(at, struct place, link);
        place->again = place->under_way;
        count += !place->dropped;
    }
    atomic_store(&manage->remote->at_once, true);
    submit_round(manage->remote);
    return count;
}

int remote_look(struct manage *manage, const struct source *source, const char *name,
    struct remote_report *ret_report) {
    LOCK_SCOPE(&manage->lock);
    const struct place *place = find(manage, source, name);
    if (!place)
        return -ENOENT;
    *ret_report = place->report;
    return 0;
}

void remote_list(struct manage *manage,
    void (*each)(void *context, const struct source *source, const char *place,
        const struct remote_report *report),
    void *context) {
    LOCK_SCOPE(&manage->lock);
    list_each (at, &manage->remote->places) {
        const struct place *place = list_entry(at, struct place, link);
        if (!place->dropped)
            each(context, place->source, place->name, &place->report);
    }
}

/* ---- leaving a server alone ---- */

void remote_rest(struct manage *manage, const struct source *source, const char *name, unsigned seconds) {
    struct place *place = find(manage, source, name);
    uint64_t rest_ms = seconds * UINT64_C(1000);
    if (!place || !rest_ms)
        return;
    LOCK_SCOPE(&manage->lock);
    place->rest_until_ms = clock_ms() + (rest_ms < REST_MOST_MS ? rest_ms : REST_MOST_MS);
    if (place->next_ms == UINT64_MAX || place->next_ms < place->rest_until_ms)
        place->next_ms = place->rest_until_ms;
}

bool remote_rests(struct manage *manage, const struct source *source, const char *model) {
    char name[NAME_MODEL_SIZE];
    remote_place_of(source, model, name);
    LOCK_SCOPE(&manage->lock);
    const struct place *place = find(manage, source, name);
    return place && place->rest_until_ms > clock_ms();
}

/* ---- life ---- */

void remote_init(struct manage *manage) {
    struct remote *remote = mem_new(sizeof *remote);
    remote->manage = manage;
    list_init(&remote->places);
    remote->timer.fire = round_due;
    remote->work.run = look_round;
    manage->remote = remote;
}

void remote_shut(struct manage *manage) {
    timer_cancel(manage->settings.timers, &manage->remote->timer);
}

void remote_done(struct manage *manage) {
    for (struct list *link; (link = list_shift(&manage->remote->places));)
        free(list_entry(link, struct place, link));
    free(manage->remote);
}
