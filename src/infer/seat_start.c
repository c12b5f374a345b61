/* SPDX-License-Identifier: Apache-2.0 */
/* Which engine a model gets, and with what it starts. Desk. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "infer/inside.h"
#include "manage/known.h"
#include "manage/setting.h"

/* ---- settings: the model's own, else those of the whole */

static bool is_of_models(const char *name) {
    size_t i = 0;
    while (model_settings[i].name && strcmp(model_settings[i].name, name) != 0)
        i++;
    return model_settings[i].name;
}

int64_t seat_number(struct seat *seat, const char *name) {
    struct manage *manage = seat->infer->settings.manage;
    struct catalog_model model;
    if (is_of_models(name) && catalog_model(manage_catalog(manage), seat->model_id, &model) == 0)
        return model_setting_number(manage, &model, name);
    return options_number(seat->infer->settings.options, name);
}

bool seat_text(struct seat *seat, const char *name, char *to, size_t size) {
    struct manage *manage = seat->infer->settings.manage;
    struct catalog_model model;
    if (is_of_models(name) && catalog_model(manage_catalog(manage), seat->model_id, &model) == 0)
        return model_setting_text(manage, &model, name, to, size);
    return options_text(seat->infer->settings.options, name, to, size);
}

uint64_t seat_load_ms(const struct seat *seat) {
    return (uint64_t)options_number(seat->infer->settings.options, "load_timeout_s") * 1000;
}

static const struct options *options_with(const struct engine_start *start, const char *name) {
    struct reason unknown;
    size_t index;
    return options_find(start->model_options, name, "", &index, &unknown) == 0 ? start->model_options
                                                                               : start->options;
}

int64_t engine_number(const struct engine_start *start, const char *name) {
    return options_number(options_with(start, name), name);
}

bool engine_text(const struct engine_start *start, const char *name, char *to, size_t size) {
    return options_text(options_with(start, name), name, to, size);
}

/* ---- which engine */

enum supply { NO_FILES, ALL_FILES, GGUF_FILES };

static enum supply supply_of(const struct engine *engine) {
    return !engine->needs_files ? NO_FILES : engine->takes_all ? ALL_FILES : GGUF_FILES;
}

/* The first of that kind that can. Of those that want files only the one that the setting names, when it
 * names one: models that are served elsewhere have no choice. */
static const struct engine *find_engine(const struct infer *infer, const struct engine_model *model,
    enum supply supply) {
    for (size_t i = 0; engine_table[i]; i++) {
        const struct engine *engine = engine_table[i];
        bool is_meant = supply == NO_FILES || !*model->wanted || engine->name_of ||
                        strcmp(engine->name, model->wanted) == 0;
        if (is_meant && supply_of(engine) == supply && engine->can_load(model, infer->settings.options))
            return engine;
    }
    return NULL;
}

/* Is the setting `engine` a name of somebody? Else nothing is fetched for nothing. */
static int check_wanted(const struct engine_model *model, struct reason *reason) {
    struct buf names BUF_CLEANUP = BUF_INIT;
    const struct declaration *declaration;
    for (size_t i = 0; engine_table[i]; i++) {
        if (!engine_table[i]->needs_files || engine_table[i]->name_of)
            continue;
        if (!*model->wanted || strcmp(engine_table[i]->name, model->wanted) == 0)
            return 0;
        (void)buf_format(&names, " %s", engine_table[i]->name); /* no limit: can't fail, as below */
    }
    for (size_t i = 0; (declaration = declared_at(model->declared, i)); i++) {
        if (declaration->kind != DECLARED_COMMAND)
            continue;
        if (strcmp(declaration->name, model->wanted) == 0)
            return 0;
        (void)buf_format(&names, " %s", declaration->name);
    }
    return err_because(reason, -ENOENT,
        "config/engine is %s, and there is no engine of that name; there are:%s", model->wanted,
        buf_text(&names));
}

