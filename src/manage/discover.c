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

#include "manage/discovery.h"
#include "manage/known.h"
#include "manage/remote_inside.h"

#include <stdlib.h>
#include <string.h>

#define REDIRECTS_MOST 5
#define ATTEMPTS_MOST  3 /* of one question, when the server fails or has a limit */

/* ---- asking ---- */

static void go_to_desk(struct discovery *discovery, int result) {
    discovery->result = result;
    discovery->work.run = discovery_conclude;
    desk_submit(discovery->manage, &discovery->work);
}

static void step(struct work *work);

static void answered(struct http_request *request, int result) {
    struct discovery *discovery = request->context;
    discovery->transfer_result = result;
    discovery->asked = true;
    discovery->work.run = step;
    pool_submit(discovery->manage->settings.pool, &discovery->work);
}

static int out_of_time(struct discovery *discovery) {
    return err_because(&discovery->reason, -ERR_UNREACHABLE, "no answer within discover_timeout_s (%lld s)",
        (long long)options_number(discovery->manage->settings.options, "discover_timeout_s"));
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
        .url = discovery->ask.url,
        .authorization = discovery->ask.authorization,
        .accept = discovery->ask.accept,
        .post = discovery->ask.post,
        .post_len = discovery->ask.post ? strlen(discovery->ask.post) : 0,
        .post_type = "application/json",
        .redirects = discovery->ask.post ? 0 : REDIRECTS_MOST,
        .deadline_ms = discovery->until_ms - now_ms,
        .body_limit = discovery->ask.body_limit,
        .context = discovery,
        .on_done = answered,
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
        list_each (at, &manage->discoveries) {
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
    discovery->retry_after_s = head && http_head_retry_after(head, &seconds) ? seconds : 0;
    if ((error != -ERR_RATE_LIMITED && error != -ERR_SERVER) || ++discovery->attempts >= ATTEMPTS_MOST)
        return false;
    uint64_t delay_ms = discovery->retry_after_s ? discovery->retry_after_s * UINT64_C(1000)
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

void discovery_place(const struct discovery *discovery, char to[static NAME_MODEL_SIZE]) {
    if (discovery->is_list)
        memcpy(to, discovery->model, sizeof discovery->model);
    else
        remote_place_of(discovery->source, discovery->model, to);
}

static void *begin_talk(struct discovery *discovery) {
    struct manage *manage = discovery->manage;
    const struct source *source = discovery->source;
    char place[NAME_MODEL_SIZE];
    if (!source->is_remote)
        return source->discover_new(manage->settings.access_of(manage->settings.context, source),
            discovery->model, discovery->revision);
    struct declared *declared DECLARED_CLEANUP = manage_declared(manage);
    discovery_place(discovery, place);
    return source->list_new(declared, place, discovery->is_list ? "" : discovery->model);
}

static int next(struct discovery *discovery, const struct source_answer *answer, struct source_ask *ret_ask) {
    const struct source *source = discovery->source;
    return source->is_remote
               ? source->list_next(discovery->talk, answer, ret_ask, &discovery->roster, &discovery->reason)
               : source->discover_next(discovery->talk, answer, ret_ask, &discovery->manifest,
                     &discovery->reason);
}

static void step(struct work *work) {
    struct discovery *discovery = list_entry(work, struct discovery, work);
    struct http_request *request = &discovery->request;
    struct http_head head = {.status = request->status,
        .url = request->last_url,
        .first_url = discovery->ask.url,
        .is_last = true,
        .fields = &request->fields};
    struct source_answer answer = {.result = discovery->transfer_result,
        .status = request->status,
        .url = request->last_url ? request->last_url : discovery->ask.url,
        .body = buf_text(&request->body),
        .body_len = request->body.len,
        .head = &head,
        .reason = &request->reason};
    struct source_ask ask = {0};
    if (!discovery->talk)
        discovery->talk = begin_talk(discovery);
    *discovery->reason.text = 0;
    int result = next(discovery, discovery->asked ? &answer : NULL, &ask);
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

/* What is asked for; the same is asked once for all who want it meanwhile. */
struct subject {
    const struct source *source;
    const char *model, *revision;
    bool refresh, hold, is_list;
};

static struct discovery *find_locked(struct manage *manage, const struct subject *subject) {
    list_each (at, &manage->discoveries) {
        struct discovery *discovery = list_entry(at, struct discovery, link);
        if (discovery->source == subject->source && discovery->refresh == subject->refresh &&
            discovery->hold == subject->hold && discovery->is_list == subject->is_list &&
            strcmp(discovery->model, subject->model) == 0 &&
            strcmp(discovery->revision, subject->revision) == 0)
            return discovery;
    }
    return NULL;
}

static struct discovery *new_locked(struct manage *manage, const struct subject *subject) {
    struct discovery *discovery = mem_new(sizeof *discovery);
    discovery->manage = manage;
    discovery->source = subject->source;
    (void)text_copy(discovery->model, sizeof discovery->model, subject->model); /* lengths were looked at */
    (void)text_copy(discovery->revision, sizeof discovery->revision, subject->revision);
    name_format(subject->source->name, subject->model, discovery->key);
    discovery->refresh = subject->refresh;
    discovery->hold = subject->hold;
    discovery->is_list = subject->is_list;
    list_init(&discovery->waits);
    list_init(&discovery->asks);
    discovery->until_ms =
        clock_ms() + (uint64_t)options_number(manage->settings.options, "discover_timeout_s") * 1000;
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
    int result =
        catalog_absence(manage->settings.catalog, source->name, model, clock_wall_ms(), &error, NULL);
    if (result != -ENOENT)
        return result < 0 ? result : error;
    char key[NAME_KEY_SIZE];
    name_format(source->name, model, key);
    return failure_recall(manage, key);
}

static uint64_t count_ended(struct manage *manage) {
    LOCK_SCOPE(&manage->lock);
    return manage->discoveries_ended;
}

/* PARKED, or false in *ret_current when a discovery ended since `ended` was read: it may have been
 * this one. */
static int park(struct manage *manage, const struct source *source, const char *model, uint64_t ended,
    struct wait *wait, bool *ret_current) {
    LOCK_SCOPE(&manage->lock);
    *ret_current = ended == manage->discoveries_ended;
    if (!*ret_current)
        return 0;
    if (atomic_load(&manage->shut))
        return -ERR_CANCELLED;
    const struct subject subject = {.source = source, .model = model, .revision = ""};
    struct discovery *discovery = find_locked(manage, &subject);
    bool begin = !discovery;
    if (begin)
        discovery = new_locked(manage, &subject);
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
        if (source->is_remote && remote_rests(manage, source, model))
            return -ERR_RATE_LIMITED;
        bool current;
        result = park(manage, source, model, ended, wait, &current);
        if (current)
            return result;
    }
}

static int join(struct manage *manage, const struct subject *subject, struct discover_ask *ask) {
    if (options_bool(manage->settings.options, "offline"))
        return -ERR_OFFLINE;
    LOCK_SCOPE(&manage->lock);
    if (atomic_load(&manage->shut))
        return -ERR_CANCELLED;
    struct discovery *discovery = find_locked(manage, subject);
    bool begin = !discovery;
    if (begin)
        discovery = new_locked(manage, subject);
    list_append(&discovery->asks, &ask->link);
    if (begin)
        pool_submit(manage->settings.pool, &discovery->work);
    return 0;
}

int discover_refresh(struct manage *manage, const struct source *source, const char *model,
    const char *revision, struct discover_ask *ask) {
    const struct subject subject = {.source = source,
        .model = model,
        .revision = revision,
        .refresh = true,
        .hold = ask->hold};
    if (!is_name(source, model) || (*revision && !name_is_revision(revision)))
        return -ERR_BAD_NAME;
    return join(manage, &subject, ask);
}

int discover_list(struct manage *manage, const struct source *source, const char *place,
    struct discover_ask *ask) {
    const struct subject subject = {.source = source,
        .model = place,
        .revision = "",
        .refresh = true,
        .is_list = true};
    ask->is_list = true;
    return join(manage, &subject, ask);
}
