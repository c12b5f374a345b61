/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes may go: the store's shelf beside the catalogue's references. See cleanup.h. */

#include <stdlib.h>
#include <string.h>

#include "manage/cleanup.h"
#include "manage/known.h"
#include "model/catalog_revision.h"

#define PAGE 256

/* A file of the store. */
struct stock {
    struct shelf_item file;
    bool held, used;
    bool dropped; /* we know that a file of ours had it */
    size_t needs; /* models that refer to it, and stay */
    bool taken;
};

/* A model refers to a file of the store; each pair once. */
struct pair {
    size_t model, stock;
};

struct draft {
    struct manage *manage;
    const struct cleanup_wish *wish;
    struct stock *stocks; /* by name */
    size_t stock_count;
    struct pair *pairs; /* by model */
    size_t pair_count, pair_room;
    size_t *order; /* models, by their first index in `ids`, least recently used first */
    uint64_t total_bytes;
    struct cleanup_plan plan; /* its models in order of ids until they are sorted */
};

static void draft_done(struct draft *draft) {
    free(draft->stocks);
    free(draft->pairs);
    free(draft->order);
    cleanup_plan_done(&draft->plan);
}
#define DRAFT_CLEANUP __attribute__((cleanup(draft_done)))

/* ---- what is there ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct stock *)a)->file.name, ((const struct stock *)b)->file.name);
}

static struct stock *find_stock(const struct draft *draft, const char *name) {
    struct stock wanted;
    if (!draft->stock_count || text_copy(wanted.file.name, sizeof wanted.file.name, name) < 0)
        return NULL;
    return bsearch(&wanted, draft->stocks, draft->stock_count, sizeof wanted, by_name);
}

static void read_stock(struct draft *draft) {
    struct store *store = draft->manage->settings.store;
    struct shelf shelf = {0}, free_to_go = {0};
    shelf_read(store, &shelf);
    draft->total_bytes = shelf.bytes;
    draft->stocks = mem_array(shelf.count + 1, sizeof *draft->stocks);
    draft->stock_count = shelf.count;
    for (size_t i = 0; i < shelf.count; i++)
        draft->stocks[i] = (struct stock){.file = shelf.items[i], .held = true};
    if (shelf.count)
        qsort(draft->stocks, shelf.count, sizeof *draft->stocks, by_name);
    shelf_done(&shelf);
    shelf_read(store, &free_to_go);
    shelf_order(store, &free_to_go); /* without what any daemon holds */
    for (size_t i = 0; i < free_to_go.count; i++) {
        struct stock *stock = find_stock(draft, free_to_go.items[i].name);
        if (stock)
            stock->held = false;
    }
    shelf_done(&free_to_go);
    for (size_t i = 0; i < draft->stock_count; i++)
        draft->stocks[i].used = shelf_is_used(store, &draft->stocks[i].file);
}

/* ---- who needs it ---- */

static int read_models(struct draft *draft) {
    struct manage *manage = draft->manage;
    struct cleanup_plan *plan = &draft->plan;
    struct required_list required REQUIRED_CLEANUP = {0};
    struct catalog_model *page = mem_array(PAGE, sizeof *page);
    int64_t after_id = 0;
    size_t room = 0;
    int count;
    required_read(manage, &required);
    while ((count = catalog_list_models(manage->settings.catalog, 0, after_id, page, PAGE)) > 0) {
        for (int i = 0; i < count; i++) {
            if (plan->model_count == room)
                plan->models = mem_resize(plan->models, room = room ? room * 2 : PAGE, sizeof *plan->models);
            struct cleanup_model *model = &plan->models[plan->model_count++];
            *model = (struct cleanup_model){.id = page[i].id};
            name_format(page[i].source, page[i].name, model->key);
            if (page[i].pinned)
                model->protected = "pinned";
            else if (required_has(&required, &page[i]))
                model->protected = "required";
            else if (job_of_model(manage, page[i].id, NULL, NULL))
                model->protected = "under way";
        }
        after_id = page[count - 1].id;
    }
    free(page);
    return count;
}

