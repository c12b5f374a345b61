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

/* Of those that want files, only the one that the setting names, when it names one. */
static const struct engine *find_engine(struct seat *seat, const struct engine_model *model,
    bool needs_files) {
    char wanted[64] = "";
    if (needs_files)
        (void)seat_text(seat, "engine", wanted, sizeof wanted);
    for (size_t i = 0; engine_table[i]; i++)
        if (engine_table[i]->needs_files == needs_files &&
            (!*wanted || strcmp(engine_table[i]->name, wanted) == 0) &&
            engine_table[i]->can_load(model, seat->infer->settings.options))
            return engine_table[i];
    return NULL;
}

static int refuse(struct seat *seat, const char *file, struct reason *reason) {
    char wanted[64];
    if (seat_text(seat, "engine", wanted, sizeof wanted))
        return err_because(reason, -EOPNOTSUPP,
            "config/engine is %s, which is no engine here for files like %s", wanted, file);
    return err_because(reason, -EOPNOTSUPP, "no engine here loads files like %s", file);
}

/* Those that want no files are asked first: for what they serve, none are here. */
static int choose(struct seat *seat, struct engine_model *model,
    struct engine_file files[static SEAT_FILES_MOST], struct reason *reason) {
    seat->engine = find_engine(seat, model, false);
    if (seat->engine)
        return 0;
    int error = files_take(seat, reason);
    if (error < 0)
        return error;
    for (size_t i = 0; i < seat->file_count; i++)
        files[i] = (struct engine_file){seat->files[i].name, seat->files[i].path, seat->files[i].size};
    model->files = files;
    model->file_count = seat->file_count;
    seat->engine = find_engine(seat, model, true);
    return seat->engine ? 0 : refuse(seat, files[0].name, reason);
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
    char category[CATEGORY_SIZE];
    if (catalog_model(manage_catalog(infer->settings.manage), seat->model_id, &row) < 0)
        return -ERR_STALE;
    model_category(infer->settings.manage, &row, category);
    struct engine_model model = {.key = seat->name,
        .source = row.source,
        .name = row.name,
        .category = category};
    int error = choose(seat, &model, files, reason);
    if (!error)
        error = make_folder(seat, reason);
    if (error < 0)
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
    files_put(seat);
    if (*seat->folder)
        (void)path_remove_tree(AT_FDCWD, seat->folder); /* what is left is removed at the next start */
    *seat->folder = '\0';
}
