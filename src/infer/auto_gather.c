/* SPDX-License-Identifier: Apache-2.0 */
/* The models that auto/ chooses from, and what bounds the choice. Reads the catalogue: desk. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/auto_inside.h"
#include "manage/card.h"
#include "manage/setting.h"
#include "model/catalog_by.h"

#define A_PAGE 64

/* ---- one model */

static bool ends_in(const char *name, const char *end) {
    size_t len = strlen(name), end_len = strlen(end);
    return len >= end_len && strcasecmp(name + len - end_len, end) == 0;
}

/* The names of the selected files, as an engine is asked whether it loads them. */
struct file_names {
    struct catalog_file *rows;
    struct engine_file files[SEAT_FILES_MOST];
    size_t count;
    uint64_t weights_bytes, projector_bytes;
};

static void add_file(struct file_names *names, const struct catalog_file *row, bool first) {
    size_t at = names->count++;
    if (first) { /* engines look at the first one */
        names->files[at] = names->files[0];
        at = 0;
    }
    names->files[at] = (struct engine_file){.name = row->path, .path = "", .size = row->size};
}

static void read_files(struct infer *infer, const struct catalog_model *model, struct file_names *names) {
    bool has_weights = false;
    names->rows = mem_array(SEAT_FILES_MOST, sizeof *names->rows);
    int count = model->revision_id ? catalog_list_files(manage_catalog(infer->settings.manage),
                                         model->revision_id, true, 0, names->rows, SEAT_FILES_MOST)
                                   : 0;
    for (int i = 0; i < count; i++) {
        const struct catalog_file *row = &names->rows[i];
        bool is_projector = strncmp(row->name, "mmproj", 6) == 0;
        bool is_weights =
            !is_projector && (ends_in(row->name, ".gguf") || ends_in(row->name, ".safetensors"));
        add_file(names, row, is_weights && !has_weights);
        has_weights = has_weights || is_weights;
        names->weights_bytes += is_weights ? row->size : 0;
        names->projector_bytes += is_projector ? row->size : 0;
    }
}

/* As seat_start() looks for one, but that the files need not be here. */
static bool has_engine(struct infer *infer, const struct catalog_model *row,
    const struct auto_candidate *candidate, const struct file_names *names) {
    struct manage *manage = infer->settings.manage;
    struct declared *declared DECLARED_CLEANUP = manage_declared(manage);
    char wanted[DECLARED_NAME_SIZE] = "";
    (void)model_setting_text(manage, row, "engine", wanted, sizeof wanted);
    struct engine_model model = {.key = candidate->key,
        .source = row->source,
        .name = row->name,
        .category = candidate->category,
        .wanted = wanted,
        .declared = declared};
    for (size_t i = 0; engine_table[i]; i++) {
        const struct engine *engine = engine_table[i];
        if (engine->needs_files && *wanted && !engine->name_of && strcmp(engine->name, wanted) != 0)
            continue;
        model.files = engine->needs_files ? names->files : NULL;
        model.file_count = engine->needs_files ? names->count : 0;
        if (engine->can_load(&model, infer->settings.options))
            return true;
    }
    return false;
}

/* What the operator says that its server can do. */
static void add_declared(struct infer *infer, const struct catalog_model *row,
    struct auto_candidate *candidate) {
    static const struct {
        unsigned declared, can;
    } abilities[] = {
        {DECLARED_CHAT, AUTO_CAN_CHAT},
        {DECLARED_COMPLETE, AUTO_CAN_CHAT},
        {DECLARED_EMBED, AUTO_CAN_EMBED},
        {DECLARED_VISION, AUTO_CAN_SEE},
    };
    struct declared *declared DECLARED_CLEANUP = manage_declared(infer->settings.manage);
    char name[DECLARED_NAME_SIZE];
    if (strcmp(row->source, "openai") != 0)
        return;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(row->name, "/"), row->name);
    const struct declaration *declaration = declared_find(declared, name);
    for (size_t i = 0; declaration && i < sizeof abilities / sizeof abilities[0]; i++)
        candidate->can |= declaration->can & abilities[i].declared ? abilities[i].can : 0;
}

static void add_card(struct infer *infer, const struct catalog_model *row, const struct file_names *names,
    struct auto_candidate *candidate) {
    struct manage *manage = infer->settings.manage;
    struct card card CARD_CLEANUP = {.whole = false};
    struct card_need need;
    if (card_of(manage, row, &card) < 0)
        return;
    const struct card_load load = {.tokens = (uint64_t)model_setting_number(manage, row, "context_tokens"),
        .slots = (uint64_t)model_setting_number(manage, row, "slots"),
        .weights_bytes = names->weights_bytes,
        .projector_bytes = names->projector_bytes};
    card_need(&card, &load, &need);
    (void)text_copy(candidate->card_category, sizeof candidate->card_category, card.category);
    (void)text_copy(candidate->architecture, sizeof candidate->architecture, card.architecture);
    candidate->need_bytes = need.ram;
    candidate->parameters = card.parameters;
    candidate->context_tokens = card.context_length;
}

