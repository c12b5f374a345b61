/* SPDX-License-Identifier: Apache-2.0 */
#include "manage/card.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "manage/card_inside.h"
#include "manage/remote_inside.h"
#include "model/catalog_card.h"
#include "model/card_inside.h"

/* ---- what is kept */

static int recall(struct manage *manage, int64_t revision_id, const struct card_parts *parts,
    struct card *ret_card) {
    BUF_CLEANUP struct buf json = BUF_INIT;
    int result = catalog_card(manage->settings.catalog, revision_id, card_parts_subject(parts), &json);
    return result ? result : card_parse_json(buf_text(&json), json.len, ret_card);
}

/* What its server told. */
static int card_of_remote(struct manage *manage, const struct catalog_model *model, struct card *ret_card) {
    BUF_CLEANUP struct buf json = BUF_INIT;
    struct catalog_remote remote;
    struct card card = {.type_count = 0};
    int result = catalog_remote(manage->settings.catalog, model->id, &remote, &json);
    if (!result)
        result = card_parse_json(buf_text(&json), json.len, &card);
    if (result < 0 && result != -ENOENT && result != -ERR_JSON)
        return result;
    card.whole = true; /* an open of it asks nobody */
    *ret_card = card;
    return 0;
}

int card_of(struct manage *manage, const struct catalog_model *model, struct card *ret_card) {
    if (remote_is(model))
        return card_of_remote(manage, model, ret_card);
    struct card_parts *parts = mem_new(sizeof *parts);
    struct card card = {.type_count = 0};
    int result = card_parts_find(manage->settings.catalog, model->revision_id, parts);
    if (!result)
        result = recall(manage, model->revision_id, parts, &card);
    if (result == -ENOENT || result == -ERR_JSON) /* what can't be read is read anew by the next open */
        result = 0;
    if (!result) {
        CARD_SET(&card, formats, parts->formats);
        *ret_card = card;
    }
    free(parts);
    return result;
}

/* ---- a reading's begin and end */

void card_unref(struct card_read *read) {
    if (atomic_fetch_sub(&read->refs, 1) > 1)
        return;
    for (size_t i = 0; i < read->parts.count; i++)
        if (read->blobs[i]) {
            blob_unuse(read->blobs[i]);
            blob_put(read->blobs[i]);
        }
    card_done(&read->card);
    free(read);
}

static void keep(struct card_read *read) {
    BUF_CLEANUP struct buf json = BUF_INIT;
    card_conclude(&read->card);
    read->card.whole = !read->incomplete;
    CARD_SET(&read->card, formats, read->parts.formats);
    card_print_json(&read->card, &json);
    int error = catalog_set_card(read->manage->settings.catalog, read->model.revision_id,
        card_parts_subject(&read->parts), buf_text(&json));
    if (error)
        log_warning("the card of %s:%s can't be kept: %s", read->model.source, read->model.name,
            err_sentence(error));
}

/* A later failure does not take what an earlier reading learnt. */
static bool is_worth_keeping(struct card_read *read) {
    CARD_CLEANUP struct card former = {.type_count = 0};
    return !read->incomplete || recall(read->manage, read->model.revision_id, &read->parts, &former) ||
           (!former.whole && (read->card.parameters || !former.parameters));
}

/* One by one, as in discover_store.c: on a list of ours they could be taken back while they are being
 * finished. */
static struct list *next_asker(struct card_read *read) {
    LOCK_SCOPE(&read->manage->lock);
    return list_shift(&read->waits);
}

void card_told(struct work *work) {
    struct card_read *read = list_entry(work, struct card_read, work);
    struct manage *manage = read->manage;
    if (is_worth_keeping(read))
        keep(read);
    bus_publish(&(struct news){.kind = NEWS_MODEL, .id = read->model.id}); /* texts made before are old */
    lock_take(&manage->lock);
    list_remove(&read->link); /* nobody joins it from here on */
    lock_drop(&manage->lock);
    timer_cancel(manage->settings.timers, &read->timer);
    for (struct list *link; (link = next_asker(read));) {
        struct wait *wait = list_entry(link, struct wait, link);
        wait->finish(wait, 0);
    }
    card_unref(read);
    flight_end(manage);
}

static void out_of_time(struct timer *timer) {
    card_hurry(list_entry(timer, struct card_read, timer));
}

static struct card_read *find_locked(struct manage *manage, const struct catalog_model *model) {
    list_each (at, &manage->card_reads) {
        struct card_read *read = list_entry(at, struct card_read, link);
        if (read->model.revision_id == model->revision_id)
            return read;
    }
    return NULL;
}

static void begin_locked(struct manage *manage, struct card_read *read) {
    uint64_t until_ms =
        clock_ms() + (uint64_t)options_number(manage->settings.options, "discover_timeout_s") * 1000;
    read->work.run = card_step;
    read->timer.fire = out_of_time;
    list_append(&manage->card_reads, &read->link);
    manage->in_flight++;
    timer_arm(manage->settings.timers, &read->timer, until_ms);
    pool_submit(manage->settings.pool, &read->work);
}

/* 0 while the manager stops; *ret_taken: `fresh` is at work now. */
static int park(struct manage *manage, struct card_read *fresh, struct wait *wait, bool *ret_taken) {
    LOCK_SCOPE(&manage->lock);
    struct card_read *read = find_locked(manage, &fresh->model);
    if (atomic_load(&manage->shut))
        return 0;
    wait->where = manage;
    atomic_store_explicit(&wait->progress, NULL, memory_order_relaxed);
    atomic_store_explicit(&wait->withdraw, wait_take_back, memory_order_release);
    list_append(read ? &read->waits : &fresh->waits, &wait->link);
    *ret_taken = !read;
    if (!read)
        begin_locked(manage, fresh);
    return PARKED;
}

/* 0: there is nothing more to learn; 1: there is. */
static int is_wanted(struct manage *manage, int64_t model_id, struct card_read *read) {
    CARD_CLEANUP struct card kept = {.type_count = 0};
    int result = catalog_model(manage->settings.catalog, model_id, &read->model);
    if (result)
        return result == -ENOENT ? -ERR_STALE : result;
    if (remote_is(&read->model))
        return 0;
    result = card_parts_find(manage->settings.catalog, read->model.revision_id, &read->parts);
    if (result || !read->parts.count)
        return result;
    result = recall(manage, read->model.revision_id, &read->parts, &kept);
    if (result == -ENOENT || result == -ERR_JSON)
        return 1;
    return result ? result : !kept.whole;
}

int card_await(struct manage *manage, int64_t model_id, struct wait *wait) {
    struct card_read *read = mem_new(sizeof *read);
    read->manage = manage;
    atomic_store(&read->refs, 1);
    list_init(&read->waits);
    bool taken = false;
    int result = is_wanted(manage, model_id, read);
    if (result == 1)
        result = park(manage, read, wait, &taken);
    if (!taken)
        free(read);
    return result;
}

void cards_shut(struct manage *manage) {
    for (;;) {
        struct card_read *found = NULL;
        lock_take(&manage->lock);
        list_each (at, &manage->card_reads) {
            struct card_read *read = list_entry(at, struct card_read, link);
            if (!found && !atomic_load(&read->ends))
                found = read;
        }
        if (found)
            atomic_fetch_add(&found->refs, 1);
        lock_drop(&manage->lock);
        if (!found)
            return;
        card_hurry(found);
        card_unref(found);
    }
}
