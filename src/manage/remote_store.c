/* SPDX-License-Identifier: Apache-2.0 */
/* What a server told of its models becomes the catalogue's: one transaction for all that differs. Desk. */

#include <stdlib.h>
#include <string.h>

#include "manage/known.h"
#include "manage/remote_inside.h"
#include "model/catalog_by.h"

#define PAGE 64

/* A model that is new, or of which something else is told now. */
struct change {
    struct roster_model model; /* its card is ours */
    struct catalog_labels labels;
    int64_t model_id;
    bool is_new;
};
struct changes {
    struct change *array;
    size_t count;
    int64_t *gone;
    size_t gone_count;
};

static void changes_done(struct changes *changes) {
    for (size_t i = 0; i < changes->count; i++)
        free(changes->array[i].model.card);
    free(changes->array);
    free(changes->gone);
}
#define CHANGES_CLEANUP __attribute__((cleanup(changes_done)))

/* ---- what differs ---- */

/* What one question does not tell, another one told. */
static void fill_card(struct card *card, const struct card *former) {
    for (const struct card_field *field = card_fields; field->name; field++) {
        char *to = (char *)card + field->offset;
        const char *from = (const char *)former + field->offset;
        static const char none[sizeof(uint64_t)];
        bool unknown = field->type == CARD_FIELD_TEXT ? !*to : !memcmp(to, none, sizeof none);
        if (unknown)
            memcpy(to, from, field->type == CARD_FIELD_TEXT ? field->size : sizeof none);
    }
}

/* The card as it is kept: of the same weights all that was ever told. */
static void make_card(const char *told, const char *former, struct buf *to, char category[CARD_TEXT]) {
    struct card CARD_CLEANUP card = {.type_count = 0};
    struct card CARD_CLEANUP before = {.type_count = 0};
    (void)card_parse_json(told, strlen(told), &card); /* we printed it */
    if (card_parse_json(former, strlen(former), &before) == 0)
        fill_card(&card, &before);
    card_print_json(&card, to);
    (void)text_copy(category, CARD_TEXT, card.category); /* the same size */
}

static void add_change(struct manage *manage, const struct source *source, const struct roster_model *told,
    const struct catalog_remote *known, const char *card, const char *category, struct changes *changes) {
    struct catalog_model *model = mem_new(sizeof *model);
    struct change *change = &changes->array[changes->count++];
    *change = (struct change){.model = *told, .is_new = !known, .model_id = known ? known->model_id : 0};
    change->model.card = mem_text(card);
    if (known && !*told->digest)
        (void)text_copy(change->model.digest, sizeof change->model.digest, known->digest); /* the same size */
    model->id = change->model_id;
    (void)text_copy(model->source, sizeof model->source, source->name); /* as in the catalogue */
    (void)text_copy(model->name, sizeof model->name, told->name);       /* the same size */
    model_category_told(manage, model, category, change->labels.category);
    (void)text_copy(change->labels.format, sizeof change->labels.format, "other");
    free(model);
}

/* 0, or -ERR_DATABASE. */
static int compare(struct manage *manage, const struct source *source, const struct roster_model *told,
    struct changes *changes) {
    struct catalog *catalog = manage->settings.catalog;
    struct catalog_model *model = mem_new(sizeof *model);
    struct catalog_remote known;
    struct buf BUF_CLEANUP former = BUF_INIT, card = BUF_INIT;
    char category[CARD_TEXT];
    int result = catalog_find_model(catalog, source->name, told->name, model);
    if (result == 0)
        result = catalog_remote(catalog, model->id, &known, &former);
    free(model);
    if (result < 0 && result != -ENOENT)
        return result;
    bool is_known = result == 0;
    bool same_weights = is_known && (!*told->digest || !strcmp(told->digest, known.digest));
    if (same_weights && !known.gone && known.whole && !told->whole)
        return 0; /* a list knows less than was asked about it alone */
    make_card(told->card, same_weights ? buf_text(&former) : "", &card, category);
    if (same_weights && !known.gone && known.whole == told->whole &&
        !strcmp(buf_text(&card), buf_text(&former)))
        return 0;
    add_change(manage, source, told, is_known ? &known : NULL, buf_text(&card), category, changes);
    if (same_weights && known.whole)
        changes->array[changes->count - 1].model.whole = true;
    return 0;
}

/* What is known of the place and not in the list. With more models than we take, nobody can tell. */
static int find_gone(struct manage *manage, const struct source *source, const char *place,
    const struct roster *roster, struct changes *changes) {
    struct catalog_remote *page = mem_array(PAGE, sizeof *page);
    char after[NAME_MODEL_SIZE] = "";
    int count = 0;
    while (!(roster && roster->beyond) && (count = catalog_list_remotes(manage->settings.catalog,
                                               source->name, place, after, page, PAGE)) > 0) {
        changes->gone = mem_resize(changes->gone, changes->gone_count + PAGE, sizeof *changes->gone);
        for (int i = 0; i < count; i++)
            if (!page[i].gone && !(roster && roster_find(roster, page[i].name)))
                changes->gone[changes->gone_count++] = page[i].model_id;
        (void)text_copy(after, sizeof after, page[count - 1].name); /* the same size */
    }
    free(page);
    return count < 0 ? count : 0;
}

