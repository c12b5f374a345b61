/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery: one conversation with a source for all who ask for the same model meanwhile. Its stations:
 *
 *   pool   step()      the source reads the last answer and says what to ask next
 *   loop   answered()  the answer is here
 *   timer  again()     the server asked for patience, and there is time left
 *   desk   conclude()  what was learnt is stored, the askers are told
 *
 * Exactly one of them has the discovery at any time, so only its lists of askers need the lock.
 */

#include "manage/internal.h"

#include <stdlib.h>
#include <string.h>

#define REDIRECTS_MOST 5
#define ATTEMPTS_MOST 3          /* of one question, when the server fails or has a limit */
#define FAILURE_MEMORY_MS 3000   /* so that a loop of `ls` does not hammer */
#define FAILURES_MOST 64

struct discovery {
    struct list link;            /* manage->discoveries, under lock, until its askers are told */
    struct manage *manage;
    const struct source *source;
    char model[NAME_MODEL_SIZE], revision[NAME_REVISION_SIZE];
    char key[NAME_KEY_SIZE];     /* for people */
    bool refresh;                /* it was asked for though the model may be known */
    struct list waits, asks;     /* under lock */

    void *talk;                  /* the source's */
    struct source_ask ask;
    struct http_request request;
    bool asked;                  /* request holds an answer */
    int transfer_result;
    unsigned attempts;
    uint64_t until_ms;           /* clock_ms */
    struct work work;
    struct timer timer;
    bool delayed;                /* the timer is armed, under lock */

    int result;                  /* for conclude() */
    struct reason reason;
    struct manifest *manifest;
};

struct failure {
    struct list link;
    char key[NAME_KEY_SIZE];
    int error;
    struct reason reason;
    uint64_t until_ms;
};

/* ---- short memory ---- */

static int remembered_failure_locked(struct manage *manage, const char *key) {
    list_each(at, &manage->failures) {
        struct failure *failure = list_entry(at, struct failure, link);
        if (failure->until_ms <= clock_ms()) {
            list_remove(at);
            manage->failure_count--;
            free(failure);
        } else if (strcmp(failure->key, key) == 0) {
            return failure->error;
        }
    }
    return 0;
}

static void remember_failure(const struct discovery *discovery) {
    struct manage *manage = discovery->manage;
    struct failure *failure = mem_new(sizeof *failure);
    memcpy(failure->key, discovery->key, sizeof failure->key);
    failure->error = discovery->result;
    failure->until_ms = clock_ms() + FAILURE_MEMORY_MS;
    LOCK_SCOPE(&manage->lock);
    if (manage->failure_count == FAILURES_MOST)
        free(list_entry(list_shift(&manage->failures), struct failure, link));
    else
        manage->failure_count++;
    list_append(&manage->failures, &failure->link);
}

void discover_forget_failures(struct manage *manage) {
    for (struct list *link; (link = list_shift(&manage->failures));)
        free(list_entry(link, struct failure, link));
    manage->failure_count = 0;
}

/* ---- the askers are told, on the desk ---- */

/* One by one: on any list of ours a wait would still be linked, and could be taken back while it is being finished. */
static struct list *next_asker(struct discovery *discovery, struct list *head) {
    LOCK_SCOPE(&discovery->manage->lock);
    return list_shift(head);
}

static void tell(struct discovery *discovery, int64_t model_id, bool changed) {
    struct manage *manage = discovery->manage;
    lock_take(&manage->lock);
    list_remove(&discovery->link); /* nobody joins it from here on */
    manage->discoveries_ended++;
    lock_drop(&manage->lock);
    for (struct list *link; (link = next_asker(discovery, &discovery->waits));) {
        struct wait *wait = list_entry(link, struct wait, link);
        wait->finish(wait, discovery->result);
    }
    for (struct list *link; (link = next_asker(discovery, &discovery->asks));) {
        struct discover_ask *ask = list_entry(link, struct discover_ask, link);
        ask->model_id = model_id;
        ask->changed = changed;
        ask->reason = discovery->reason;
        ask->finish(ask, discovery->result);
    }
}

