/* SPDX-License-Identifier: Apache-2.0 */
/* Groups (hf/ORG): a folder needs a row for its number, no more. */

#include "manage/internal.h"

#include <stdlib.h>

struct group_ask {
    struct work work;
    struct manage *manage;
    const struct source *source;
    char name[NAME_MODEL_SIZE];
    struct list waits; /* the one wait, unless it was taken back; under lock */
};

static void add_group(struct work *work) {
    struct group_ask *ask = list_entry(work, struct group_ask, work);
    struct manage *manage = ask->manage;
    int64_t id;
    int result = catalog_add_group(manage->settings.catalog, ask->source->name, ask->name, &id);
    lock_take(&manage->lock);
    struct list *link = list_shift(&ask->waits);
    lock_drop(&manage->lock);
    if (link) {
        struct wait *wait = list_entry(link, struct wait, link);
        wait->finish(wait, result);
    }
    free(ask);
    flight_end(manage);
}

int discover_group_await(struct manage *manage, const struct source *source, const char *name,
    int64_t *ret_id, struct wait *wait) {
    struct catalog_group group;
    if (*name == '.' || !(source->is_remote ? name_is_served(name) : name_is_part(name)))
        return -ERR_BAD_NAME;
    int result = catalog_find_group(manage->settings.catalog, source->name, name, &group);
    if (result == 0)
        *ret_id = group.id;
    if (result != -ENOENT)
        return result;
    struct group_ask *ask = mem_new(sizeof *ask);
    ask->work.run = add_group;
    ask->manage = manage;
    ask->source = source;
    (void)text_copy(ask->name, sizeof ask->name, name); /* judged: it fits */
    list_init(&ask->waits);
    flight_begin(manage);
    lock_take(&manage->lock);
    wait->where = manage;
    atomic_store_explicit(&wait->progress, NULL, memory_order_relaxed);
    atomic_store_explicit(&wait->withdraw, wait_take_back, memory_order_release);
    list_append(&ask->waits, &wait->link);
    desk_submit(manage, &ask->work);
    lock_drop(&manage->lock);
    return PARKED;
}