static void add_seat(struct infer *infer, struct auto_candidate *candidate) {
    LOCK_SCOPE(&infer->lock);
    list_each (link, &infer->seats) {
        const struct seat *seat = list_entry(link, struct seat, link);
        if (seat->model_id != candidate->model_id)
            continue;
        candidate->seat = seat->state;
        candidate->queue = seat->waiting_count + seat->asked_count;
        candidate->failed = seat->figures.error != 0;
    }
}

static void fill(struct infer *infer, const struct catalog_model *row, struct auto_candidate *ret_candidate) {
    struct manage *manage = infer->settings.manage;
    struct auto_candidate candidate = {.model_id = row->id, .is_locked = row->locked};
    struct model_report report = {.state = STATE_ABSENT};
    struct file_names *names = mem_new(sizeof *names);
    name_format(row->source, row->name, candidate.key);
    model_category(manage, row, candidate.category);
    read_files(infer, row, names);
    add_card(infer, row, names, &candidate);
    add_seat(infer, &candidate);
    add_declared(infer, row, &candidate);
    if (model_report(manage, row, &report) == 0)
        candidate.missing_bytes = report.bytes_missing;
    candidate.state = report.state;
    candidate.has_projector = names->projector_bytes > 0;
    candidate.has_engine = has_engine(infer, row, &candidate, names);
    free(names->rows);
    free(names);
    *ret_candidate = candidate;
}

/* ---- all of them: those that are here, then the others, as far as there is room */

static bool is_here(const struct catalog_model *row) {
    return row->state == STATE_READY || row->state == STATE_REMOTE;
}

static int gather_some(struct infer *infer, bool here, struct catalog_model *page,
    struct auto_candidate *array, size_t count) {
    struct catalog *catalog = manage_catalog(infer->settings.manage);
    int64_t after_id = 0;
    int rows = 0;
    while (count < AUTO_CANDIDATES_MOST &&
           (rows = catalog_list_models(catalog, 0, after_id, page, A_PAGE)) > 0) {
        for (int i = 0; i < rows && count < AUTO_CANDIDATES_MOST; i++)
            if (is_here(&page[i]) == here)
                fill(infer, &page[i], &array[count++]);
        after_id = page[rows - 1].id;
    }
    return rows < 0 ? rows : (int)count;
}

int auto_gather(struct infer *infer, struct auto_candidate **ret_array) {
    struct auto_candidate *array = mem_array(AUTO_CANDIDATES_MOST, sizeof *array);
    struct catalog_model *page = mem_array(A_PAGE, sizeof *page);
    int64_t default_id = 0;
    int count = gather_some(infer, true, page, array, 0);
    if (count >= 0)
        count = gather_some(infer, false, page, array, (size_t)count);
    free(page);
    if (count < 0) {
        free(array);
        return count;
    }
    (void)catalog_link(manage_catalog(infer->settings.manage), "default", &default_id);
    for (int i = 0; i < count; i++)
        array[i].is_default = array[i].model_id == default_id;
    *ret_array = array;
    return count;
}

/* ---- limits */

/* One that is recommended, or any, of a category that can do it. */
static void suggest(struct infer *infer, enum auto_task task, char to[static NAME_KEY_SIZE]) {
    static const char *const categories[AUTO_TASK_COUNT][2] = {
        [AUTO_CHAT] = {"llm", "multimodal"},
        [AUTO_CODE] = {"llm", "multimodal"},
        [AUTO_VISION] = {"vision", "multimodal"},
        [AUTO_EMBED] = {"embedding", "embedding"},
    };
    struct registry *registry REGISTRY_CLEANUP = manage_registry(infer->settings.manage);
    const struct registry_entry *entry, *best = NULL;
    for (size_t i = 0; (entry = registry_entry(registry, i)); i++)
        if ((!strcmp(entry->category, categories[task][0]) ||
                !strcmp(entry->category, categories[task][1])) &&
            (!best || (entry->recommended && !best->recommended)))
            best = entry;
    (void)text_copy(to, NAME_KEY_SIZE, best ? best->key : "");
}

void auto_set_limits(struct infer *infer, enum auto_task task, struct auto_limits_room *room,
    struct auto_limits *ret_limits) {
    const struct options *options = infer->settings.options;
    (void)options_text(options, "preferred_models", room->preferred, sizeof room->preferred);
    suggest(infer, task, room->suggestion);
    *ret_limits = (struct auto_limits){.task = task,
        .memory_bytes = seats_room(infer),
        .lazy = options_bool(options, "lazy") && !options_bool(options, "offline"),
        .fetch_bytes = (uint64_t)options_number(options, "auto_fetch"),
        .preferred = room->preferred,
        .suggestion = room->suggestion};
}