static void free_discovery(struct discovery *discovery) {
    struct manage *manage = discovery->manage;
    if (discovery->talk)
        discovery->source->discover_free(discovery->talk);
    source_ask_done(&discovery->ask);
    buf_done(&discovery->request.body);
    buf_done(&discovery->request.fields);
    free(discovery->request.last_url);
    manifest_free(discovery->manifest);
    free(discovery);
    flight_end(manage);
}

/* ---- what was learnt is stored, on the desk ---- */

static void announce(struct discovery *discovery, int64_t model_id, bool known, bool changed) {
    struct manage *manage = discovery->manage;
    state_renew(manage);
    if (!known) {
        log_notice("%s is known now: %zu files at %s", discovery->key,
            discovery->manifest ? discovery->manifest->file_count : 0,
            discovery->manifest ? discovery->manifest->commit : "no commit that we may see");
        events_add(manage, "model.added", discovery->key, NULL);
        bus_publish(&(struct news){ .kind = NEWS_MODEL_ADDED, .id = model_id, .text = discovery->key });
    } else if (changed) {
        log_notice("%s: another revision is selected: %s", discovery->key, discovery->manifest->commit);
        struct buf more BUF_CLEANUP = BUF_INIT;
        (void)buf_format(&more, ",\"commit\":\"%s\"", discovery->manifest->commit); /* hex; no limit */
        events_add(manage, "model.changed", discovery->key, buf_text(&more));
        bus_publish(&(struct news){ .kind = NEWS_FILES_CHANGED, .id = model_id });
        holds_renew(manage);
    }
    bus_publish(&(struct news){ .kind = NEWS_MODEL, .id = model_id });
    state_mark(manage, model_id);
}

static int store_success(struct discovery *discovery, int64_t *ret_model_id, bool *ret_changed) {
    struct manage *manage = discovery->manage;
    struct catalog *catalog = manage->settings.catalog;
    struct catalog_model model;
    const char *name = !strchr(discovery->model, '/') ? discovery->manifest->model : discovery->model;
    bool known = catalog_find_model(catalog, discovery->source->name, name, &model) == 0;
    int result = catalog_store_manifest(catalog, discovery->source->name, discovery->model, discovery->manifest,
        ret_model_id, ret_changed);
    if (result < 0)
        return err_because(&discovery->reason, result, "%s can't be written to the catalogue", discovery->key);
    if (discovery->manifest->locked)
        (void)catalog_set_error(catalog, *ret_model_id, -ERR_GATED, err_sentence(-ERR_GATED)); /* only told, files say it too */
    name_format(discovery->source->name, name, discovery->key);
    announce(discovery, *ret_model_id, known, *ret_changed);
    manage_set_error(manage, 0, "");
    return 0;
}

/* A gated model is known, though it tells nothing. */
static int store_gated(struct discovery *discovery, int64_t *ret_model_id) {
    struct catalog *catalog = discovery->manage->settings.catalog;
    struct catalog_model model;
    bool known = catalog_find_model(catalog, discovery->source->name, discovery->model, &model) == 0;
    int result = catalog_store_locked(catalog, discovery->source->name, discovery->model, discovery->result,
        discovery->reason.text, ret_model_id);
    if (result == 0)
        announce(discovery, *ret_model_id, known, false);
    return result;
}

static bool is_absence(int error) {
    return error == -ERR_UNKNOWN_MODEL || error == -ERR_DISABLED;
}

