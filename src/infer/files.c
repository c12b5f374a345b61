/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a model's files an engine is given, and that they stay. Desk. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "infer/inside.h"
#include "model/variant.h"

static bool ends_in(const char *name, const char *end) {
    size_t len = strlen(name), end_len = strlen(end);
    return len >= end_len && strcasecmp(name + len - end_len, end) == 0;
}

/* Where the blob's bytes lie: what its descriptor leads to. */
static int path_of(struct blob *blob, char **ret_path) {
    char link[64], path[PATH_MAX];
    FD_CLEANUP int fd = blob_open_complete(blob);
    if (fd < 0)
        return fd;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0)
        return -errno;
    path[len] = '\0';
    *ret_path = mem_text(path);
    return 0;
}

/* On the mount, where its reads wait for the bytes. */
static char *path_on_mount(const struct seat *seat, const struct catalog_model *model,
    const struct catalog_file *file) {
    struct buf path BUF_CLEANUP = BUF_INIT;
    (void)buf_format(&path, "%s/%s/%s/files/%s", seat->infer->mountpoint, model->source, model->name,
        file->path); /* no limit */
    return mem_text(buf_text(&path));
}

static int find(struct seat_file *file, const struct blob_info *info, const struct seat *seat,
    const struct catalog_model *model, const struct catalog_file *row) {
    if (info->state == BLOB_COMPLETE)
        return path_of(file->blob, &file->path);
    file->path = path_on_mount(seat, model, row);
    file->is_coming = true;
    file->generation = info->generation;
    return 0;
}

static int use(struct seat *seat, const struct catalog_model *model, const struct catalog_file *file,
    bool stream) {
    struct blob_info info;
    struct seat_file *taken =
        &seat->files[seat->file_count]; /* the list had no more than there is room for */
    *taken = (struct seat_file){.size = file->size};
    int error = model_blob(seat->infer->settings.manage, model, file, &taken->blob);
    if (error < 0)
        return error;
    blob_look(taken->blob, &info);
    error = info.state == BLOB_COMPLETE || stream ? blob_use(taken->blob, info.generation) : -ENODATA;
    if (error < 0) {
        blob_put(taken->blob);
        return error == -ERR_STALE ? -ENODATA : error; /* evicted at this moment */
    }
    error = find(taken, &info, seat, model, file);
    if (error < 0) {
        blob_unuse(taken->blob);
        blob_put(taken->blob);
        return error;
    }
    taken->name = mem_text(file->path);
    seat->file_count++;
    seat->is_coming = seat->is_coming || taken->is_coming;
    return 0;
}

/* What is loaded: the model, of shards the first as they are listed in their order; for an engine that takes
 * all, and where there is no such file, the largest. NULL: there is none. */
static const struct catalog_file *find_first(const struct catalog_file *files, int count, bool all) {
    const struct catalog_file *first = NULL;
    for (int i = 0; i < count && !first; i++)
        if (ends_in(files[i].name, ".gguf") && !variant_is_sidecar(files[i].path))
            first = &files[i];
    for (int i = 0; i < count && all && (!first || !ends_in(first->name, ".gguf")); i++)
        if (!first || files[i].size > first->size)
            first = &files[i];
    return first;
}

/* Of several the one of 16 bits, which every machine computes with; else the first. NULL: there is none. */
static const struct catalog_file *find_projector(const struct catalog_file *files, int count) {
    const struct catalog_file *found = NULL;
    for (int i = 0; i < count; i++)
        if (ends_in(files[i].path, ".gguf") && variant_is_projector(files[i].path) &&
            (!found || (strcasestr(files[i].name, "-f16") && !strcasestr(found->name, "-f16"))))
            found = &files[i];
    return found;
}

/* Of the selected files: those of one variant, the first that the catalogue lists. */
static bool belongs(const struct catalog_file *file, const struct catalog_file *first) {
    return ends_in(file->name, ".gguf") && !variant_is_sidecar(file->path) &&
           variant_equal(file->variant, first->variant);
}

static int list_all(struct seat *seat, const struct catalog_model *model, struct catalog_file **ret_files) {
    struct catalog_file *files = mem_array(SEAT_FILES_MOST, sizeof *files);
    int count = catalog_list_files(manage_catalog(seat->infer->settings.manage), model->revision_id, true, 0,
        files, SEAT_FILES_MOST);
    if (count < 0)
        free(files);
    else
        *ret_files = files;
    return count;
}

static int take(struct seat *seat, const struct catalog_model *model, bool stream, struct reason *reason) {
    struct catalog_file *files = NULL;
    int count = list_all(seat, model, &files), error = count < 0 ? count : 0;
    bool all = seat->engine && seat->engine->takes_all;
    const struct catalog_file *first = find_first(files, count, all);
    const struct catalog_file *projector = find_projector(files, count);
    if (!error && count == SEAT_FILES_MOST && all)
        error =
            err_because(reason, -E2BIG, "%s has more than %d files: pull only those that its engine needs",
                seat->name, SEAT_FILES_MOST - 1);
    if (!error && !first)
        error = seat_refuse_files(seat, model, reason);
    if (!error)
        error = use(seat, model, first, stream);
    for (int i = 0; i < count && !error; i++)
        if (&files[i] != first && (all || belongs(&files[i], first)))
            error = use(seat, model, &files[i], stream);
    if (!error && projector && !all)
        error = use(seat, model, projector, stream);
    if (count >= 0)
        free(files);
    return error;
}

int files_take(struct seat *seat, bool stream, struct reason *reason) {
    struct catalog_model model;
    seat->files = mem_array(SEAT_FILES_MOST, sizeof *seat->files);
    int error = catalog_model(manage_catalog(seat->infer->settings.manage), seat->model_id, &model);
    if (error == -ENOENT)
        error = -ERR_STALE;
    if (!error)
        error = take(seat, &model, stream, reason);
    if (error < 0)
        files_put(seat);
    return error;
}

void files_put(struct seat *seat) {
    while (seat->file_count) {
        struct seat_file *file = &seat->files[--seat->file_count];
        if (file->is_coming)
            blob_dismiss(file->blob); /* what the engine had asked for: it has gone */
        blob_unuse(file->blob);
        blob_put(file->blob);
        free(file->name);
        free(file->path);
    }
    free(seat->files);
    seat->files = NULL;
    seat->is_coming = false;
}