/* ---- writing it ---- */

static int store_one(struct catalog *catalog, const struct source *source, struct change *change) {
    char group[NAME_MODEL_SIZE];
    size_t len = strcspn(change->model.name, "/");
    len = change->model.name[len] ? len : 0;
    memcpy(group, change->model.name, len);
    group[len] = 0;
    int result = catalog_store_remote(catalog, source->name, group, &change->model, &change->model_id);
    if (result == 0)
        result = catalog_set_labels(catalog, change->model_id, &change->labels);
    if (result == 0 && change->is_new)
        result = catalog_set_state(catalog, change->model_id, STATE_REMOTE);
    return result;
}

static int store(struct manage *manage, const struct source *source, const char *why,
    struct changes *changes) {
    struct catalog *catalog = manage->settings.catalog;
    if (!changes->count && !changes->gone_count)
        return 0;
    int result = catalog_begin(catalog);
    if (result < 0)
        return result;
    for (size_t i = 0; i < changes->count && result == 0; i++)
        result = store_one(catalog, source, &changes->array[i]);
    for (size_t i = 0; i < changes->gone_count && result == 0; i++)
        result = catalog_set_error(catalog, changes->gone[i], -ERR_UNKNOWN_MODEL, why);
    if (result == 0)
        return catalog_commit(catalog);
    catalog_rollback(catalog);
    return result;
}

static void tell(struct manage *manage, const struct source *source, const struct changes *changes) {
    size_t added = 0;
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->array[i];
        char key[NAME_KEY_SIZE];
        name_format(source->name, change->model.name, key);
        added += change->is_new;
        if (change->is_new) {
            events_add(manage, "model.added", key, NULL);
            bus_publish(&(struct news){.kind = NEWS_MODEL_ADDED, .id = change->model_id, .text = key});
        }
        bus_publish(&(struct news){.kind = NEWS_MODEL, .id = change->model_id});
        state_mark(manage, change->model_id);
    }
    for (size_t i = 0; i < changes->gone_count; i++) {
        bus_publish(&(struct news){.kind = NEWS_MODEL, .id = changes->gone[i]});
        state_mark(manage, changes->gone[i]);
    }
    if (added || changes->gone_count)
        log_notice("%s: models that are served now: %zu more, %zu less", source->name, added,
            changes->gone_count);
}

int remote_conclude(struct manage *manage, const struct source *source, const char *model, bool is_list,
    const struct roster *roster, struct catalog_stored *ret_stored, struct reason *reason) {
    struct changes changes CHANGES_CLEANUP = {.array = mem_array(roster->count + 1, sizeof(struct change))};
    struct catalog_model *row = mem_new(sizeof *row);
    int result = 0;
    for (size_t i = 0; i < roster->count && result == 0; i++)
        result = compare(manage, source, &roster->models[i], &changes);
    if (result == 0 && is_list && roster->all)
        result = find_gone(manage, source, model, roster, &changes);
    if (result == 0)
        result = store(manage, source, "its server does not list it any more", &changes);
    if (result == 0)
        tell(manage, source, &changes);
    if (result == 0 && !is_list)
        result = catalog_find_model(manage->settings.catalog, source->name, model, row);
    *ret_stored = (struct catalog_stored){.model_id = row->id, .changed = changes.count > 0};
    free(row);
    if (result < 0)
        return err_because(reason, result, "what was told of it can't be written to the catalogue");
    return 0;
}

/* ---- what nobody declares ---- */

static bool is_declared(struct manage *manage, const struct source *source, const char *name) {
    struct remote_report *report = mem_new(sizeof *report);
    char place[NAME_MODEL_SIZE];
    remote_place_of(source, name, place);
    bool found = remote_look(manage, source, place, report) == 0;
    free(report);
    return found;
}

static int find_undeclared(struct manage *manage, const struct source *source, struct changes *changes) {
    size_t kept = 0;
    int result = find_gone(manage, source, "", NULL, changes);
    struct catalog_model *model = mem_new(sizeof *model);
    for (size_t i = 0; i < changes->gone_count; i++)
        if (catalog_model(manage->settings.catalog, changes->gone[i], model) == 0 &&
            !is_declared(manage, source, model->name))
            changes->gone[kept++] = changes->gone[i];
    changes->gone_count = kept;
    free(model);
    return result;
}

void remote_drop_undeclared(struct manage *manage) {
    for (size_t i = 0; source_table[i]; i++) {
        struct changes changes CHANGES_CLEANUP = {0};
        if (!source_table[i]->is_remote)
            continue;
        int result = find_undeclared(manage, source_table[i], &changes);
        if (result == 0)
            result = store(manage, source_table[i], "its server is not declared any more", &changes);
        if (result == 0)
            tell(manage, source_table[i], &changes);
        else
            log_warning("%s: what is not declared any more is still listed: %s", source_table[i]->name,
                err_sentence(result));
    }
}