static void store_failure(struct discovery *discovery) {
    struct manage *manage = discovery->manage;
    struct catalog *catalog = manage->settings.catalog;
    struct catalog_model model;
    bool known = catalog_find_model(catalog, discovery->source->name, discovery->model, &model) == 0;
    if (known)
        (void)catalog_set_error(catalog, model.id, discovery->result, discovery->reason.text); /* the asker hears it anyway */
    if (known)
        bus_publish(&(struct news){ .kind = NEWS_MODEL, .id = model.id });
    int64_t absence_ms = options_number(manage->settings.options, "absence_s") * 1000;
    if (!known && is_absence(discovery->result) && absence_ms)
        (void)catalog_set_absence(catalog, discovery->source->name, discovery->model, discovery->result,
            discovery->reason.text, clock_wall_ms() + absence_ms); /* else it is asked again, no harm */
    else if (discovery->result != -ERR_OFFLINE)
        remember_failure(discovery);
    if (discovery->result == -ERR_TOKEN)
        manage_set_error(manage, discovery->result, discovery->reason.text);
}

static void tell_failure(struct discovery *discovery) {
    struct buf more BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&more, ",\"error\":\"%s\",\"reason\":", err_name(discovery->result)); /* no limit */
    (void)buf_json_string(&more, err_text(&discovery->reason, discovery->result));
    events_add(discovery->manage, "discover.failed", discovery->key, buf_text(&more));
    log_notice("%s: %s", discovery->key, err_text(&discovery->reason, discovery->result));
}

static void conclude(struct work *work) {
    struct discovery *discovery = list_entry(work, struct discovery, work);
    int64_t model_id = 0;
    bool changed = false;
    if (discovery->result == 0)
        discovery->result = store_success(discovery, &model_id, &changed);
    else if (discovery->result == -ERR_GATED && strchr(discovery->model, '/') && store_gated(discovery, &model_id) == 0)
        discovery->result = 0;
    else if (discovery->result != -ERR_CANCELLED)
        store_failure(discovery);
    if (discovery->result < 0 && discovery->result != -ERR_CANCELLED)
        tell_failure(discovery);
    tell(discovery, model_id, changed);
    free_discovery(discovery);
}

static void go_to_desk(struct discovery *discovery, int result) {
    discovery->result = result;
    discovery->work.run = conclude;
    desk_submit(discovery->manage, &discovery->work);
}

/* ---- asking ---- */

static void step(struct work *work);

static void answered(struct http_request *request, int result) {
    struct discovery *discovery = request->context;
    discovery->transfer_result = result;
    discovery->asked = true;
    discovery->work.run = step;
    pool_submit(discovery->manage->settings.pool, &discovery->work);
}

static int out_of_time(struct discovery *discovery) {
    return err_because(&discovery->reason, -ERR_UNREACHABLE, "%s: no answer within discover_timeout_s (%lld s)",
        discovery->key, (long long)options_number(discovery->manage->settings.options, "discover_timeout_s"));
}

static void send_question(struct discovery *discovery) {
    struct manage *manage = discovery->manage;
    uint64_t now_ms = clock_ms();
    if (now_ms >= discovery->until_ms) {
        go_to_desk(discovery, out_of_time(discovery));
        return;
    }
    buf_done(&discovery->request.body);
    buf_done(&discovery->request.fields);
    free(discovery->request.last_url);
    discovery->request = (struct http_request){
        .url = discovery->ask.url, .authorization = discovery->ask.authorization, .accept = discovery->ask.accept,
        .redirects = REDIRECTS_MOST, .deadline_ms = discovery->until_ms - now_ms, .body_limit = discovery->ask.body_limit,
        .context = discovery, .on_done = answered,
    };
    lock_take(&manage->lock);
    bool shut = atomic_load(&manage->shut);
    if (!shut)
        http_start(manage->settings.http, &discovery->request);
    lock_drop(&manage->lock);
    if (shut)
        go_to_desk(discovery, -ERR_CANCELLED);
}

static void again(struct timer *timer) {
    struct discovery *discovery = list_entry(timer, struct discovery, timer);
    struct manage *manage = discovery->manage;
    lock_take(&manage->lock);
    bool mine = discovery->delayed; /* else discover_shut() has it */
    discovery->delayed = false;
    lock_drop(&manage->lock);
    if (mine)
        send_question(discovery);
}

