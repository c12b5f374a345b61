/* SPDX-License-Identifier: Apache-2.0 */
#include "model/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define HEX_OR_WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_."

struct roster *roster_new(void) {
    return mem_new(sizeof(struct roster));
}

void roster_free(struct roster *roster) {
    if (!roster)
        return;
    for (size_t i = 0; i < roster->count; i++)
        free(roster->models[i].card);
    free(roster->models);
    free(roster);
}

void roster_add(struct roster *roster, const char *name, const char *digest, const struct card *card,
    bool whole) {
    struct buf json = BUF_INIT;
    if (!name_is_served(name)) {
        roster->refused++;
        return;
    }
    if (roster->count == ROSTER_MOST) {
        roster->beyond++;
        return;
    }
    if (!(roster->count & (roster->count - 1))) /* room doubles at powers of two */
        roster->models =
            mem_resize(roster->models, roster->count ? 2 * roster->count : 1, sizeof roster->models[0]);
    struct roster_model *model = &roster->models[roster->count++];
    *model = (struct roster_model){.whole = whole};
    (void)text_copy(model->name, sizeof model->name, name); /* served names are bounded */
    if (digest && digest[strspn(digest, HEX_OR_WORD)] == '\0')
        (void)text_copy(model->digest, sizeof model->digest, digest); /* too long a one is none */
    card_print_json(card, &json);
    model->card = buf_take(&json);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct roster_model *)a)->name, ((const struct roster_model *)b)->name);
}

void roster_finish(struct roster *roster) {
    size_t kept = 0;
    if (roster->count)
        qsort(roster->models, roster->count, sizeof roster->models[0], by_name);
    for (size_t i = 0; i < roster->count; i++) {
        if (kept && !by_name(&roster->models[kept - 1], &roster->models[i]))
            free(roster->models[i].card);
        else
            roster->models[kept++] = roster->models[i];
    }
    roster->count = kept;
}

const struct roster_model *roster_find(const struct roster *roster, const char *name) {
    struct roster_model key;
    if (!roster->count || text_copy(key.name, sizeof key.name, name) < 0)
        return NULL;
    return bsearch(&key, roster->models, roster->count, sizeof key, by_name);
}