/* Models are in order of their ids. */
static size_t find_model(const struct cleanup_plan *plan, int64_t id) {
    size_t low = 0, high = plan->model_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (plan->models[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < plan->model_count && plan->models[low].id == id ? low : SIZE_MAX;
}

static void add_pair(struct draft *draft, size_t model, const struct stock *stock) {
    if (!stock || model == SIZE_MAX)
        return;
    if (draft->pair_count == draft->pair_room)
        draft->pairs = mem_resize(draft->pairs,
            draft->pair_room = draft->pair_room ? draft->pair_room * 2 : PAGE, sizeof *draft->pairs);
    draft->pairs[draft->pair_count++] = (struct pair){model, (size_t)(stock - draft->stocks)};
}

/* A part lies under the key, what is sealed under its SHA-256. */
static const char *sealed_name(const char *digest, const char *sha256) {
    return digest_kind_of(digest) == DIGEST_SHA256 ? digest + strlen("sha256-") : sha256;
}

static int by_pair(const void *a, const void *b) {
    const struct pair *x = a, *y = b;
    if (x->model != y->model)
        return x->model < y->model ? -1 : 1;
    return x->stock < y->stock ? -1 : x->stock > y->stock;
}

/* What other models have too was perhaps used as theirs: it counts for a model that has nothing else. */
static void note_use(const struct stock *stock, struct cleanup_model *model) {
    int64_t *used_ns = stock->needs == 1 ? &model->used_ns : &model->shared_used_ns;
    if (stock->file.used_ns > *used_ns)
        *used_ns = stock->file.used_ns;
}

static void settle_pairs(struct draft *draft) {
    size_t kept = 0;
    if (draft->pair_count)
        qsort(draft->pairs, draft->pair_count, sizeof *draft->pairs, by_pair);
    for (size_t i = 0; i < draft->pair_count; i++)
        if (!kept || by_pair(&draft->pairs[kept - 1], &draft->pairs[i]))
            draft->pairs[kept++] = draft->pairs[i];
    draft->pair_count = kept;
    for (size_t i = 0; i < kept; i++)
        draft->stocks[draft->pairs[i].stock].needs++;
    for (size_t i = 0; i < kept; i++) {
        const struct stock *stock = &draft->stocks[draft->pairs[i].stock];
        struct cleanup_model *model = &draft->plan.models[draft->pairs[i].model];
        note_use(stock, model);
        if (stock->used && !model->protected)
            model->protected = "open";
    }
    for (size_t i = 0; i < draft->plan.model_count; i++)
        if (!draft->plan.models[i].used_ns)
            draft->plan.models[i].used_ns = draft->plan.models[i].shared_used_ns;
}

static int read_references(struct draft *draft) {
    struct catalog *catalog = draft->manage->settings.catalog;
    struct catalog_reference *page = mem_array(PAGE, sizeof *page);
    int64_t after_id = 0;
    int count;
    while ((count = catalog_list_references(catalog, after_id, page, PAGE)) > 0) {
        for (int i = 0; i < count; i++) {
            size_t model = find_model(&draft->plan, page[i].model_id);
            add_pair(draft, model, find_stock(draft, page[i].digest));
            add_pair(draft, model, find_stock(draft, sealed_name(page[i].digest, page[i].sha256)));
        }
        after_id = page[count - 1].file_id;
    }
    free(page);
    settle_pairs(draft);
    return count;
}

static int read_dropped(struct draft *draft) {
    struct catalog_dropped *page = mem_array(PAGE, sizeof *page);
    char after[DIGEST_TEXT_SIZE] = "";
    int count;
    while ((count = catalog_list_dropped(draft->manage->settings.catalog, after, page, PAGE)) > 0) {
        for (int i = 0; i < count; i++) {
            struct stock *found[] = {find_stock(draft, page[i].digest),
                find_stock(draft, sealed_name(page[i].digest, page[i].sha256))};
            for (size_t k = 0; k < 2; k++)
                if (found[k])
                    found[k]->dropped = true;
        }
        memcpy(after, page[count - 1].digest, sizeof after);
    }
    free(page);
    return count;
}

/* ---- what goes ---- */

static bool is_enough(const struct draft *draft) {
    return draft->wish->to_bytes >= 0 && draft->plan.left_bytes <= (uint64_t)draft->wish->to_bytes;
}

static bool is_unused(const struct draft *draft, int64_t used_ns) {
    return draft->wish->unused_ms < 0 || clock_wall_ms() - used_ns / 1000000 >= draft->wish->unused_ms;
}

static void take(struct draft *draft, struct stock *stock, size_t model) {
    struct cleanup_plan *plan = &draft->plan;
    if (stock->taken || stock->held || stock->used)
        return;
    stock->taken = true;
    plan->items[plan->item_count++] = (struct cleanup_item){stock->file, model};
    plan->bytes += stock->file.bytes;
    plan->left_bytes -= stock->file.bytes;
    if (model == SIZE_MAX)
        plan->orphan_bytes += stock->file.bytes;
    else
        plan->models[model].bytes += stock->file.bytes;
}

static int by_stock_use(const void *a, const void *b) {
    const struct stock *x = *(struct stock *const *)a, *y = *(struct stock *const *)b;
    return x->file.used_ns < y->file.used_ns ? -1 : x->file.used_ns > y->file.used_ns;
}

/* Of another instance's models we know nothing: there only what we had ourselves goes. */
static void take_orphans(struct draft *draft) {
    bool alone = shelf_is_alone(draft->manage->settings.store);
    struct stock **orphans = mem_array(draft->stock_count + 1, sizeof(struct stock *));
    size_t count = 0;
    for (size_t i = 0; i < draft->stock_count; i++)
        if (!draft->stocks[i].needs && (alone || draft->stocks[i].dropped) &&
            is_unused(draft, draft->stocks[i].file.used_ns))
            orphans[count++] = &draft->stocks[i];
    if (count)
        qsort(orphans, count, sizeof *orphans, by_stock_use);
    for (size_t i = 0; i < count && !is_enough(draft); i++)
        take(draft, orphans[i], SIZE_MAX);
    free(orphans);
}

static int by_model_use(const void *a, const void *b, void *context) {
    const struct cleanup_model *models = context;
    const struct cleanup_model *x = &models[*(const size_t *)a], *y = &models[*(const size_t *)b];
    if (x->used_ns != y->used_ns)
        return x->used_ns < y->used_ns ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void take_model(struct draft *draft, size_t model) {
    for (size_t i = 0; i < draft->pair_count; i++) {
        struct stock *stock = &draft->stocks[draft->pairs[i].stock];
        if (draft->pairs[i].model == model && !--stock->needs)
            take(draft, stock, model);
    }
    draft->plan.going += draft->plan.models[model].bytes > 0;
}

static void take_models(struct draft *draft) {
    struct cleanup_plan *plan = &draft->plan;
    size_t here = 0;
    draft->order = mem_array(plan->model_count + 1, sizeof *draft->order);
    for (size_t i = 0; i < plan->model_count; i++)
        if (plan->models[i].used_ns)
            draft->order[here++] = i;
    if (here)
        qsort_r(draft->order, here, sizeof *draft->order, by_model_use, plan->models);
    size_t keep = draft->wish->keep > 0 ? (size_t)draft->wish->keep : 0;
    for (size_t i = 0; i + keep < here && !is_enough(draft); i++) {
        const struct cleanup_model *model = &plan->models[draft->order[i]];
        if (!model->protected && is_unused(draft, model->used_ns))
            take_model(draft, draft->order[i]);
    }
}

int cleanup_plan(struct manage *manage, const struct cleanup_wish *wish, struct cleanup_plan *ret_plan) {
    struct draft draft DRAFT_CLEANUP = {.manage = manage, .wish = wish};
    read_stock(&draft);
    int result = read_models(&draft);
    if (result == 0)
        result = read_references(&draft);
    if (result == 0)
        result = read_dropped(&draft);
    if (result < 0)
        return result;
    draft.plan.items = mem_array(draft.stock_count + 1, sizeof *draft.plan.items);
    draft.plan.left_bytes = draft.total_bytes;
    take_orphans(&draft);
    take_models(&draft);
    *ret_plan = draft.plan;
    draft.plan = (struct cleanup_plan){0};
    return 0;
}

void cleanup_plan_done(struct cleanup_plan *plan) {
    free(plan->models);
    free(plan->items);
    *plan = (struct cleanup_plan){0};
}