void discover_shut(struct manage *manage) {
    for (;;) {
        struct discovery *found = NULL;
        lock_take(&manage->lock);
        list_each(at, &manage->discoveries) {
            struct discovery *discovery = list_entry(at, struct discovery, link);
            if (!found && discovery->delayed)
                found = discovery;
        }
        if (found)
            found->delayed = false;
        lock_drop(&manage->lock);
        if (!found)
            return;
        timer_cancel(manage->settings.timers, &found->timer);
        go_to_desk(found, -ERR_CANCELLED);
    }
}

/* Is it worth asking the same again, and when? */
static bool wait_for_server(struct discovery *discovery, int error, const struct http_head *head) {
    unsigned seconds = 0;
    if ((error != -ERR_RATE_LIMITED && error != -ERR_SERVER) || ++discovery->attempts >= ATTEMPTS_MOST)
        return false;
    uint64_t delay_ms = head && http_head_retry_after(head, &seconds) ? seconds * UINT64_C(1000)
                                                                     : backoff_ms(discovery->attempts, 250, 2000);
    uint64_t at_ms = clock_ms() + delay_ms;
    struct manage *manage = discovery->manage;
    if (at_ms >= discovery->until_ms)
        return false;
    LOCK_SCOPE(&manage->lock);
    if (atomic_load(&manage->shut))
        return false;
    discovery->delayed = true;
    timer_arm(manage->settings.timers, &discovery->timer, at_ms);
    return true;
}

/* The deadline is ours: to people the server did not answer in time. */
static int plain_error(struct discovery *discovery, int error) {
    if (error == -ERR_DEADLINE || (error == -ERR_STALLED))
        return out_of_time(discovery);
    return error;
}

static void step(struct work *work) {
    struct discovery *discovery = list_entry(work, struct discovery, work);
    struct manage *manage = discovery->manage;
    struct http_request *request = &discovery->request;
    struct http_head head = { .status = request->status, .url = request->last_url, .first_url = discovery->ask.url,
        .is_last = true, .fields = &request->fields };
    struct source_answer answer = { .result = discovery->transfer_result, .status = request->status,
        .url = request->last_url ? request->last_url : discovery->ask.url, .body = buf_text(&request->body),
        .body_len = request->body.len, .head = &head, .reason = &request->reason };
    struct source_ask ask = { 0 };
    if (!discovery->talk) {
        const struct source_access *access = manage->settings.access_of(manage->settings.context, discovery->source);
        discovery->talk = discovery->source->discover_new(access, discovery->model, discovery->revision);
    }
    *discovery->reason.text = 0;
    int result = discovery->source->discover_next(discovery->talk, discovery->asked ? &answer : NULL, &ask,
        &discovery->manifest, &discovery->reason);
    if (result == SOURCE_ASK) {
        source_ask_done(&discovery->ask);
        discovery->ask = ask;
        discovery->attempts = 0;
        send_question(discovery);
    } else if (result == SOURCE_DONE) {
        go_to_desk(discovery, 0);
    } else if (!wait_for_server(discovery, result, discovery->asked ? &head : NULL)) {
        go_to_desk(discovery, plain_error(discovery, result));
    }
}

/* ---- beginning ---- */

static struct discovery *find_locked(struct manage *manage, const struct source *source, const char *model,
    const char *revision, bool refresh) {
    list_each(at, &manage->discoveries) {
        struct discovery *discovery = list_entry(at, struct discovery, link);
        if (discovery->source == source && discovery->refresh == refresh && strcmp(discovery->model, model) == 0 &&
            strcmp(discovery->revision, revision) == 0)
            return discovery;
    }
    return NULL;
}