static int refuse(const struct engine_model *model, struct reason *reason) {
    if (*model->wanted)
        return err_because(reason, -EOPNOTSUPP, "config/engine is %s, which does not load files like %s",
            model->wanted, model->files[0].name);
    return err_because(reason, -EOPNOTSUPP, "no engine here loads files like %s", model->files[0].name);
}

/* Those that want no files are asked first: for what they serve, none are here. Then those that the operator
 * declared. */
static int choose(struct seat *seat, struct engine_model *model,
    struct engine_file files[static SEAT_FILES_MOST], struct reason *reason) {
    seat->engine = find_engine(seat->infer, model, NO_FILES);
    if (seat->engine)
        return 0;
    int error = check_wanted(model, reason);
    if (error < 0)
        return error;
    seat->engine = find_engine(seat->infer, model, ALL_FILES);
    error = files_take(seat, !seat->engine && stream_is_on(seat), reason);
    if (error < 0)
        return error;
    for (size_t i = 0; i < seat->file_count; i++)
        files[i] = (struct engine_file){seat->files[i].name, seat->files[i].path, seat->files[i].size};
    model->files = files;
    model->file_count = seat->file_count;
    if (!seat->engine)
        seat->engine = find_engine(seat->infer, model, GGUF_FILES);
    return seat->engine ? 0 : refuse(model, reason);
}

/* ---- its start */

static int make_folder(struct seat *seat, struct reason *reason) {
    struct infer *infer = seat->infer;
    int error = infer_make_folder(infer, reason);
    if (error < 0)
        return error;
    snprintf(seat->folder, sizeof seat->folder, "%s/%llu", infer->folder,
        (unsigned long long)++infer->folders_made);
    return mkdir(seat->folder, 0700) < 0
               ? err_because(reason, -errno, "%s: %s", seat->folder, err_sentence(-errno))
               : 0;
}

int seat_start(struct seat *seat, const struct engine_events *events, struct reason *reason) {
    struct infer *infer = seat->infer;
    struct engine_file files[SEAT_FILES_MOST];
    struct catalog_model row;
    char category[CATEGORY_SIZE], wanted[DECLARED_NAME_SIZE] = "";
    if (catalog_model(manage_catalog(infer->settings.manage), seat->model_id, &row) < 0)
        return -ERR_STALE;
    seat_category(seat, &row, category);
    (void)seat_text(seat, "engine", wanted, sizeof wanted);
    struct declared *declared DECLARED_CLEANUP = manage_declared(infer->settings.manage);
    struct engine_model model = {.key = seat->name,
        .source = row.source,
        .name = row.name,
        .category = category,
        .wanted = wanted,
        .declared = declared};
    int error = choose(seat, &model, files, reason);
    seat_category_of_files(seat, category); /* which `model` points to */
    if (!error)
        error = seat_make_room(seat, reason);
    if (!error && seat->engine->needs_files)
        error = make_folder(seat, reason);
    if (error) /* or SEAT_WAITS */
        return error;
    struct options *model_options = model_options_new(infer->settings.manage, &row);
    const struct engine_start settings = {.model = model,
        .folder = seat->folder,
        .options = infer->settings.options,
        .model_options = model_options,
        .loop = infer->loop,
        .events = *events};
    error = seat->engine->start(&settings, &seat->instance, reason);
    options_free(model_options);
    return error;
}

void seat_put_back(struct seat *seat) {
    explicit_bzero(seat->endpoint.authorization, sizeof seat->endpoint.authorization);
    lock_take(&seat->infer->lock);
    explicit_bzero(seat->ready_endpoint.authorization, sizeof seat->ready_endpoint.authorization);
    seat->figures.server_memory_bytes = seat->figures.server_vram_bytes = 0;
    seat->rest_until_ms = 0; /* wanted by who is gone */
    lock_drop(&seat->infer->lock);
    files_put(seat);
    if (*seat->folder)
        (void)path_remove_tree(AT_FDCWD, seat->folder); /* what is left is removed at the next start */
    *seat->folder = '\0';
}