static struct discovery *new_locked(struct manage *manage, const struct source *source, const char *model,
    const char *revision, bool refresh) {
    struct discovery *discovery = mem_new(sizeof *discovery);
    discovery->manage = manage;
    discovery->source = source;
    (void)text_copy(discovery->model, sizeof discovery->model, model); /* lengths were looked at */
    (void)text_copy(discovery->revision, sizeof discovery->revision, revision);
    name_format(source->name, model, discovery->key);
    discovery->refresh = refresh;
    list_init(&discovery->waits);
    list_init(&discovery->asks);
    discovery->until_ms = clock_ms() + (uint64_t)options_number(manage->settings.options, "discover_timeout_s") * 1000;
    discovery->work.run = step;
    discovery->timer.fire = again;
    list_append(&manage->discoveries, &discovery->link);
    manage->in_flight++;
    return discovery;
}

static bool is_name(const struct source *source, const char *model) {
    return *model && *model != '.' && strlen(model) < NAME_MODEL_SIZE && source->is_name(model);
}

/* What is remembered of earlier tries; 0: nothing. */
static int remembered(struct manage *manage, const struct source *source, const char *model) {
    int error = 0;
    int result = catalog_absence(manage->settings.catalog, source->name, model, clock_wall_ms(), &error, NULL);
    if (result != -ENOENT)
        return result < 0 ? result : error;
    char key[NAME_KEY_SIZE];
    name_format(source->name, model, key);
    LOCK_SCOPE(&manage->lock);
    return remembered_failure_locked(manage, key);
}

static uint64_t count_ended(struct manage *manage) {
    LOCK_SCOPE(&manage->lock);
    return manage->discoveries_ended;
}

/* PARKED, or false in *ret_current when a discovery ended since `ended` was read: it may have been this one. */
static int park(struct manage *manage, const struct source *source, const char *model, uint64_t ended, struct wait *wait,
    bool *ret_current) {
    LOCK_SCOPE(&manage->lock);
    *ret_current = ended == manage->discoveries_ended;
    if (!*ret_current)
        return 0;
    if (atomic_load(&manage->shut))
        return -ERR_CANCELLED;
    struct discovery *discovery = find_locked(manage, source, model, "", false);
    bool begin = !discovery;
    if (begin)
        discovery = new_locked(manage, source, model, "", false);
    wait->where = manage;
    atomic_store_explicit(&wait->progress, NULL, memory_order_relaxed);
    atomic_store_explicit(&wait->withdraw, wait_take_back, memory_order_release);
    list_append(&discovery->waits, &wait->link);
    if (begin)
        pool_submit(manage->settings.pool, &discovery->work);
    return PARKED;
}

int discover_await(struct manage *manage, const struct source *source, const char *model, int64_t *ret_id,
    struct wait *wait) {
    struct catalog_model row;
    if (!is_name(source, model))
        return -ERR_BAD_NAME;
    for (;;) {
        uint64_t ended = count_ended(manage);
        int result = catalog_find_model(manage->settings.catalog, source->name, model, &row);
        if (result == 0)
            *ret_id = row.id;
        if (result != -ENOENT)
            return result;
        if (!options_bool(manage->settings.options, "discover"))
            return -ENOENT;
        result = remembered(manage, source, model);
        if (result < 0)
            return result;
        if (options_bool(manage->settings.options, "offline"))
            return -ERR_OFFLINE;
        bool current;
        result = park(manage, source, model, ended, wait, &current);
        if (current)
            return result;
    }
}

int discover_refresh(struct manage *manage, const struct source *source, const char *model, const char *revision,
    struct discover_ask *ask) {
    if (!is_name(source, model) || (*revision && !name_is_revision(revision)))
        return -ERR_BAD_NAME;
    if (options_bool(manage->settings.options, "offline"))
        return -ERR_OFFLINE;
    LOCK_SCOPE(&manage->lock);
    if (atomic_load(&manage->shut))
        return -ERR_CANCELLED;
    struct discovery *discovery = find_locked(manage, source, model, revision, true);
    bool begin = !discovery;
    if (begin)
        discovery = new_locked(manage, source, model, revision, true);
    list_append(&discovery->asks, &ask->link);
    if (begin)
        pool_submit(manage->settings.pool, &discovery->work);
    return 0;
}
